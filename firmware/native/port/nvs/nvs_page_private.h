/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the files of a page share. nvs_page_flash.c, which has all of this, lies below nvs_page.c (finding and reading); on
 * top of both lie nvs_page_write.c and nvs_page_load.c.
 */
#pragma once

#include "nvs_page.h"

#define NVS_STATES_PER_WORD 16u
#define NVS_STATE_MASK 3u

/** One more than the last entry that may be written: next_free, or all entries if there is no free one. */
size_t nvs_page_end(const nvs_page_t *page);

/** Decrypt the entries from `begin` to before `end` anew: the flash has changed there. */
void nvs_page_decrypt(nvs_page_t *page, size_t begin, size_t end);

/** The state of an entry, as far as it is known. */
nvs_entry_state_t nvs_page_entry_state(const nvs_page_t *page, size_t index);

/** Program the flash and, if it does not refuse, what is known of it: programming clears bits. */
esp_err_t nvs_page_program(nvs_page_t *page, size_t offset, const void *data, size_t size);

/** Change the state of an entry, in memory and then in flash. */
esp_err_t nvs_page_alter_entry(nvs_page_t *page, size_t index, nvs_entry_state_t state);

/** Change the states of entries, from the last to the first: after a power cut the header entry tells what was there. */
esp_err_t nvs_page_alter_range(nvs_page_t *page, size_t begin, size_t end, nvs_entry_state_t state);

/** Change the state of the page. */
esp_err_t nvs_page_alter(nvs_page_t *page, nvs_page_state_t state);

/** The first entry from `start` on that has this hash, or NVS_ENTRY_NONE. */
size_t nvs_page_find_hash(const nvs_page_t *page, size_t start, uint32_t hash);

/** The CRC that belongs into the header. */
uint32_t nvs_page_header_crc32(const nvs_page_header_t *header);

/** Make the page one without entries, in memory. */
void nvs_page_forget(nvs_page_t *page, nvs_page_state_t state);
