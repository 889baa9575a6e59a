/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Subset of ESP-IDF's nvs_flash.h, v5.5.5.
 */
#pragma once

#include "nvs.h"

esp_err_t nvs_flash_init(void);
esp_err_t nvs_flash_init_partition(const char *label);
esp_err_t nvs_flash_deinit(void);
esp_err_t nvs_flash_deinit_partition(const char *label);
esp_err_t nvs_flash_erase(void);
esp_err_t nvs_flash_erase_partition(const char *label);
