/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Finding items, and what is known of namespaces.
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_storage.cpp.
 */
#include "nvs_storage.h"

#include <stdlib.h>
#include <string.h>


nvs_query_t nvs_query_any(uint8_t namespace_index, const char *key)
{
    return (nvs_query_t){
        .namespace_index = namespace_index,
        .type = NVS_ITEM_ANY,
        .chunk_index = NVS_CHUNK_ANY,
        .chunk_start = NVS_CHUNK_START_ANY,
        .key = key,
    };
}

nvs_query_t nvs_query_type(uint8_t namespace_index, uint8_t type, const char *key)
{
    nvs_query_t query = nvs_query_any(namespace_index, key);
    query.type = type;
    return query;
}

esp_err_t nvs_storage_add_namespace(nvs_storage_t *storage, const char *name, uint8_t index)
{
    nvs_namespace_t *namespaces = realloc(storage->namespaces, (storage->namespace_count + 1) * sizeof(*namespaces));
    if (namespaces == NULL) {
        return ESP_ERR_NO_MEM;
    }
    storage->namespaces = namespaces;
    nvs_namespace_t *added = &namespaces[storage->namespace_count++];
    *added = (nvs_namespace_t){.index = index};
    memcpy(added->name, name, strnlen(name, NVS_KEY_CHARS_MAX));
    return ESP_OK;
}

esp_err_t nvs_storage_find(nvs_storage_t *storage, const nvs_query_t *query, nvs_page_t **page, size_t *index,
                           nvs_entry_t *entry)
{
    for (size_t p = 0; p < storage->used_count; p++) {
        size_t found = 0;
        if (nvs_page_find(storage->used[p], query, &found, entry) == ESP_OK) {
            *page = storage->used[p];
            *index = found;
            return ESP_OK;
        }
    }
    return ESP_ERR_NVS_NOT_FOUND;
}

const char *nvs_storage_namespace_name(const nvs_storage_t *storage, uint8_t index)
{
    for (size_t i = 0; i < storage->namespace_count; i++) {
        if (storage->namespaces[i].index == index) {
            return storage->namespaces[i].name;
        }
    }
    return NULL;
}

esp_err_t nvs_storage_size(nvs_storage_t *storage, uint8_t namespace_index, uint8_t type, const char *key, size_t *size)
{
    nvs_entry_t entry;
    nvs_page_t *page;
    size_t index;
    if (type == NVS_ITEM_BLOB) {
        const nvs_query_t query = nvs_query_type(namespace_index, NVS_ITEM_BLOB_IDX, key);
        if (nvs_storage_find(storage, &query, &page, &index, &entry) == ESP_OK) {
            *size = entry.blob_index.size;
            return ESP_OK;
        }
    }
    const nvs_query_t query = nvs_query_type(namespace_index, type, key);
    const esp_err_t err = nvs_storage_find(storage, &query, &page, &index, &entry);
    if (err == ESP_OK) {
        *size = entry.variable.size;
    }
    return err;
}

esp_err_t nvs_storage_type(nvs_storage_t *storage, uint8_t namespace_index, const char *key, uint8_t *type)
{
    const nvs_query_t query = nvs_query_any(namespace_index, key);
    nvs_entry_t entry;
    nvs_page_t *page;
    size_t index;
    const esp_err_t err = nvs_storage_find(storage, &query, &page, &index, &entry);
    if (err == ESP_OK) {
        *type = entry.type;
    }
    return err;
}

esp_err_t nvs_storage_stats(const nvs_storage_t *storage, nvs_stats_t *stats)
{
    *stats = (nvs_stats_t){.namespace_count = storage->namespace_count};
    for (size_t p = 0; p < storage->used_count; p++) {
        const nvs_page_t *page = storage->used[p];
        if (page->state == NVS_PAGE_FREEING) {
            return ESP_FAIL;
        }
        if (page->state == NVS_PAGE_INVALID) {
            return ESP_ERR_INVALID_STATE;
        }
        stats->used_entries += page->used_count;
    }
    stats->total_entries = (storage->used_count + storage->spare_count) * NVS_ENTRIES_PER_PAGE;
    stats->free_entries = stats->total_entries - stats->used_entries;
    if (stats->free_entries >= NVS_ENTRIES_PER_PAGE) {
        stats->available_entries = stats->free_entries - NVS_ENTRIES_PER_PAGE; /* one page is always kept */
    }
    return ESP_OK;
}

esp_err_t nvs_storage_count(nvs_storage_t *storage, uint8_t namespace_index, size_t *count)
{
    const nvs_query_t query = nvs_query_any(namespace_index, NULL);
    *count = 0;
    for (size_t p = 0; p < storage->used_count; p++) {
        nvs_entry_t entry;
        size_t index = 0;
        esp_err_t err;
        while ((err = nvs_page_find(storage->used[p], &query, &index, &entry)) == ESP_OK) {
            *count += entry.span;
            index += entry.span;
        }
        if (err != ESP_ERR_NVS_NOT_FOUND) {
            return err;
        }
    }
    return ESP_OK;
}
