/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Mounted partitions.
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_api.cpp and nvs_partition_manager.cpp.
 */
#include "nvs_lock.h"
#include "nvs_mounts.h"

#include <string.h>

#include "esp_log.h"
#include "nvs_flash.h"
#include "nvs_handles.h"
#include "sdkconfig.h"

static nvs_storage_t *s_storages;

nvs_storage_t *nvs_mounted(const char *label)
{
    nvs_storage_t *storage = s_storages;
    while (storage != NULL && strcmp(storage->partition->label, label) != 0) {
        storage = storage->next;
    }
    return storage;
}

bool nvs_is_anything_mounted(void)
{
    return s_storages != NULL;
}

static esp_err_t mount(const char *label, const nvs_sec_cfg_t *keys)
{
    NVS_LOCK();
    if (strlen(label) > NVS_PART_NAME_MAX_SIZE) {
        return ESP_ERR_INVALID_ARG;
    }
    if (nvs_mounted(label) != NULL) {
        return ESP_OK;
    }
    const esp_partition_t *partition =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, label);
    if (partition == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (partition->encrypted) {
        return ESP_ERR_NVS_WRONG_ENCRYPTION;
    }
    nvs_storage_t *storage;
    const esp_err_t err = nvs_storage_open(partition, (const uint8_t *)keys, &storage);
    if (err == ESP_OK) {
        storage->next = s_storages;
        s_storages = storage;
    }
    return err;
}

esp_err_t nvs_flash_init_partition(const char *label)
{
    return mount(label, NULL);
}

esp_err_t nvs_flash_secure_init_partition(const char *label, nvs_sec_cfg_t *keys)
{
    return mount(label, keys);
}

#if CONFIG_NVS_ENCRYPTION
static const char *TAG = "nvs";

esp_err_t nvs_flash_init(void)
{
    nvs_sec_cfg_t keys;
    nvs_sec_scheme_t *scheme = nvs_flash_get_default_security_scheme();
    esp_err_t err = nvs_flash_read_security_cfg_v2(scheme, &keys);
    if (err != ESP_OK) {
        ESP_LOGW(TAG, "no NVS keys (%s): making new ones", esp_err_to_name(err));
        err = nvs_flash_generate_keys_v2(scheme, &keys);
    }
    return err == ESP_OK ? mount(NVS_DEFAULT_PART_NAME, &keys) : err;
}
#else
esp_err_t nvs_flash_init(void)
{
    return mount(NVS_DEFAULT_PART_NAME, NULL);
}
#endif

esp_err_t nvs_flash_deinit_partition(const char *label)
{
    NVS_LOCK();
    nvs_storage_t *storage = nvs_mounted(label);
    if (storage == NULL) {
        return ESP_ERR_NVS_NOT_INITIALIZED;
    }
    nvs_handles_close(storage);
    for (nvs_storage_t **link = &s_storages; *link != NULL; link = &(*link)->next) {
        if (*link == storage) {
            *link = storage->next;
            break;
        }
    }
    nvs_storage_close(storage);
    return ESP_OK;
}

esp_err_t nvs_flash_deinit(void)
{
    return nvs_flash_deinit_partition(NVS_DEFAULT_PART_NAME);
}

esp_err_t nvs_flash_erase_partition(const char *label)
{
    if (nvs_mounted(label) != NULL) {
        (void)nvs_flash_deinit_partition(label);
    }
    const esp_partition_t *partition =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, label);
    return partition == NULL ? ESP_ERR_NOT_FOUND : esp_partition_erase_range(partition, 0, partition->size);
}

esp_err_t nvs_flash_erase(void)
{
    return nvs_flash_erase_partition(NVS_DEFAULT_PART_NAME);
}
