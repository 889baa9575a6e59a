/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Writing and erasing.
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_page.cpp.
 */
#include "nvs_page.h"

#include <stddef.h>
#include <string.h>

#include "crc32.h"
#include "nvs.h"
#include "nvs_page_private.h"

static esp_err_t initialize(nvs_page_t *page)
{
    nvs_page_header_t header = {
        .state = NVS_PAGE_ACTIVE,
        .sequence_number = page->sequence_number,
        .version = page->version,
    };
    memset(header.reserved, 0xFF, sizeof(header.reserved));
    header.crc32 = nvs_page_header_crc32(&header);
    page->state = NVS_PAGE_ACTIVE;
    const esp_err_t err = nvs_page_program(page, 0, &header, sizeof(header));
    if (err != ESP_OK) {
        page->state = NVS_PAGE_INVALID;
        return err;
    }
    page->next_free = 0;
    memset(page->states, 0xFF, sizeof(page->states));
    return ESP_OK;
}

esp_err_t nvs_page_find_and_erase(nvs_page_t *page, const nvs_query_t *query)
{
    nvs_entry_t entry;
    size_t index = 0;
    const esp_err_t err = nvs_page_find(page, query, &index, &entry);
    return err != ESP_OK ? err : nvs_page_erase_item(page, index);
}

static esp_err_t program_entries(nvs_page_t *page, size_t index, const nvs_entry_t *entries, size_t count)
{
    nvs_entry_t stored[NVS_ENTRIES_PER_PAGE];
    memcpy(stored, entries, count * NVS_ENTRY_BYTES);
    for (size_t i = 0; i < count && page->cipher != NULL; i++) {
        aes_xts_encrypt(page->cipher, page->offset + NVS_ENTRY_OFFSET(index + i), &stored[i], NVS_ENTRY_BYTES);
    }
    const esp_err_t err = nvs_page_program(page, NVS_ENTRY_OFFSET(index), stored, count * NVS_ENTRY_BYTES);
    if (err == ESP_OK) {
        nvs_page_decrypt(page, index, index + count);
    }
    return err;
}

/* The entry first, its state after it: a power cut in between leaves an entry that was never written. */
static esp_err_t write_entries(nvs_page_t *page, const nvs_entry_t *entries, size_t count)
{
    esp_err_t err = program_entries(page, page->next_free, entries, count);
    if (err != ESP_OK) {
        page->state = NVS_PAGE_INVALID;
        return err;
    }
    err = count == 1 ? nvs_page_alter_entry(page, page->next_free, NVS_ENTRY_WRITTEN)
                     : nvs_page_alter_range(page, page->next_free, page->next_free + count, NVS_ENTRY_WRITTEN);
    if (err != ESP_OK) {
        return err;
    }
    if (page->first_used == NVS_ENTRY_NONE) {
        page->first_used = page->next_free;
    }
    page->used_count = (uint16_t)(page->used_count + count);
    page->next_free += count;
    return ESP_OK;
}

static nvs_entry_t entry_of(const nvs_value_t *value, size_t span)
{
    nvs_entry_t entry;
    memset(&entry, 0xFF, sizeof(entry));
    entry.namespace_index = value->namespace_index;
    entry.type = value->type;
    entry.span = (uint8_t)span;
    entry.chunk_index = value->chunk_index;
    memset(entry.key, 0, sizeof(entry.key));
    memcpy(entry.key, value->key, strlen(value->key));
    if (nvs_is_variable(value->type)) {
        entry.variable.size = (uint16_t)value->size;
        entry.variable.data_crc32 = crc32_le(0xFFFFFFFF, value->data, value->size);
    } else {
        memcpy(entry.data, value->data, value->size);
    }
    entry.crc32 = nvs_entry_crc32(&entry);
    return entry;
}

