/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_pagemanager.cpp.
 */
#include "nvs_pages.h"

#include <stdlib.h>
#include <string.h>

nvs_page_t *nvs_storage_current_page(nvs_storage_t *storage)
{
    return storage->used[storage->used_count - 1];
}

static void insert_used(nvs_storage_t *storage, nvs_page_t *page)
{
    size_t i = 0;
    while (i < storage->used_count && storage->used[i]->sequence_number <= page->sequence_number) {
        i++;
    }
    memmove(&storage->used[i + 1], &storage->used[i], (storage->used_count - i) * sizeof(*storage->used));
    storage->used[i] = page;
    storage->used_count++;
}

static void move_to_spare(nvs_storage_t *storage, size_t used_index)
{
    storage->spare[storage->spare_count++] = storage->used[used_index];
    storage->used_count--;
    memmove(&storage->used[used_index], &storage->used[used_index + 1],
            (storage->used_count - used_index) * sizeof(*storage->used));
}

static esp_err_t activate_page(nvs_storage_t *storage)
{
    if (storage->spare_count == 0) {
        return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    }
    nvs_page_t *page = storage->spare[0];
    if (page->state == NVS_PAGE_CORRUPT) {
        const esp_err_t err = nvs_page_erase(page);
        if (err != ESP_OK) {
            return err;
        }
    }
    storage->spare_count--;
    memmove(&storage->spare[0], &storage->spare[1], storage->spare_count * sizeof(*storage->spare));
    storage->used[storage->used_count++] = page;
    if (page->state == NVS_PAGE_UNINITIALIZED) {
        page->sequence_number = storage->next_sequence_number;
    }
    storage->next_sequence_number++;
    return ESP_OK;
}

/* Copy a FREEING page's entries to the current page, erase it and put it to the spare ones. */
static esp_err_t finish_freeing(nvs_storage_t *storage, size_t used_index)
{
    nvs_page_t *page = storage->used[used_index];
    esp_err_t err = nvs_page_copy(page, nvs_storage_current_page(storage));
    if (err != ESP_OK && err != ESP_ERR_NVS_NOT_FOUND) {
        return err;
    }
    err = nvs_page_erase(page);
    if (err == ESP_OK) {
        move_to_spare(storage, used_index);
    }
    return err;
}

esp_err_t nvs_storage_request_page(nvs_storage_t *storage)
{
    if (storage->spare_count == 0) {
        return ESP_ERR_NVS_INVALID_STATE;
    }
    if (storage->spare_count >= 2) {
        return activate_page(storage);
    }
    size_t emptiest = 0;
    size_t most_unused = 0;
    for (size_t i = 0; i < storage->used_count; i++) {
        const size_t unused = NVS_ENTRIES_PER_PAGE - storage->used[i]->used_count;
        if (unused > most_unused) {
            emptiest = i;
            most_unused = unused;
        }
    }
    if (most_unused == 0) {
        return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    }
    const size_t used_before = storage->used[emptiest]->used_count;
    esp_err_t err = nvs_page_mark_freeing(storage->used[emptiest]);
    if (err == ESP_OK) {
        err = activate_page(storage);
    }
    if (err == ESP_OK) {
        err = finish_freeing(storage, emptiest);
    }
    if (err == ESP_OK && nvs_storage_current_page(storage)->used_count != used_before) {
        err = ESP_FAIL;
    }
    return err;
}

static nvs_query_t same_item(const nvs_entry_t *entry, uint8_t type)
{
    return (nvs_query_t){
        .namespace_index = entry->namespace_index,
        .type = type,
        .chunk_index = entry->chunk_index,
        .chunk_start = NVS_CHUNK_START_ANY,
        .key = entry->key,
    };
}

static bool erase_in_older_page(nvs_storage_t *storage, const nvs_query_t *query)
{
    for (size_t i = 0; i + 1 < storage->used_count; i++) {
        if (storage->used[i]->state != NVS_PAGE_FREEING && nvs_page_find_and_erase(storage->used[i], query) == ESP_OK) {
            return true;
        }
    }
    return false;
}

/* If the power went after the last item was written and before its old value was erased, the old one goes now. */
static void erase_duplicate_of_last(nvs_storage_t *storage)
{
    const nvs_query_t all = {
        .namespace_index = NVS_NAMESPACE_ANY,
        .type = NVS_ITEM_ANY,
        .chunk_index = NVS_CHUNK_ANY,
        .chunk_start = NVS_CHUNK_START_ANY,
    };
    nvs_entry_t entry;
    size_t index = 0;
    bool is_found = false;
    while (nvs_page_find(nvs_storage_current_page(storage), &all, &index, &entry) == ESP_OK) {
        index += entry.span;
        is_found = true;
    }
    if (!is_found) {
        return;
    }
    const nvs_query_t same = same_item(&entry, entry.type);
    if (!erase_in_older_page(storage, &same) && entry.type == NVS_ITEM_BLOB_IDX) {
        const nvs_query_t version_1 = same_item(&entry, NVS_ITEM_BLOB);
        (void)erase_in_older_page(storage, &version_1);
    }
}

/* If the power went while a page's entries were copied, that is begun anew. */
static esp_err_t resume_freeing(nvs_storage_t *storage)
{
    size_t freeing = 0;
    while (freeing < storage->used_count && storage->used[freeing]->state != NVS_PAGE_FREEING) {
        freeing++;
    }
    if (freeing == storage->used_count) {
        return ESP_OK;
    }
    esp_err_t err = ESP_OK;
    if (nvs_storage_current_page(storage)->state == NVS_PAGE_ACTIVE) {
        err = nvs_page_erase(nvs_storage_current_page(storage));
        if (err == ESP_OK) {
            move_to_spare(storage, storage->used_count - 1);
        }
    }
    if (err == ESP_OK) {
        err = activate_page(storage);
    }
    return err == ESP_OK ? finish_freeing(storage, freeing) : err;
}

esp_err_t nvs_pages_load(nvs_storage_t *storage)
{
    storage->page_count = storage->partition->size / NVS_PAGE_BYTES;
    const size_t slots = storage->page_count + 1; /* calloc(0) may return NULL */
    storage->pages = calloc(slots, sizeof(*storage->pages));
    storage->used = calloc(slots, sizeof(*storage->used));
    storage->spare = calloc(slots, sizeof(*storage->spare));
    if (storage->pages == NULL || storage->used == NULL || storage->spare == NULL) {
        return ESP_ERR_NO_MEM;
    }
    for (size_t i = 0; i < storage->page_count; i++) {
        nvs_page_t *page = &storage->pages[i];
        page->partition = storage->partition;
        page->cipher = storage->cipher;
        page->offset = (uint32_t)(i * NVS_PAGE_BYTES);
        const esp_err_t err = nvs_page_load(page);
        if (err != ESP_OK) {
            return err;
        }
        if (nvs_page_is_in_use(page)) {
            insert_used(storage, page);
        } else {
            storage->spare[storage->spare_count++] = page;
        }
    }
    if (storage->used_count == 0) {
        return activate_page(storage);
    }
    storage->next_sequence_number = nvs_storage_current_page(storage)->sequence_number + 1;
    if (storage->partition->readonly) {
        return ESP_OK;
    }
    erase_duplicate_of_last(storage);
    const esp_err_t err = resume_freeing(storage);
    if (err != ESP_OK) {
        return err;
    }
    return storage->spare_count == 0 ? ESP_ERR_NVS_NO_FREE_PAGES : ESP_OK;
}
