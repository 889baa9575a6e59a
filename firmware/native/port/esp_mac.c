/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Source: ESP-IDF v5.5.5, components/esp_hw_support/mac_addr.c.
 */
#include "esp_mac.h"

#include <stdbool.h>
#include <string.h>

#include "bus.h"

static uint8_t s_base[6];
static bool s_has_base;

esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t type)
{
    bus_info_t info;
    if (type == ESP_MAC_BASE && s_has_base) {
        memcpy(mac, s_base, sizeof(s_base));
        return ESP_OK;
    }
    if (!bus_info(&info)) {
        return ESP_FAIL;
    }
    memcpy(mac, info.mac, sizeof(info.mac));
    return ESP_OK;
}

esp_err_t esp_iface_mac_addr_set(const uint8_t *mac, esp_mac_type_t type)
{
    if (type != ESP_MAC_BASE || (mac[0] & 1) != 0) {
        return ESP_ERR_INVALID_ARG;
    }
    memcpy(s_base, mac, sizeof(s_base));
    s_has_base = true;
    return ESP_OK;
}