static esp_err_t write_data(nvs_page_t *page, const uint8_t *data, size_t size)
{
    const size_t whole = size / NVS_ENTRY_BYTES;
    nvs_entry_t entries[NVS_ENTRIES_PER_PAGE];
    memset(entries, 0xFF, sizeof(entries));
    memcpy(entries, data, size);
    if (whole > 0) {
        const esp_err_t err = write_entries(page, entries, whole);
        if (err != ESP_OK) {
            return err;
        }
    }
    return size % NVS_ENTRY_BYTES == 0 ? ESP_OK : write_entries(page, &entries[whole], 1);
}

esp_err_t nvs_page_write(nvs_page_t *page, const nvs_value_t *value)
{
    if (page->state == NVS_PAGE_INVALID) {
        return ESP_ERR_NVS_INVALID_STATE;
    }
    if (page->state == NVS_PAGE_UNINITIALIZED) {
        const esp_err_t err = initialize(page);
        if (err != ESP_OK) {
            return err;
        }
    }
    if (page->state == NVS_PAGE_FULL) {
        return ESP_ERR_NVS_PAGE_FULL;
    }
    if (strlen(value->key) > NVS_KEY_CHARS_MAX) {
        return ESP_ERR_NVS_KEY_TOO_LONG;
    }
    if (value->size > NVS_CHUNK_BYTES_MAX) {
        return ESP_ERR_NVS_VALUE_TOO_LONG;
    }
    const bool is_variable = nvs_is_variable(value->type);
    const size_t span = 1 + (is_variable ? (value->size + NVS_ENTRY_BYTES - 1) / NVS_ENTRY_BYTES : 0);
    if (page->next_free == NVS_ENTRY_NONE || page->next_free + span > NVS_ENTRIES_PER_PAGE) {
        return ESP_ERR_NVS_PAGE_FULL;
    }
    const nvs_entry_t entry = entry_of(value, span);
    page->hashes[page->next_free] = nvs_entry_hash(&entry);
    const esp_err_t err = write_entries(page, &entry, 1);
    return err != ESP_OK || !is_variable ? err : write_data(page, value->data, value->size);
}

esp_err_t nvs_page_mark_full(nvs_page_t *page)
{
    return page->state == NVS_PAGE_ACTIVE ? nvs_page_alter(page, NVS_PAGE_FULL) : ESP_ERR_NVS_INVALID_STATE;
}

esp_err_t nvs_page_mark_freeing(nvs_page_t *page)
{
    const bool allowed = page->state == NVS_PAGE_FULL || page->state == NVS_PAGE_ACTIVE;
    return allowed ? nvs_page_alter(page, NVS_PAGE_FREEING) : ESP_ERR_NVS_INVALID_STATE;
}

esp_err_t nvs_page_copy(const nvs_page_t *page, nvs_page_t *target)
{
    if (page->first_used == NVS_ENTRY_NONE) {
        return ESP_ERR_NVS_NOT_FOUND;
    }
    if (target->state == NVS_PAGE_UNINITIALIZED) {
        const esp_err_t err = initialize(target);
        if (err != ESP_OK) {
            return err;
        }
    }
    for (size_t i = page->first_used; i < NVS_ENTRIES_PER_PAGE;) {
        if (nvs_page_entry_state(page, i) != NVS_ENTRY_WRITTEN) {
            i++;
            continue;
        }
        const size_t end = i + page->entries[i].span;
        if (end > NVS_ENTRIES_PER_PAGE) {
            return ESP_FAIL;
        }
        /* A damaged entry may have span 0: as in nvs_flash it is copied over and over, until the other page is full. */
        size_t from = i;
        do {
            if (target->next_free >= NVS_ENTRIES_PER_PAGE) {
                return ESP_ERR_INVALID_ARG;
            }
            if (from == i) {
                target->hashes[target->next_free] = nvs_entry_hash(&page->entries[i]);
            }
            const esp_err_t err = write_entries(target, &page->entries[from], 1);
            if (err != ESP_OK) {
                return err;
            }
        } while (++from < end);
        i = end;
    }
    return ESP_OK;
}
