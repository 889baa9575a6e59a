/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_storage.cpp.
 */
#include "nvs_blob.h"

#include <string.h>

nvs_query_t nvs_blob_index_query(uint8_t namespace_index, const char *key, uint8_t chunk_start)
{
    return (nvs_query_t){
        .namespace_index = namespace_index,
        .type = NVS_ITEM_BLOB_IDX,
        .chunk_index = NVS_CHUNK_ANY,
        .chunk_start = chunk_start,
        .key = key,
    };
}

nvs_query_t nvs_blob_chunk_query(uint8_t namespace_index, const char *key, uint8_t chunk_index)
{
    return (nvs_query_t){
        .namespace_index = namespace_index,
        .type = NVS_ITEM_BLOB_DATA,
        .chunk_index = chunk_index,
        .chunk_start = NVS_CHUNK_START_ANY,
        .key = key,
    };
}

esp_err_t nvs_blob_read(nvs_storage_t *storage, uint8_t namespace_index, const char *key, void *data, size_t size)
{
    const nvs_query_t query = nvs_blob_index_query(namespace_index, key, NVS_CHUNK_START_ANY);
    nvs_entry_t entry;
    nvs_page_t *page;
    size_t index;
    esp_err_t err = nvs_storage_find(storage, &query, &page, &index, &entry);
    if (err != ESP_OK) {
        return err;
    }
    if (size != entry.blob_index.size) {
        return ESP_FAIL;
    }
    const uint8_t chunk_count = entry.blob_index.chunk_count;
    const uint8_t chunk_start = entry.blob_index.chunk_start;
    size_t offset = 0;
    for (unsigned i = 0; i < chunk_count; i++) {
        const nvs_query_t chunk = nvs_blob_chunk_query(namespace_index, key, (uint8_t)(chunk_start + i));
        err = nvs_storage_find(storage, &chunk, &page, &index, &entry);
        if (err == ESP_OK && entry.variable.size > size - offset) {
            err = ESP_ERR_NVS_INVALID_LENGTH;
        }
        if (err != ESP_OK) {
            (void)nvs_blob_erase(storage, namespace_index, key, NVS_CHUNK_START_ANY);
            break;
        }
        err = nvs_page_read_data(page, &entry, index, (uint8_t *)data + offset);
        if (err != ESP_OK) {
            return err;
        }
        offset += entry.variable.size;
    }
    return offset == size ? err : ESP_FAIL;
}

bool nvs_blob_holds(nvs_storage_t *storage, const nvs_value_t *value)
{
    const nvs_query_t query = nvs_blob_index_query(value->namespace_index, value->key, NVS_CHUNK_START_ANY);
    nvs_entry_t entry;
    nvs_page_t *page;
    size_t index;
    if (nvs_storage_find(storage, &query, &page, &index, &entry) != ESP_OK || value->size != entry.blob_index.size) {
        return false;
    }
    const uint8_t chunk_count = entry.blob_index.chunk_count;
    const uint8_t chunk_start = entry.blob_index.chunk_start;
    size_t offset = 0;
    for (unsigned i = 0; i < chunk_count; i++) {
        const nvs_query_t chunk = nvs_blob_chunk_query(value->namespace_index, value->key, (uint8_t)(chunk_start + i));
        if (nvs_storage_find(storage, &chunk, &page, &index, &entry) != ESP_OK ||
            entry.variable.size > value->size - offset ||
            !nvs_page_holds(page, &entry, index, (const uint8_t *)value->data + offset, entry.variable.size)) {
            return false;
        }
        offset += entry.variable.size;
    }
    return offset == value->size;
}

static esp_err_t next_page(nvs_storage_t *storage)
{
    nvs_page_t *page = nvs_storage_current_page(storage);
    if (page->state != NVS_PAGE_FULL) {
        const esp_err_t err = nvs_page_mark_full(page);
        if (err != ESP_OK) {
            return err;
        }
    }
    return nvs_storage_request_page(storage);
}

/* Do not begin a blob in the last tenth of a page, unless all of it fits there. */
static esp_err_t skip_small_rest(nvs_storage_t *storage, size_t size)
{
    const size_t tailroom = nvs_page_tailroom(nvs_storage_current_page(storage));
    const bool fits = tailroom >= size && tailroom > 0;
    if (fits || tailroom >= NVS_CHUNK_BYTES_MAX / 10) {
        return ESP_OK;
    }
    const esp_err_t err = next_page(storage);
    if (err != ESP_OK) {
        return err;
    }
    const bool is_better = nvs_page_tailroom(nvs_storage_current_page(storage)) != tailroom;
    return is_better ? skip_small_rest(storage, size) : ESP_ERR_NVS_NOT_ENOUGH_SPACE;
}

/* Write one chunk of what is left, on the current page. The page is left behind when it is used up. */
static esp_err_t write_chunk(nvs_storage_t *storage, nvs_value_t *left, nvs_page_t **page)
{
    *page = nvs_storage_current_page(storage);
    const size_t tailroom = nvs_page_tailroom(*page);
    if (tailroom == 0) {
        return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    }
    nvs_value_t chunk = *left;
    chunk.size = left->size < tailroom ? left->size : tailroom;
    const esp_err_t err = nvs_page_write(*page, &chunk);
    if (err != ESP_OK) {
        return err;
    }
    left->data = (const uint8_t *)left->data + chunk.size;
    left->size -= chunk.size;
    left->chunk_index++;
    const bool is_page_used_up = left->size > 0 || tailroom - chunk.size < NVS_ENTRY_BYTES;
    return is_page_used_up ? next_page(storage) : ESP_OK;
}

