/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_api.cpp and nvs_storage.cpp.
 */
#include <stdlib.h>
#include <string.h>

#include "nvs.h"
#include "nvs_handles.h"
#include "nvs_lock.h"
#include "nvs_mounts.h"

struct nvs_opaque_iterator_t {
    nvs_storage_t *storage;
    nvs_type_t type;
    uint8_t namespace_index;
    size_t page; /* index in storage->used */
    size_t index;
    nvs_entry_info_t info;
};

/* A blob is shown once, by its first chunk. Blobs of version 1 are not shown, as nvs_flash has it. */
static bool is_shown(const nvs_entry_t *entry)
{
    if (entry->namespace_index == NVS_NAMESPACE_OF_NAMESPACES || entry->type == NVS_ITEM_BLOB ||
        entry->type == NVS_ITEM_BLOB_IDX) {
        return false;
    }
    return entry->type != NVS_ITEM_BLOB_DATA || entry->chunk_index == NVS_CHUNK_START_0 ||
           entry->chunk_index == NVS_CHUNK_START_1;
}

static void fill_info(nvs_iterator_t it, const nvs_entry_t *entry)
{
    const char *name = nvs_storage_namespace_name(it->storage, entry->namespace_index);
    if (name != NULL) { /* else the name of the entry before stays, as nvs_flash has it */
        strcpy(it->info.namespace_name, name);
    }
    it->info.type = (nvs_type_t)entry->type;
    memset(it->info.key, 0, sizeof(it->info.key));
    memcpy(it->info.key, entry->key, strnlen(entry->key, NVS_KEY_CHARS_MAX));
}

static bool advance(nvs_iterator_t it)
{
    const nvs_query_t query = {
        .namespace_index = it->namespace_index,
        .type = (uint8_t)it->type,
        .chunk_index = NVS_CHUNK_ANY,
        .chunk_start = NVS_CHUNK_START_ANY,
    };
    for (; it->page < it->storage->used_count; it->page++, it->index = 0) {
        nvs_entry_t entry = {0};
        esp_err_t err;
        while ((err = nvs_page_find(it->storage->used[it->page], &query, &it->index, &entry)) != ESP_ERR_NVS_NOT_FOUND) {
            it->index += entry.span;
            if (err == ESP_OK && is_shown(&entry)) {
                fill_info(it, &entry);
                return true;
            }
        }
    }
    return false;
}

static esp_err_t find(nvs_storage_t *storage, uint8_t namespace_index, nvs_type_t type, nvs_iterator_t *out)
{
    nvs_iterator_t it = calloc(1, sizeof(*it));
    if (it == NULL) {
        return ESP_ERR_NO_MEM;
    }
    it->storage = storage;
    it->type = type;
    it->namespace_index = namespace_index;
    *out = it;
    return nvs_entry_next(out);
}

esp_err_t nvs_entry_find(const char *label, const char *namespace_name, nvs_type_t type, nvs_iterator_t *out)
{
    NVS_LOCK();
    if (label == NULL || out == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *out = NULL;
    nvs_storage_t *storage = nvs_mounted(label);
    if (storage == NULL) {
        return ESP_ERR_NVS_NOT_FOUND;
    }
    uint8_t namespace_index = NVS_NAMESPACE_ANY;
    if (namespace_name != NULL && nvs_storage_namespace(storage, namespace_name, false, &namespace_index) != ESP_OK) {
        return ESP_ERR_NVS_NOT_FOUND;
    }
    return find(storage, namespace_index, type, out);
}

esp_err_t nvs_entry_find_in_handle(nvs_handle_t number, nvs_type_t type, nvs_iterator_t *out)
{
    NVS_LOCK();
    if (out == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *out = NULL;
    const nvs_open_handle_t *handle = nvs_handle_find(number);
    return handle == NULL ? ESP_ERR_NVS_INVALID_HANDLE : find(handle->storage, handle->namespace_index, type, out);
}

esp_err_t nvs_entry_next(nvs_iterator_t *it)
{
    NVS_LOCK();
    if (it == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (advance(*it)) {
        return ESP_OK;
    }
    nvs_release_iterator(*it);
    *it = NULL;
    return ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t nvs_entry_info(const nvs_iterator_t it, nvs_entry_info_t *info)
{
    if (it == NULL || info == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *info = it->info;
    return ESP_OK;
}

void nvs_release_iterator(nvs_iterator_t it)
{
    free(it);
}
