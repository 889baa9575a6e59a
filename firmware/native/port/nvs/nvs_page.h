/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One page. Behaves as nvs::Page of ESP-IDF v5.5.5 (components/nvs_flash/src/nvs_page.cpp), in what it finds, in what
 * it does to damaged entries, and in the order in which it writes; so it fails in the same way too. In particular, its
 * idea of the entries' states changes before they are written, and stays changed if the flash refuses.
 */
#pragma once

#include <stdbool.h>

#include "aes_xts.h"
#include "esp_err.h"
#include "esp_partition.h"
#include "nvs_entry.h"

#define NVS_ENTRY_NONE ((size_t)0xFFFFFFFFu)

typedef struct {
    const esp_partition_t *partition;
    const aes_xts_t *cipher; /* or NULL: the partition is not encrypted */
    uint32_t offset; /* of the page in its partition */
    nvs_page_image_t flash; /* what the flash holds: read once, since every read is a message to the board */
    nvs_entry_t entries[NVS_ENTRIES_PER_PAGE]; /* those of `flash`, decrypted */
    nvs_page_state_t state;
    uint32_t sequence_number;
    uint8_t version;
    uint32_t states[8];                /* entry states, as far as they are known: see above */
    uint32_t hashes[NVS_ENTRIES_PER_PAGE]; /* of entries that can be found by key: intact, and not erased since */
    size_t first_used;                 /* or NVS_ENTRY_NONE */
    size_t next_free;                  /* or NVS_ENTRY_NONE, which a full page has */
    uint16_t used_count;
} nvs_page_t;

/** What to look for. */
typedef struct {
    uint8_t namespace_index; /* or NVS_NAMESPACE_ANY */
    uint8_t type;            /* or NVS_ITEM_ANY */
    uint8_t chunk_index;     /* or NVS_CHUNK_ANY */
    uint8_t chunk_start;     /* of a BLOB_IDX; or NVS_CHUNK_START_ANY */
    const char *key;         /* or NULL for any */
} nvs_query_t;

/** A value to write. */
typedef struct {
    uint8_t namespace_index;
    uint8_t type;
    uint8_t chunk_index;
    const char *key;
    const void *data;
    size_t size;
} nvs_value_t;

/** Read the page, whose `partition`, `cipher` and `offset` are set; erases what is damaged. */
esp_err_t nvs_page_load(nvs_page_t *page);

/** Whether the page holds entries (and so has a sequence number). */
bool nvs_page_is_in_use(const nvs_page_t *page);

/**
 * Find the first entry from `*index` on. `entry` receives what was read last, found or not.
 *
 * @return ESP_OK and `*index`; ESP_ERR_NVS_NOT_FOUND; ESP_ERR_NVS_TYPE_MISMATCH and `*index` if namespace and key fit but
 *         the type does not; or an error of the flash, which happens when a damaged entry cannot be erased
 */
esp_err_t nvs_page_find(nvs_page_t *page, const nvs_query_t *query, size_t *index, nvs_entry_t *entry);

/** Read the data of the SZ, BLOB or BLOB_DATA `entry` at `index`. If its CRC is wrong, the item is erased. */
esp_err_t nvs_page_read_data(nvs_page_t *page, const nvs_entry_t *entry, size_t index, void *data);

/** Whether the entry at `index` has just this value. */
bool nvs_page_holds(const nvs_page_t *page, const nvs_entry_t *entry, size_t index, const void *data, size_t size);

/** Write a value. ESP_ERR_NVS_PAGE_FULL if it does not fit any more. */
esp_err_t nvs_page_write(nvs_page_t *page, const nvs_value_t *value);

/** Mark the entry at `index` erased, with its data. */
esp_err_t nvs_page_erase_item(nvs_page_t *page, size_t index);

/** Find and erase. */
esp_err_t nvs_page_find_and_erase(nvs_page_t *page, const nvs_query_t *query);

/** Mark the page, which must be ACTIVE, FULL. */
esp_err_t nvs_page_mark_full(nvs_page_t *page);

/** Mark the page FREEING: its entries are about to be copied. */
esp_err_t nvs_page_mark_freeing(nvs_page_t *page);

/** Copy all written entries to `target`. ESP_ERR_NVS_NOT_FOUND if there are none. */
esp_err_t nvs_page_copy(const nvs_page_t *page, nvs_page_t *target);

/** Erase the whole page. */
esp_err_t nvs_page_erase(nvs_page_t *page);

/** Bytes of data that a chunk written now could have. */
size_t nvs_page_tailroom(const nvs_page_t *page);
