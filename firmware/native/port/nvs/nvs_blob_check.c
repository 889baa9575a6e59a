/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * After mounting: which chunks belong to which index.
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_storage.cpp.
 */
#include <stdlib.h>
#include <string.h>

#include "nvs_blob.h"

typedef struct {
    nvs_entry_t entry; /* the BLOB_IDX */
    size_t size_found;
    size_t chunks_found;
    bool is_whole;
} blob_t;

typedef struct {
    blob_t *blobs;
    size_t count;
} blob_list_t;

static esp_err_t list_blobs(nvs_storage_t *storage, blob_list_t *list)
{
    const nvs_query_t query = nvs_blob_index_query(NVS_NAMESPACE_ANY, NULL, NVS_CHUNK_START_ANY);
    for (size_t p = 0; p < storage->used_count; p++) {
        nvs_entry_t entry;
        for (size_t i = 0; nvs_page_find(storage->used[p], &query, &i, &entry) == ESP_OK; i += entry.span) {
            blob_t *blobs = realloc(list->blobs, (list->count + 1) * sizeof(*blobs));
            if (blobs == NULL) {
                return ESP_ERR_NO_MEM;
            }
            list->blobs = blobs;
            list->blobs[list->count++] = (blob_t){.entry = entry, .is_whole = true};
        }
    }
    return ESP_OK;
}

/* The first blob that a chunk belongs to, if its chunk indices end before `end_of`(blob). */
static blob_t *blob_of(const blob_list_t *list, const nvs_entry_t *chunk, unsigned (*end_of)(const blob_t *))
{
    for (size_t i = 0; i < list->count; i++) {
        blob_t *blob = &list->blobs[i];
        if (blob->is_whole && blob->entry.namespace_index == chunk->namespace_index &&
            strncmp(blob->entry.key, chunk->key, NVS_KEY_CHARS_MAX) == 0 &&
            chunk->chunk_index >= blob->entry.blob_index.chunk_start && chunk->chunk_index < end_of(blob)) {
            return blob;
        }
    }
    return NULL;
}

static unsigned end_of_version(const blob_t *blob)
{
    return blob->entry.blob_index.chunk_start == NVS_CHUNK_START_0 ? NVS_CHUNK_START_1 : NVS_CHUNK_START_ANY;
}

static unsigned end_of_chunks(const blob_t *blob)
{
    return (unsigned)blob->entry.blob_index.chunk_start + blob->entry.blob_index.chunk_count;
}

static void erase_broken_indices(nvs_storage_t *storage, blob_list_t *list)
{
    const nvs_query_t chunks = nvs_blob_chunk_query(NVS_NAMESPACE_ANY, NULL, NVS_CHUNK_ANY);
    for (size_t p = 0; p < storage->used_count; p++) {
        nvs_entry_t chunk;
        for (size_t i = 0; nvs_page_find(storage->used[p], &chunks, &i, &chunk) == ESP_OK; i += chunk.span) {
            blob_t *blob = blob_of(list, &chunk, end_of_version);
            if (blob != NULL) {
                blob->size_found += chunk.variable.size;
                blob->chunks_found++;
            }
        }
    }
    for (size_t b = 0; b < list->count; b++) {
        blob_t *blob = &list->blobs[b];
        const nvs_entry_t *entry = &blob->entry;
        blob->is_whole = blob->size_found == entry->blob_index.size && blob->chunks_found == entry->blob_index.chunk_count;
        if (!blob->is_whole) {
            const nvs_query_t query = nvs_blob_index_query(entry->namespace_index, entry->key, entry->blob_index.chunk_start);
            for (size_t p = 0; p < storage->used_count; p++) {
                if (nvs_page_find_and_erase(storage->used[p], &query) == ESP_OK) {
                    break;
                }
            }
        }
    }
}

static void erase_orphaned_chunks(nvs_storage_t *storage, const blob_list_t *list)
{
    const nvs_query_t chunks = nvs_blob_chunk_query(NVS_NAMESPACE_ANY, NULL, NVS_CHUNK_ANY);
    for (size_t p = 0; p < storage->used_count; p++) {
        nvs_entry_t chunk;
        for (size_t i = 0; nvs_page_find(storage->used[p], &chunks, &i, &chunk) == ESP_OK; i += chunk.span) {
            if (blob_of(list, &chunk, end_of_chunks) == NULL) {
                const nvs_query_t query = nvs_blob_chunk_query(chunk.namespace_index, chunk.key, chunk.chunk_index);
                (void)nvs_page_find_and_erase(storage->used[p], &query); /* nvs_flash goes on if this fails */
            }
        }
    }
}

esp_err_t nvs_blob_check_all(nvs_storage_t *storage)
{
    blob_list_t list = {0};
    const esp_err_t err = list_blobs(storage, &list);
    if (err == ESP_OK) {
        erase_broken_indices(storage, &list);
        erase_orphaned_chunks(storage, &list);
    }
    free(list.blobs);
    return err;
}
