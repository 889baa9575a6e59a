/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Finding and reading.
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_page.cpp.
 */
#include "nvs_page.h"

#include <stddef.h>
#include <string.h>

#include "crc32.h"
#include "nvs.h"
#include "nvs_page_private.h"

static uint32_t hash_of(const nvs_query_t *query)
{
    nvs_entry_t entry = {.namespace_index = query->namespace_index, .chunk_index = query->chunk_index};
    memcpy(entry.key, query->key, strnlen(query->key, NVS_KEY_CHARS_MAX)); /* the rest of a longer key is ignored */
    return nvs_entry_hash(&entry);
}

typedef enum { SKIP, FOUND, OTHER_TYPE } match_t;

static match_t match(const nvs_query_t *query, const nvs_entry_t *entry)
{
    const bool any_chunk = query->chunk_index == NVS_CHUNK_ANY;
    if (query->namespace_index != NVS_NAMESPACE_ANY && query->namespace_index != entry->namespace_index) {
        return SKIP;
    }
    if (query->key != NULL && strncmp(query->key, entry->key, NVS_KEY_CHARS_MAX) != 0) {
        return SKIP;
    }
    /* The chunks of a blob and its index share namespace and key; whoever looks for one passes over the others. */
    if (query->type == NVS_ITEM_BLOB_DATA &&
        (any_chunk ? entry->type != NVS_ITEM_BLOB_DATA : entry->chunk_index != query->chunk_index)) {
        return SKIP;
    }
    if (query->type == NVS_ITEM_BLOB && any_chunk && entry->type == NVS_ITEM_BLOB_DATA) {
        return SKIP;
    }
    if (query->type == NVS_ITEM_BLOB_IDX &&
        (entry->chunk_index != NVS_CHUNK_ANY ||
         (query->chunk_start != NVS_CHUNK_START_ANY && query->chunk_start != entry->blob_index.chunk_start))) {
        return SKIP;
    }
    if (query->type == NVS_ITEM_ANY || query->type == entry->type) {
        return FOUND;
    }
    const bool all_of_type = query->key == NULL && query->namespace_index == NVS_NAMESPACE_ANY && any_chunk;
    return all_of_type ? SKIP : OTHER_TYPE;
}

esp_err_t nvs_page_find(nvs_page_t *page, const nvs_query_t *query, size_t *index, nvs_entry_t *entry)
{
    if (!nvs_page_is_in_use(page) || *index >= NVS_ENTRIES_PER_PAGE) {
        return ESP_ERR_NVS_NOT_FOUND;
    }
    size_t start = *index > page->first_used ? *index : page->first_used;
    const size_t end = nvs_page_end(page);
    const bool by_key = query->namespace_index != NVS_NAMESPACE_ANY && query->key != NULL &&
                        (query->type != NVS_ITEM_BLOB_DATA || query->chunk_index != NVS_CHUNK_ANY);
    if (by_key) {
        start = nvs_page_find_hash(page, start, hash_of(query));
    }
    size_t next;
    for (size_t i = start; i < end; i = next) {
        next = i + 1;
        if (nvs_page_entry_state(page, i) != NVS_ENTRY_WRITTEN) {
            continue;
        }
        *entry = page->entries[i];
        if (!nvs_entry_is_consistent(entry, i)) {
            const esp_err_t err = nvs_page_erase_item(page, i);
            if (err != ESP_OK) {
                page->state = NVS_PAGE_INVALID;
                return err;
            }
            continue;
        }
        if (nvs_is_variable(entry->type)) {
            next = i + entry->span;
        }
        const match_t result = match(query, entry);
        if (result != SKIP) {
            *index = i;
            return result == FOUND ? ESP_OK : ESP_ERR_NVS_TYPE_MISMATCH;
        }
    }
    return ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t nvs_page_read_data(nvs_page_t *page, const nvs_entry_t *entry, size_t index, void *data)
{
    if (page->state == NVS_PAGE_INVALID) {
        return ESP_ERR_NVS_INVALID_STATE;
    }
    /* Into the caller's buffer before the check, as nvs_flash does: a caller that ignores the error gets wrong bytes. */
    memcpy(data, &page->entries[index] + 1, entry->variable.size);
    if (crc32_le(0xFFFFFFFF, data, entry->variable.size) != entry->variable.data_crc32) {
        const esp_err_t err = nvs_page_erase_item(page, index);
        return err != ESP_OK ? err : ESP_ERR_NVS_NOT_FOUND;
    }
    return ESP_OK;
}

bool nvs_page_holds(const nvs_page_t *page, const nvs_entry_t *entry, size_t index, const void *data, size_t size)
{
    if (!nvs_is_variable(entry->type)) {
        return memcmp(entry->data, data, size) == 0;
    }
    /* An empty value is never found equal, and written again: nvs_flash compares a CRC that it has not begun with. */
    return size > 0 && size == entry->variable.size && memcmp(&page->entries[index] + 1, data, size) == 0 &&
           crc32_le(0xFFFFFFFF, data, size) == entry->variable.data_crc32;
}

size_t nvs_page_tailroom(const nvs_page_t *page)
{
    if (page->state == NVS_PAGE_UNINITIALIZED) {
        return NVS_CHUNK_BYTES_MAX;
    }
    if (page->state == NVS_PAGE_FULL || page->next_free >= NVS_ENTRIES_PER_PAGE - 1) {
        return 0;
    }
    return (NVS_ENTRIES_PER_PAGE - page->next_free - 1) * NVS_ENTRY_BYTES;
}
