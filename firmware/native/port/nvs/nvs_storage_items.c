/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reading, writing and erasing items; making namespaces.
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_storage.cpp.
 */
#include <string.h>

#include "nvs_blob.h"
#include "nvs_storage.h"

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

typedef struct { /* the value that a key has before it is written */
    nvs_page_t *page;
    uint32_t sequence_number; /* of the page; another one later means that its entries have moved */
    size_t index;
    nvs_entry_t entry;
    bool is_same_type;
} old_item_t;

static esp_err_t find_old(nvs_storage_t *storage, const nvs_value_t *value, old_item_t *old)
{
    const uint8_t stored_type = value->type == NVS_ITEM_BLOB ? NVS_ITEM_BLOB_IDX : value->type;
    const nvs_query_t same = nvs_query_type(value->namespace_index, stored_type, value->key);
    const nvs_query_t any = nvs_query_any(value->namespace_index, value->key);
    esp_err_t err = nvs_storage_find(storage, &same, &old->page, &old->index, &old->entry);
    old->is_same_type = err == ESP_OK;
    if (err != ESP_OK) {
        err = nvs_storage_find(storage, &any, &old->page, &old->index, &old->entry);
    }
    if (err == ESP_OK) {
        old->sequence_number = old->page->sequence_number;
    }
    return err;
}

static esp_err_t write_on_one_page(nvs_storage_t *storage, const nvs_value_t *value)
{
    nvs_page_t *page = nvs_storage_current_page(storage);
    esp_err_t err = nvs_page_write(page, value);
    if (err != ESP_ERR_NVS_PAGE_FULL) {
        return err;
    }
    err = page->state == NVS_PAGE_FULL ? ESP_OK : nvs_page_mark_full(page);
    if (err == ESP_OK) {
        err = nvs_storage_request_page(storage);
    }
    if (err == ESP_OK) {
        err = nvs_page_write(nvs_storage_current_page(storage), value);
    }
    return err == ESP_ERR_NVS_PAGE_FULL ? ESP_ERR_NVS_NOT_ENOUGH_SPACE : err;
}

static esp_err_t write_blob(nvs_storage_t *storage, const nvs_value_t *value, const old_item_t *old)
{
    uint8_t chunk_start = NVS_CHUNK_START_0;
    if (old->is_same_type) {
        const uint8_t old_start = old->entry.blob_index.chunk_start;
        if (old_start != NVS_CHUNK_START_0 && old_start != NVS_CHUNK_START_1) {
            return ESP_FAIL;
        }
        chunk_start = old_start ^ NVS_CHUNK_START_1;
    }
    const esp_err_t err = nvs_blob_write(storage, value, chunk_start);
    return err == ESP_ERR_NVS_PAGE_FULL ? ESP_ERR_NVS_NOT_ENOUGH_SPACE : err;
}

static esp_err_t erase_old(nvs_storage_t *storage, const nvs_value_t *value, old_item_t *old)
{
    if (old->entry.type == NVS_ITEM_BLOB_IDX) {
        return nvs_blob_erase(storage, value->namespace_index, value->key, old->entry.blob_index.chunk_start);
    }
    const bool has_moved = (old->page->state != NVS_PAGE_ACTIVE && old->page->state != NVS_PAGE_FULL) ||
                           old->page->sequence_number != old->sequence_number;
    if (has_moved) {
        const nvs_query_t query = nvs_query_type(value->namespace_index, old->entry.type, value->key);
        const esp_err_t err = nvs_storage_find(storage, &query, &old->page, &old->index, &old->entry);
        if (err != ESP_OK) {
            return err;
        }
    }
    return nvs_page_erase_item(old->page, old->index);
}

esp_err_t nvs_storage_write(nvs_storage_t *storage, const nvs_value_t *value)
{
    old_item_t old;
    const bool has_old = find_old(storage, value, &old) == ESP_OK;
    if (has_old && old.is_same_type) {
        const bool is_unchanged = value->type == NVS_ITEM_BLOB
                                      ? nvs_blob_holds(storage, value)
                                      : nvs_page_holds(old.page, &old.entry, old.index, value->data, value->size);
        if (is_unchanged) {
            return ESP_OK;
        }
    }
    esp_err_t err = value->type == NVS_ITEM_BLOB ? write_blob(storage, value, &old) : write_on_one_page(storage, value);
    if (err == ESP_OK && has_old) {
        err = erase_old(storage, value, &old);
        if (err == ESP_ERR_FLASH_OP_FAIL) {
            err = ESP_ERR_NVS_REMOVE_FAILED;
        }
    }
    return err;
}

esp_err_t nvs_storage_erase(nvs_storage_t *storage, uint8_t namespace_index, const char *key)
{
    const nvs_query_t query = nvs_query_any(namespace_index, key);
    nvs_entry_t entry;
    nvs_page_t *page;
    size_t index;
    const esp_err_t err = nvs_storage_find(storage, &query, &page, &index, &entry);
    if (err != ESP_OK) {
        return err;
    }
    return entry.type == NVS_ITEM_BLOB_IDX
               ? nvs_blob_erase(storage, namespace_index, key, entry.blob_index.chunk_start)
               : nvs_page_erase_item(page, index);
}

esp_err_t nvs_storage_erase_namespace(nvs_storage_t *storage, uint8_t namespace_index)
{
    const nvs_query_t query = nvs_query_any(namespace_index, NULL);
    for (size_t p = 0; p < storage->used_count; p++) {
        esp_err_t err;
        do {
            err = nvs_page_find_and_erase(storage->used[p], &query);
        } while (err == ESP_OK);
        if (err != ESP_ERR_NVS_NOT_FOUND) {
            return err;
        }
    }
    return ESP_OK;
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
        err = nvs_storage_add_namespace(storage, name, created);
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
