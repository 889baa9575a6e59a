/*
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "nvs_storage.h"

/**
 * Load the pages of a storage, whose `partition` is set, and finish what a power cut interrupted.
 *
 * ESP_ERR_NVS_NO_FREE_PAGES if the partition is writable and has no empty page.
 */
esp_err_t nvs_pages_load(nvs_storage_t *storage);