static esp_err_t write_index(nvs_storage_t *storage, const nvs_value_t *value, uint8_t chunk_start, uint8_t chunk_count)
{
    nvs_entry_t entry;
    memset(&entry, 0xFF, sizeof(entry));
    entry.blob_index.size = (uint32_t)value->size;
    entry.blob_index.chunk_count = chunk_count;
    entry.blob_index.chunk_start = chunk_start;
    const nvs_value_t index = {
        .namespace_index = value->namespace_index,
        .type = NVS_ITEM_BLOB_IDX,
        .chunk_index = NVS_CHUNK_ANY,
        .key = value->key,
        .data = entry.data,
        .size = sizeof(entry.data),
    };
    return nvs_page_write(nvs_storage_current_page(storage), &index);
}

esp_err_t nvs_blob_write(nvs_storage_t *storage, const nvs_value_t *value, uint8_t chunk_start)
{
    const size_t pages = storage->page_count - 1;
    const size_t chunks_max = pages < NVS_CHUNKS_MAX ? pages : NVS_CHUNKS_MAX;
    if (value->size > chunks_max * NVS_CHUNK_BYTES_MAX) {
        return ESP_ERR_NVS_VALUE_TOO_LONG;
    }
    esp_err_t err = skip_small_rest(storage, value->size);
    if (err != ESP_OK) {
        return err;
    }
    nvs_page_t *pages_written[NVS_CHUNKS_MAX];
    size_t chunk_count = 0;
    nvs_value_t left = *value;
    left.type = NVS_ITEM_BLOB_DATA;
    left.chunk_index = chunk_start;
    do {
        const uint8_t chunk_index = left.chunk_index;
        err = write_chunk(storage, &left, &pages_written[chunk_count]);
        chunk_count += left.chunk_index != chunk_index; /* written, even if there is no next page */
    } while (err == ESP_OK && left.size > 0 && chunk_count < NVS_CHUNKS_MAX);
    if (err == ESP_OK && left.size > 0) {
        err = ESP_ERR_NVS_VALUE_TOO_LONG; /* the first chunk was a small one, so that the chunk numbers ran out */
    }
    if (err == ESP_OK) {
        err = write_index(storage, value, chunk_start, (uint8_t)chunk_count);
    }
    if (err != ESP_OK && err != ESP_ERR_NVS_PAGE_FULL) {
        for (size_t i = 0; i < chunk_count; i++) {
            /* From 0, whatever chunk_start is: as nvs_flash does. Chunks that stay go when it is mounted anew. */
            const nvs_query_t query = nvs_blob_chunk_query(value->namespace_index, value->key, (uint8_t)i);
            (void)nvs_page_find_and_erase(pages_written[i], &query);
        }
    }
    return err;
}

static esp_err_t erase_found(nvs_storage_t *storage, const nvs_query_t *query)
{
    nvs_entry_t entry;
    nvs_page_t *page;
    size_t index;
    const esp_err_t err = nvs_storage_find(storage, query, &page, &index, &entry);
    return err != ESP_OK ? err : nvs_page_erase_item(page, index);
}

static esp_err_t erase_all_chunks(nvs_storage_t *storage, uint8_t namespace_index, const char *key)
{
    const nvs_query_t query = nvs_blob_chunk_query(namespace_index, key, NVS_CHUNK_ANY);
    for (size_t p = 0; p < storage->used_count; p++) {
        nvs_entry_t entry;
        for (size_t i = 0; i < NVS_ENTRIES_PER_PAGE; i += entry.span) {
            esp_err_t err = nvs_page_find(storage->used[p], &query, &i, &entry);
            if (err == ESP_ERR_NVS_NOT_FOUND) {
                break;
            }
            if (err == ESP_OK) {
                err = nvs_page_erase_item(storage->used[p], i);
            }
            if (err != ESP_OK) {
                return err;
            }
        }
    }
    return ESP_OK;
}

esp_err_t nvs_blob_erase(nvs_storage_t *storage, uint8_t namespace_index, const char *key, uint8_t chunk_start)
{
    const nvs_query_t query = nvs_blob_index_query(namespace_index, key, chunk_start);
    nvs_entry_t entry;
    nvs_page_t *page;
    size_t index;
    esp_err_t err = nvs_storage_find(storage, &query, &page, &index, &entry);
    if (err == ESP_OK) {
        err = nvs_page_erase_item(page, index);
    }
    if (err != ESP_OK) {
        return err;
    }
    if (chunk_start == NVS_CHUNK_START_ANY) {
        err = erase_found(storage, &query); /* there may be an index of the other chunk_start */
        return err != ESP_OK && err != ESP_ERR_NVS_NOT_FOUND ? err : erase_all_chunks(storage, namespace_index, key);
    }
    for (unsigned i = 0; i < entry.blob_index.chunk_count; i++) {
        const nvs_query_t chunk = nvs_blob_chunk_query(namespace_index, key, (uint8_t)(chunk_start + i));
        err = erase_found(storage, &chunk);
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}
