/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One partition: its pages in the order of their sequence numbers, its namespaces, its items. Behaves as nvs::Storage
 * and nvs::PageManager of ESP-IDF v5.5.5 (components/nvs_flash/src).
 *
 * Below this lie pages. nvs_storage.c finds items; on it stand blobs, and on those nvs_storage_items.c, which reads and
 * writes items, and nvs_storage_open.c.
 */
#pragma once

#include "nvs.h"
#include "nvs_page.h"

typedef struct {
    char name[NVS_KEY_CHARS_MAX + 1];
    uint8_t index;
} nvs_namespace_t;

typedef struct nvs_storage {
    struct nvs_storage *next; /* in nvs_mounts.c's list */
    const esp_partition_t *partition;
    aes_xts_t *cipher; /* or NULL: the partition is not encrypted */
    nvs_page_t *pages;
    size_t page_count;
    nvs_page_t **used; /* pages with entries, the oldest first; new entries go to the last */
    size_t used_count;
    nvs_page_t **spare; /* empty and corrupt pages, in the order in which they will be used */
    size_t spare_count;
    uint32_t next_sequence_number;
    nvs_namespace_t *namespaces;
    size_t namespace_count;
} nvs_storage_t;

/** Mount a partition, encrypted unless `key` (AES_XTS_KEY_BYTES) is NULL. On an error nothing needs to be freed. */
esp_err_t nvs_storage_open(const esp_partition_t *partition, const uint8_t *key, nvs_storage_t **out);

/** Unmount. */
void nvs_storage_close(nvs_storage_t *storage);

/** The page that new entries go to. */
nvs_page_t *nvs_storage_current_page(nvs_storage_t *storage);

/** Make the next page the current one; if it would be the last empty one, move an old page's entries to it. */
esp_err_t nvs_storage_request_page(nvs_storage_t *storage);

/** Finds an item by its key, whatever its type; `key` may be NULL for all items of the namespace. */
nvs_query_t nvs_query_any(uint8_t namespace_index, const char *key);

/** Finds an item by its key and type. */
nvs_query_t nvs_query_type(uint8_t namespace_index, uint8_t type, const char *key);

/** Find an item in any page. A wrong type counts as not found. */
esp_err_t nvs_storage_find(nvs_storage_t *storage, const nvs_query_t *query, nvs_page_t **page, size_t *index,
                           nvs_entry_t *entry);

/** Remember a namespace that is in flash. */
esp_err_t nvs_storage_add_namespace(nvs_storage_t *storage, const char *name, uint8_t index);

/** Index of a namespace; created if `create`. */
esp_err_t nvs_storage_namespace(nvs_storage_t *storage, const char *name, bool create, uint8_t *index);

/** Name of a namespace, or NULL if there is none of this index. */
const char *nvs_storage_namespace_name(const nvs_storage_t *storage, uint8_t index);

/** Size of a string (with its NUL) or blob. `type` is NVS_ITEM_SZ or NVS_ITEM_BLOB. */
esp_err_t nvs_storage_size(nvs_storage_t *storage, uint8_t namespace_index, uint8_t type, const char *key, size_t *size);

/** The type of a key's entry: an nvs_item_type_t. */
esp_err_t nvs_storage_type(nvs_storage_t *storage, uint8_t namespace_index, const char *key, uint8_t *type);

/** Read a value of `size` bytes. */
esp_err_t nvs_storage_read(nvs_storage_t *storage, uint8_t namespace_index, uint8_t type, const char *key, void *data,
                           size_t size);

/** Write a value, and erase the one that the key had. `value->type` is NVS_ITEM_BLOB for a blob. */
esp_err_t nvs_storage_write(nvs_storage_t *storage, const nvs_value_t *value);

/** Erase the item of a key, whatever its type. */
esp_err_t nvs_storage_erase(nvs_storage_t *storage, uint8_t namespace_index, const char *key);

/** Erase all items of a namespace. */
esp_err_t nvs_storage_erase_namespace(nvs_storage_t *storage, uint8_t namespace_index);

/** Count entries. */
esp_err_t nvs_storage_stats(const nvs_storage_t *storage, nvs_stats_t *stats);

/** Count the entries of a namespace. */
esp_err_t nvs_storage_count(nvs_storage_t *storage, uint8_t namespace_index, size_t *count);
