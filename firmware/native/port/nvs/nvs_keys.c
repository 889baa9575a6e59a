/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The keys of encrypted partitions, from the partition of subtype nvs_keys: two keys of 32 bytes and their CRC.
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_api.cpp and components/nvs_sec_provider/nvs_sec_provider.c
 * (the scheme that keeps them in a partition). A chip has its flash encryption make new keys, and here is none: they
 * come from the host's random generator.
 */
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "crc32.h"
#include "nvs_flash.h"

typedef struct {
    nvs_sec_cfg_t keys;
    uint32_t crc32;
} key_partition_t;

static uint32_t crc32_of(const nvs_sec_cfg_t *keys)
{
    return crc32_le(0xFFFFFFFF, keys, sizeof(*keys));
}

static bool is_erased(const key_partition_t *stored)
{
    static const uint8_t ONES[4] = {0xFF, 0xFF, 0xFF, 0xFF};
    const uint8_t *bytes = (const uint8_t *)stored;
    return memcmp(bytes, ONES, sizeof(ONES)) == 0 && memcmp(bytes, bytes + 1, sizeof(*stored) - 1) == 0;
}

esp_err_t nvs_flash_read_security_cfg(const esp_partition_t *partition, nvs_sec_cfg_t *keys)
{
    if (partition == NULL || keys == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    key_partition_t stored;
    const esp_err_t err = esp_partition_read(partition, 0, &stored, sizeof(stored));
    if (err != ESP_OK) {
        return err;
    }
    if (is_erased(&stored)) {
        return ESP_ERR_NVS_KEYS_NOT_INITIALIZED;
    }
    *keys = stored.keys;
    return stored.crc32 == crc32_of(keys) ? ESP_OK : ESP_ERR_NVS_CORRUPT_KEY_PART;
}

esp_err_t nvs_flash_generate_keys(const esp_partition_t *partition, nvs_sec_cfg_t *keys)
{
    if (partition == NULL || keys == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (getrandom(keys, sizeof(*keys), 0) != sizeof(*keys)) {
        return ESP_FAIL;
    }
    const key_partition_t stored = {.keys = *keys, .crc32 = crc32_of(keys)};
    const esp_err_t err = esp_partition_erase_range(partition, 0, partition->size);
    return err == ESP_OK ? esp_partition_write(partition, 0, &stored, sizeof(stored)) : err;
}

static const esp_partition_t *find_key_partition(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS_KEYS, NULL);
}

nvs_sec_scheme_t *nvs_flash_get_default_security_scheme(void)
{
    static nvs_sec_scheme_t scheme;
    return &scheme;
}

esp_err_t nvs_flash_read_security_cfg_v2(nvs_sec_scheme_t *scheme, nvs_sec_cfg_t *keys)
{
    (void)scheme;
    return nvs_flash_read_security_cfg(find_key_partition(), keys);
}

esp_err_t nvs_flash_generate_keys_v2(nvs_sec_scheme_t *scheme, nvs_sec_cfg_t *keys)
{
    (void)scheme;
    return nvs_flash_generate_keys(find_key_partition(), keys);
}
