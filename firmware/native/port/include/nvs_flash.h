/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Subset of ESP-IDF's nvs_flash.h, v5.5.5.
 */
#pragma once

#include "esp_partition.h"
#include "nvs.h"

#define NVS_KEY_SIZE 32

typedef struct {
    uint8_t eky[NVS_KEY_SIZE];
    uint8_t tky[NVS_KEY_SIZE];
} nvs_sec_cfg_t;

/* Where keys come from. There is one scheme: the partition of subtype nvs_keys. */
typedef struct {
    int scheme_id;
} nvs_sec_scheme_t;

esp_err_t nvs_flash_init(void);
esp_err_t nvs_flash_init_partition(const char *label);
esp_err_t nvs_flash_deinit(void);
esp_err_t nvs_flash_deinit_partition(const char *label);
esp_err_t nvs_flash_erase(void);
esp_err_t nvs_flash_erase_partition(const char *label);

esp_err_t nvs_flash_secure_init_partition(const char *label, nvs_sec_cfg_t *keys);
esp_err_t nvs_flash_read_security_cfg(const esp_partition_t *partition, nvs_sec_cfg_t *keys);
esp_err_t nvs_flash_generate_keys(const esp_partition_t *partition, nvs_sec_cfg_t *keys);
nvs_sec_scheme_t *nvs_flash_get_default_security_scheme(void);
esp_err_t nvs_flash_read_security_cfg_v2(nvs_sec_scheme_t *scheme, nvs_sec_cfg_t *keys);
esp_err_t nvs_flash_generate_keys_v2(nvs_sec_scheme_t *scheme, nvs_sec_cfg_t *keys);
