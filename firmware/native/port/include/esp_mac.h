/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Subset of ESP-IDF's esp_mac.h, v5.5.5.
 */
#pragma once

#include <stdint.h>

#include "esp_err.h"

typedef enum {
    ESP_MAC_BASE = 5,
    ESP_MAC_EFUSE_FACTORY = 6,
} esp_mac_type_t;

esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t type);
esp_err_t esp_iface_mac_addr_set(const uint8_t *mac, esp_mac_type_t type);
