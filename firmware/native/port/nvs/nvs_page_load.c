/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_page.cpp, Page::load and Page::mLoadEntryTable.
 */
#include <string.h>

#include "nvs.h"
#include "nvs_page_private.h"

static bool is_blank(const nvs_page_image_t *image)
{
    const uint8_t *bytes = (const uint8_t *)image;
    return bytes[0] == 0xFF && memcmp(bytes, bytes + 1, sizeof(*image) - 1) == 0;
}

static void count_entries(nvs_page_t *page)
{
    for (size_t i = 0; i < NVS_ENTRIES_PER_PAGE; i++) {
        if (nvs_page_entry_state(page, i) == NVS_ENTRY_WRITTEN) {
            page->used_count++;
            if (page->first_used == NVS_ENTRY_NONE) {
                page->first_used = i;
            }
        }
    }
}

/* If the power went while an entry was written, the entry is there and its state is not: it counts as erased. */
static esp_err_t find_next_free(nvs_page_t *page)
{
    size_t i = 0;
    while (i < NVS_ENTRIES_PER_PAGE && nvs_page_entry_state(page, i) != NVS_ENTRY_EMPTY) {
        i++;
    }
    page->next_free = i < NVS_ENTRIES_PER_PAGE ? i : NVS_ENTRY_NONE;
    for (; i < NVS_ENTRIES_PER_PAGE; i++, page->next_free++) {
        uint32_t first_word;
        memcpy(&first_word, &page->flash.entries[i], sizeof(first_word));
        if (first_word == 0xFFFFFFFF) {
            break;
        }
        if (nvs_page_entry_state(page, i) == NVS_ENTRY_WRITTEN) {
            page->used_count--;
        }
        const esp_err_t err = nvs_page_alter_entry(page, i, NVS_ENTRY_ERASED);
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}

static bool is_wholly_written(const nvs_page_t *page, size_t index, size_t span)
{
    for (size_t i = index; i < index + span; i++) {
        if (nvs_page_entry_state(page, i) != NVS_ENTRY_WRITTEN) {
            return false;
        }
    }
    return true;
}

/* If the power went after a new value was written and before the old one was erased, the older of the two goes. */
static esp_err_t erase_duplicate_of_last(nvs_page_t *page, const nvs_entry_t *last, size_t last_index)
{
    const nvs_query_t query = {
        .namespace_index = last->namespace_index,
        .type = last->type,
        .chunk_index = NVS_CHUNK_ANY,
        .chunk_start = NVS_CHUNK_START_ANY,
        .key = last->key,
    };
    nvs_entry_t duplicate;
    size_t index = 0;
    if (nvs_page_find(page, &query, &index, &duplicate) != ESP_OK || index >= last_index) {
        return ESP_OK;
    }
    return nvs_page_erase_item(page, index);
}

static esp_err_t check_active(nvs_page_t *page)
{
    esp_err_t err = find_next_free(page);
    if (err != ESP_OK) {
        return err;
    }
    const size_t end = nvs_page_end(page);
    nvs_entry_t entry = {0};
    size_t last_index = NVS_ENTRY_NONE;
    size_t span;
    for (size_t i = 0; i < end; i += span) {
        span = 1;
        const nvs_entry_state_t state = nvs_page_entry_state(page, i);
        if (state == NVS_ENTRY_ERASED) {
            last_index = NVS_ENTRY_NONE;
            continue;
        }
        last_index = state == NVS_ENTRY_ILLEGAL ? NVS_ENTRY_NONE : i;
        if (state != NVS_ENTRY_ILLEGAL) {
            entry = page->entries[i];
        }
        if (state == NVS_ENTRY_ILLEGAL || !nvs_entry_is_consistent(&entry, i)) {
            err = nvs_page_erase_item(page, i);
            if (err != ESP_OK) {
                return err;
            }
            continue;
        }
        page->hashes[i] = nvs_entry_hash(&entry);
        const size_t duplicate = nvs_page_find_hash(page, 0, page->hashes[i]);
        if (nvs_is_variable(entry.type)) {
            span = entry.span;
            if (!is_wholly_written(page, i, span)) {
                last_index = NVS_ENTRY_NONE;
                (void)nvs_page_erase_item(page, i); /* nvs_flash goes on if this fails */
                continue;
            }
        }
        if (duplicate < i) {
            (void)nvs_page_erase_item(page, duplicate); /* likewise */
        }
    }
    return last_index == NVS_ENTRY_NONE ? ESP_OK : erase_duplicate_of_last(page, &entry, last_index);
}

static esp_err_t check_full(nvs_page_t *page)
{
    for (size_t i = page->first_used; i < NVS_ENTRIES_PER_PAGE; i++) {
        if (nvs_page_entry_state(page, i) != NVS_ENTRY_WRITTEN) {
            continue;
        }
        const nvs_entry_t entry = page->entries[i];
        if (!nvs_entry_is_consistent(&entry, i)) {
            const esp_err_t err = nvs_page_erase_item(page, i);
            if (err != ESP_OK) {
                return err;
            }
            continue;
        }
        page->hashes[i] = nvs_entry_hash(&entry);
        if (nvs_is_variable(entry.type) && !is_wholly_written(page, i, entry.span)) {
            (void)nvs_page_erase_item(page, i); /* nvs_flash goes on if this fails */
        }
        i += entry.span - 1u;
    }
    return ESP_OK;
}

static esp_err_t load_entries(nvs_page_t *page)
{
    memcpy(page->states, page->flash.states, sizeof(page->states));
    count_entries(page);
    const esp_err_t err = page->state == NVS_PAGE_ACTIVE ? check_active(page) : check_full(page);
    if (err != ESP_OK) {
        page->state = NVS_PAGE_INVALID;
    }
    return err;
}

esp_err_t nvs_page_load(nvs_page_t *page)
{
    page->version = NVS_VERSION_2;
    nvs_page_forget(page, NVS_PAGE_INVALID);
    const esp_err_t err = esp_partition_read(page->partition, page->offset, &page->flash, sizeof(page->flash));
    if (err != ESP_OK) {
        return err;
    }
    nvs_page_decrypt(page, 0, NVS_ENTRIES_PER_PAGE);
    const nvs_page_header_t *header = &page->flash.header;
    if (header->state == NVS_PAGE_UNINITIALIZED) {
        page->state = is_blank(&page->flash) ? NVS_PAGE_UNINITIALIZED : NVS_PAGE_CORRUPT;
        return ESP_OK;
    }
    page->state = NVS_PAGE_CORRUPT;
    if (header->crc32 != nvs_page_header_crc32(header)) {
        return ESP_OK;
    }
    if (header->version < NVS_VERSION_2) {
        return ESP_ERR_NVS_NEW_VERSION_FOUND;
    }
    page->sequence_number = header->sequence_number;
    page->version = header->version;
    if (header->state != NVS_PAGE_ACTIVE && header->state != NVS_PAGE_FULL && header->state != NVS_PAGE_FREEING) {
        return ESP_OK;
    }
    page->state = (nvs_page_state_t)header->state;
    return load_entries(page);
}
