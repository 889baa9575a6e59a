/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Mounted partitions, by label. Below this lie handles, which unmounting closes, and storages.
 */
#pragma once

#include "nvs_storage.h"

/** The mounted partition of this label, or NULL. */
nvs_storage_t *nvs_mounted(const char *label);

bool nvs_is_anything_mounted(void);
