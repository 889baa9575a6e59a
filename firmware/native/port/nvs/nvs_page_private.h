/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What nvs_page.c, nvs_page_load.c and nvs_page_write.c share.
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

/** Change the state of an entry, in memory and then in flash. */
esp_err_t nvs_page_alter_entry(nvs_page_t *page, size_t index, nvs_entry_state_t state);

/** The first entry from `start` on that has this hash, or NVS_ENTRY_NONE. */
size_t nvs_page_find_hash(const nvs_page_t *page, size_t start, uint32_t hash);

/** The CRC that belongs into the header. */
uint32_t nvs_page_header_crc32(const nvs_page_header_t *header);

/** Make the page one without entries, in memory. */
void nvs_page_forget(nvs_page_t *page, nvs_page_state_t state);
