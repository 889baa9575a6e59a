/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "esp_log.h"
#include "factory_data_private.h"

#if !CONFIG_IDF_TARGET_LINUX
#include "esp_mac.h"
#endif

#define MAC_BYTES 6
#define TEXT_BYTES_MAX sizeof("00:11:22:33:44:55")
#define HEX "0123456789abcdefABCDEF"
#define MULTICAST 0x01
#define LOCALLY_ADMINISTERED 0x02

static const char *TAG = "factory_data";

/* Six bytes in hexadecimal, with ':' or '-' in between or with nothing. */
static bool parse(const char *text, uint8_t mac[MAC_BYTES])
{
    const size_t step = strlen(text) == 2 * MAC_BYTES ? 2 : 3;
    if (strlen(text) != step * MAC_BYTES - (step - 2)) {
        return false;
    }
    for (size_t i = 0; i < MAC_BYTES; i++) {
        const char *digits = text + i * step;
        unsigned byte = 0;
        if (strspn(digits, HEX) < 2 || (step == 3 && i > 0 && digits[-1] != text[2]) || sscanf(digits, "%2x", &byte) != 1) {
            return false;
        }
        mac[i] = (uint8_t)byte;
    }
    return step == 2 || text[2] == ':' || text[2] == '-';
}

static esp_err_t read_mac(factory_data_handle_t handle, const char *key, uint8_t mac[MAC_BYTES])
{
    char text[TEXT_BYTES_MAX];
    size_t size = sizeof(text);
    esp_err_t err = factory_data_get_str(handle, key, text, &size);
    if (err == ESP_OK) {
        return parse(text, mac) ? ESP_OK : ESP_ERR_INVALID_MAC;
    }
    if (err == ESP_ERR_NVS_NOT_FOUND) {
        size = MAC_BYTES;
        err = factory_data_get_blob(handle, key, mac, &size);
        if (err == ESP_OK && size != MAC_BYTES) {
            return ESP_ERR_INVALID_MAC;
        }
    }
    return err == ESP_ERR_NVS_INVALID_LENGTH ? ESP_ERR_INVALID_MAC : err;
}

/* Why it cannot be a base MAC, or NULL. */
static const char *fault_of(const uint8_t mac[MAC_BYTES])
{
    static const uint8_t NONE[MAC_BYTES];
    if ((mac[0] & MULTICAST) != 0) { /* ff:ff:ff:ff:ff:ff too */
        return "it is a multicast address";
    }
    if (memcmp(mac, NONE, sizeof(NONE)) == 0) {
        return "it is all zero";
    }
#ifdef CONFIG_ESP_MAC_UNIVERSAL_MAC_ADDRESSES
    if (mac[MAC_BYTES - 1] % CONFIG_ESP_MAC_UNIVERSAL_MAC_ADDRESSES != 0) {
        return "its last byte is no multiple of CONFIG_ESP_MAC_UNIVERSAL_MAC_ADDRESSES, so that another device may have an "
               "address that is made of it";
    }
#endif
    return NULL;
}

static esp_err_t set_base_mac(const uint8_t mac[MAC_BYTES])
{
#if CONFIG_IDF_TARGET_LINUX
    (void)mac;
    return ESP_ERR_NOT_SUPPORTED;
#else
    return esp_iface_mac_addr_set(mac, ESP_MAC_BASE);
#endif
}

esp_err_t factory_data_apply_mac(factory_data_handle_t handle, const char *key)
{
    uint8_t mac[MAC_BYTES];
    if (handle == NULL || key == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    const esp_err_t err = read_mac(handle, key, mac);
    const char *fault = err == ESP_OK ? fault_of(mac) : err == ESP_ERR_INVALID_MAC ? "it is no MAC address" : NULL;
    if (fault != NULL) {
        ESP_LOGE(TAG, "'%s' does not become the base MAC: %s", key, fault);
        return ESP_ERR_INVALID_MAC;
    }
    if (err != ESP_OK) {
        return err;
    }
    if ((mac[0] & LOCALLY_ADMINISTERED) != 0) {
        ESP_LOGW(TAG, "'%s' is a locally administered MAC address: nobody keeps others from having it", key);
    }
    return set_base_mac(mac);
}
