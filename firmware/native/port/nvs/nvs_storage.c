/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_storage.cpp.
 */
#include "nvs_storage.h"

#include <stdlib.h>
#include <string.h>

#include "nvs_blob.h"
#include "nvs_pages.h"

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

static esp_err_t add_namespace(nvs_storage_t *storage, const char *name, uint8_t index)
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

static esp_err_t list_namespaces(nvs_storage_t *storage)
{
    const nvs_query_t query = nvs_query_type(NVS_NAMESPACE_OF_NAMESPACES, NVS_ITEM_U8, NULL);
    for (size_t p = 0; p < storage->used_count; p++) {
        nvs_entry_t entry;
        for (size_t i = 0; nvs_page_find(storage->used[p], &query, &i, &entry) == ESP_OK; i += entry.span) {
            const esp_err_t err = add_namespace(storage, entry.key, entry.data[0]);
            if (err != ESP_OK) {
                return err;
            }
        }
    }
    return ESP_OK;
}

static esp_err_t set_key(nvs_storage_t *storage, const uint8_t *key)
{
    if (key == NULL) {
        return ESP_OK;
    }
    storage->cipher = malloc(sizeof(*storage->cipher));
    if (storage->cipher == NULL) {
        return ESP_ERR_NO_MEM;
    }
    aes_xts_set_key(storage->cipher, key);
    return ESP_OK;
}

esp_err_t nvs_storage_open(const esp_partition_t *partition, const uint8_t *key, nvs_storage_t **out)
{
    nvs_storage_t *storage = calloc(1, sizeof(*storage));
    if (storage == NULL) {
        return ESP_ERR_NO_MEM;
    }
    storage->partition = partition;
    esp_err_t err = set_key(storage, key);
    if (err == ESP_OK) {
        err = nvs_pages_load(storage);
    }
    if (err == ESP_OK) {
        err = list_namespaces(storage);
    }
    if (err == ESP_OK) {
        err = nvs_blob_check_all(storage);
    }
    if (err != ESP_OK) {
        nvs_storage_close(storage);
        return err;
    }
    *out = storage;
    return ESP_OK;
}

void nvs_storage_close(nvs_storage_t *storage)
{
    free(storage->cipher);
    free(storage->pages);
    free(storage->used);
    free(storage->spare);
    free(storage->namespaces);
    free(storage);
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

static esp_err_t create_namespace(nvs_storage_t *storage, const char *name, uint8_t *index)
{
    bool is_taken[256] = {[NVS_NAMESPACE_OF_NAMESPACES] = true, [NVS_NAMESPACE_ANY] = true};
    for (size_t i = 0; i < storage->namespace_count; i++) {
        is_taken[storage->namespaces[i].index] = true;
    }
    unsigned free_index = 1;
    while (free_index < NVS_NAMESPACE_ANY && is_taken[free_index]) {
        free_index++;
    }
    if (free_index == NVS_NAMESPACE_ANY) {
        return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    }
    const uint8_t created = (uint8_t)free_index;
    const nvs_value_t value = {
        .namespace_index = NVS_NAMESPACE_OF_NAMESPACES,
        .type = NVS_ITEM_U8,
        .chunk_index = NVS_CHUNK_ANY,
        .key = name,
        .data = &created,
        .size = sizeof(created),
    };
    esp_err_t err = nvs_storage_write(storage, &value);
    if (err == ESP_OK) {
        err = add_namespace(storage, name, created);
    }
    if (err == ESP_OK) {
        *index = created;
    }
    return err;
}

esp_err_t nvs_storage_namespace(nvs_storage_t *storage, const char *name, bool create, uint8_t *index)
{
    for (size_t i = 0; i < storage->namespace_count; i++) {
        if (strncmp(name, storage->namespaces[i].name, NVS_KEY_CHARS_MAX) == 0) {
            *index = storage->namespaces[i].index;
            return ESP_OK;
        }
    }
    return create ? create_namespace(storage, name, index) : ESP_ERR_NVS_NOT_FOUND;
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

esp_err_t nvs_storage_read(nvs_storage_t *storage, uint8_t namespace_index, uint8_t type, const char *key, void *data,
                           size_t size)
{
    if (type == NVS_ITEM_BLOB) {
        const esp_err_t err = nvs_blob_read(storage, namespace_index, key, data, size);
        if (err != ESP_ERR_NVS_NOT_FOUND) {
            return err;
        }
    }
    const nvs_query_t query = nvs_query_type(namespace_index, type, key);
    nvs_entry_t entry;
    nvs_page_t *page;
    size_t index;
    const esp_err_t err = nvs_storage_find(storage, &query, &page, &index, &entry);
    if (err != ESP_OK) {
        return err;
    }
    if (!nvs_is_variable(type)) {
        memcpy(data, entry.data, size);
        return ESP_OK;
    }
    return size < entry.variable.size ? ESP_ERR_NVS_INVALID_LENGTH : nvs_page_read_data(page, &entry, index, data);
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
