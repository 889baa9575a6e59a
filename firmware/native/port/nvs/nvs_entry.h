/*
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>

#include "nvs_format.h"

/** Whether items of this type keep their data in the entries that follow. */
bool nvs_is_variable(uint8_t type);

/** The CRC that belongs into the entry. */
uint32_t nvs_entry_crc32(const nvs_entry_t *entry);

/** Never an nvs_entry_hash(). */
#define NVS_HASH_NONE 0xFFFFFFFFu

/**
 * Hash of namespace, key and chunk: 24 bits, as in nvs_flash.
 *
 * It takes two keys of one hash for one item: when the page is mounted, the first of them is erased as a duplicate.
 */
uint32_t nvs_entry_hash(const nvs_entry_t *entry);

/** Whether an entry at `index` of a page is intact: CRC, type, span and size. */
bool nvs_entry_is_consistent(const nvs_entry_t *entry, size_t index);
