/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A page and the flash: states of entries and of the page, erasing.
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_page.cpp.
 */
#include <stddef.h>
#include <string.h>

#include "crc32.h"
#include "nvs_page_private.h"

nvs_entry_state_t nvs_page_entry_state(const nvs_page_t *page, size_t index)
{
    const unsigned shift = 2 * (index % NVS_STATES_PER_WORD);
    return (nvs_entry_state_t)(page->states[index / NVS_STATES_PER_WORD] >> shift & NVS_STATE_MASK);
}

size_t nvs_page_end(const nvs_page_t *page)
{
    return page->next_free < NVS_ENTRIES_PER_PAGE ? page->next_free : NVS_ENTRIES_PER_PAGE;
}

uint32_t nvs_page_header_crc32(const nvs_page_header_t *header)
{
    const size_t begin = offsetof(nvs_page_header_t, sequence_number);
    return crc32_le(0xFFFFFFFF, (const uint8_t *)header + begin, offsetof(nvs_page_header_t, crc32) - begin);
}

bool nvs_page_is_in_use(const nvs_page_t *page)
{
    return page->state == NVS_PAGE_ACTIVE || page->state == NVS_PAGE_FULL || page->state == NVS_PAGE_FREEING;
}

size_t nvs_page_find_hash(const nvs_page_t *page, size_t start, uint32_t hash)
{
    for (size_t i = start; i < NVS_ENTRIES_PER_PAGE; i++) {
        if (page->hashes[i] == hash) {
            return i;
        }
    }
    return NVS_ENTRY_NONE;
}

void nvs_page_decrypt(nvs_page_t *page, size_t begin, size_t end)
{
    memcpy(&page->entries[begin], &page->flash.entries[begin], (end - begin) * NVS_ENTRY_BYTES);
    for (size_t i = begin; i < end && page->cipher != NULL; i++) {
        aes_xts_decrypt(page->cipher, page->offset + NVS_ENTRY_OFFSET(i), &page->entries[i], NVS_ENTRY_BYTES);
    }
}

static void set_entry_state(nvs_page_t *page, size_t index, nvs_entry_state_t state)
{
    const unsigned shift = 2 * (index % NVS_STATES_PER_WORD);
    uint32_t *word = &page->states[index / NVS_STATES_PER_WORD];
    *word = (*word & ~(NVS_STATE_MASK << shift)) | (uint32_t)state << shift;
}

esp_err_t nvs_page_program(nvs_page_t *page, size_t offset, const void *data, size_t size)
{
    const esp_err_t err = esp_partition_write(page->partition, page->offset + offset, data, size);
    if (err == ESP_OK) {
        const uint8_t *bytes = data;
        uint8_t *known = (uint8_t *)&page->flash + offset;
        for (size_t i = 0; i < size; i++) {
            known[i] &= bytes[i];
        }
    }
    return err;
}

static esp_err_t program_state_word(nvs_page_t *page, size_t word)
{
    return nvs_page_program(page, offsetof(nvs_page_image_t, states) + 4 * word, &page->states[word], 4);
}

esp_err_t nvs_page_alter_entry(nvs_page_t *page, size_t index, nvs_entry_state_t state)
{
    set_entry_state(page, index, state);
    const esp_err_t err = program_state_word(page, index / NVS_STATES_PER_WORD);
    if (err != ESP_OK) {
        page->state = NVS_PAGE_INVALID;
    }
    return err;
}

esp_err_t nvs_page_alter_range(nvs_page_t *page, size_t begin, size_t end, nvs_entry_state_t state)
{
    for (size_t i = end; i-- > begin;) {
        set_entry_state(page, i, state);
        if (i == begin || i % NVS_STATES_PER_WORD == 0) {
            const esp_err_t err = program_state_word(page, i / NVS_STATES_PER_WORD);
            if (err != ESP_OK) {
                return err;
            }
        }
    }
    return ESP_OK;
}

esp_err_t nvs_page_alter(nvs_page_t *page, nvs_page_state_t state)
{
    const uint32_t word = (uint32_t)state;
    const esp_err_t err = nvs_page_program(page, offsetof(nvs_page_image_t, header.state), &word, sizeof(word));
    page->state = err == ESP_OK ? state : NVS_PAGE_INVALID;
    return err;
}

static void update_first_used(nvs_page_t *page, size_t index, size_t span)
{
    const size_t end = nvs_page_end(page);
    page->first_used = NVS_ENTRY_NONE;
    for (size_t i = index + span; i < end && page->first_used == NVS_ENTRY_NONE; i++) {
        if (nvs_page_entry_state(page, i) == NVS_ENTRY_WRITTEN) {
            page->first_used = i;
        }
    }
}

esp_err_t nvs_page_erase_item(nvs_page_t *page, size_t index)
{
    size_t span = 1;
    if (nvs_page_entry_state(page, index) == NVS_ENTRY_WRITTEN) {
        const nvs_entry_t *entry = &page->entries[index];
        page->hashes[index] = NVS_HASH_NONE;
        span = nvs_entry_is_consistent(entry, index) ? entry->span : 1;
        for (size_t i = index; i < index + span; i++) {
            if (nvs_page_entry_state(page, i) == NVS_ENTRY_WRITTEN) {
                page->used_count--;
            }
        }
    }
    const esp_err_t err = span == 1 ? nvs_page_alter_entry(page, index, NVS_ENTRY_ERASED)
                                    : nvs_page_alter_range(page, index, index + span, NVS_ENTRY_ERASED);
    if (err != ESP_OK) {
        return err;
    }
    if (index == page->first_used) {
        update_first_used(page, index, span);
    }
    if (index + span > page->next_free) {
        page->next_free = index + span;
    }
    return ESP_OK;
}

void nvs_page_forget(nvs_page_t *page, nvs_page_state_t state)
{
    page->state = state;
    page->used_count = 0;
    page->first_used = NVS_ENTRY_NONE;
    page->next_free = NVS_ENTRY_NONE;
    memset(page->hashes, 0xFF, sizeof(page->hashes)); /* NVS_HASH_NONE */
}

esp_err_t nvs_page_erase(nvs_page_t *page)
{
    const esp_err_t err = esp_partition_erase_range(page->partition, page->offset, NVS_PAGE_BYTES);
    if (err != ESP_OK) {
        page->state = NVS_PAGE_INVALID;
        return err;
    }
    memset(&page->flash, 0xFF, sizeof(page->flash));
    nvs_page_forget(page, NVS_PAGE_UNINITIALIZED);
    return ESP_OK;
}
