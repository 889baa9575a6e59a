/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The NVS format: pages of 4096 bytes, each a header, a bitmap of entry states and 126 entries of 32 bytes.
 * Source: ESP-IDF v5.5.5, components/nvs_flash/README.rst and src/nvs_types.hpp, nvs_page.hpp, nvs_constants.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the structures below are read as they lie in flash");

#define NVS_PAGE_BYTES 4096u
#define NVS_ENTRY_BYTES 32u
#define NVS_ENTRIES_PER_PAGE 126u
#define NVS_CHUNK_BYTES_MAX (NVS_ENTRY_BYTES * (NVS_ENTRIES_PER_PAGE - 1)) /* a page but for its header and one entry */
#define NVS_KEY_CHARS_MAX 15u

#define NVS_VERSION_2 0xFEu /* versions count downwards: 0xFF is version 1 */

#define NVS_NAMESPACE_OF_NAMESPACES 0u
#define NVS_NAMESPACE_ANY 0xFFu
#define NVS_CHUNK_ANY 0xFFu

/* A blob's chunks are numbered from one of two offsets; writing a new value changes over to the other. */
#define NVS_CHUNK_START_0 0x00u
#define NVS_CHUNK_START_1 0x80u
#define NVS_CHUNK_START_ANY 0xFFu
#define NVS_CHUNKS_MAX 127u

typedef enum {
    NVS_PAGE_UNINITIALIZED = 0xFFFFFFFF,
    NVS_PAGE_ACTIVE = 0xFFFFFFFE,
    NVS_PAGE_FULL = 0xFFFFFFFC,
    NVS_PAGE_FREEING = 0xFFFFFFF8,
    NVS_PAGE_CORRUPT = 0xFFFFFFF0,
    NVS_PAGE_INVALID = 0, /* never in flash: reading or writing the page failed */
} nvs_page_state_t;

typedef enum { /* two bits each */
    NVS_ENTRY_ERASED = 0,
    NVS_ENTRY_ILLEGAL = 1,
    NVS_ENTRY_WRITTEN = 2,
    NVS_ENTRY_EMPTY = 3,
} nvs_entry_state_t;

typedef enum { /* of entries; nvs_type_t has some of them under other names */
    NVS_ITEM_U8 = 0x01,
    NVS_ITEM_I8 = 0x11,
    NVS_ITEM_U16 = 0x02,
    NVS_ITEM_I16 = 0x12,
    NVS_ITEM_U32 = 0x04,
    NVS_ITEM_I32 = 0x14,
    NVS_ITEM_U64 = 0x08,
    NVS_ITEM_I64 = 0x18,
    NVS_ITEM_SZ = 0x21,
    NVS_ITEM_FLOAT = 0x24, /* this one and the next: since v6.1 */
    NVS_ITEM_DOUBLE = 0x28,
    NVS_ITEM_BLOB = 0x41, /* version 1 */
    NVS_ITEM_BLOB_DATA = 0x42,
    NVS_ITEM_BLOB_IDX = 0x48,
    NVS_ITEM_ANY = 0xFF,
} nvs_item_type_t;

typedef struct {
    uint32_t state;
    uint32_t sequence_number;
    uint8_t version;
    uint8_t reserved[19];
    uint32_t crc32; /* of sequence_number to reserved */
} nvs_page_header_t;

typedef struct {
    uint8_t namespace_index;
    uint8_t type;
    uint8_t span; /* entries, with this one */
    uint8_t chunk_index;
    uint32_t crc32; /* of the entry but for these four bytes */
    char key[NVS_KEY_CHARS_MAX + 1];
    union {
        uint8_t data[8];
        struct {
            uint16_t size;
            uint16_t reserved;
            uint32_t data_crc32;
        } variable; /* SZ, BLOB, BLOB_DATA: the data is in the entries that follow */
        struct {
            uint32_t size;
            uint8_t chunk_count;
            uint8_t chunk_start;
            uint16_t reserved;
        } blob_index;
    };
} nvs_entry_t;

typedef struct {
    nvs_page_header_t header;
    uint32_t states[8];
    nvs_entry_t entries[NVS_ENTRIES_PER_PAGE];
} nvs_page_image_t;

/* Of an entry in its page. */
#define NVS_ENTRY_OFFSET(index) (offsetof(nvs_page_image_t, entries) + (index) * NVS_ENTRY_BYTES)

_Static_assert(sizeof(nvs_page_header_t) == 32, "page header");
_Static_assert(sizeof(nvs_entry_t) == NVS_ENTRY_BYTES, "entry");
_Static_assert(sizeof(nvs_page_image_t) == NVS_PAGE_BYTES, "page");
