/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the C interface share: mounted partitions, by label.
 */
#pragma once

#include "nvs_storage.h"

/** The mounted partition of this label, or NULL. */
nvs_storage_t *nvs_mounted(const char *label);

bool nvs_is_anything_mounted(void);

/** Close all handles to a partition that is about to be unmounted. */
void nvs_close_handles(const nvs_storage_t *storage);
