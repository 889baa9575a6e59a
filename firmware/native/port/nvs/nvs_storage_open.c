/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Mounting and unmounting.
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_storage.cpp.
 */
#include <stdlib.h>

#include "nvs_blob.h"
#include "nvs_pages.h"
#include "nvs_storage.h"

static esp_err_t list_namespaces(nvs_storage_t *storage)
{
    const nvs_query_t query = nvs_query_type(NVS_NAMESPACE_OF_NAMESPACES, NVS_ITEM_U8, NULL);
    for (size_t p = 0; p < storage->used_count; p++) {
        nvs_entry_t entry;
        for (size_t i = 0; nvs_page_find(storage->used[p], &query, &i, &entry) == ESP_OK; i += entry.span) {
            const esp_err_t err = nvs_storage_add_namespace(storage, entry.key, entry.data[0]);
            if (err != ESP_OK) {
                return err;
            }
        }
    }
    return ESP_OK;
}

static esp_err_t set_key(nvs_storage_t *storage, const uint8_t *key)
{
    if (key == NULL) {
        return ESP_OK;
    }
    storage->cipher = malloc(sizeof(*storage->cipher));
    if (storage->cipher == NULL) {
        return ESP_ERR_NO_MEM;
    }
    aes_xts_set_key(storage->cipher, key);
    return ESP_OK;
}

esp_err_t nvs_storage_open(const esp_partition_t *partition, const uint8_t *key, nvs_storage_t **out)
{
    nvs_storage_t *storage = calloc(1, sizeof(*storage));
    if (storage == NULL) {
        return ESP_ERR_NO_MEM;
    }
    storage->partition = partition;
    esp_err_t err = set_key(storage, key);
    if (err == ESP_OK) {
        err = nvs_pages_load(storage);
    }
    if (err == ESP_OK) {
        err = list_namespaces(storage);
    }
    if (err == ESP_OK) {
        err = nvs_blob_check_all(storage);
    }
    if (err != ESP_OK) {
        nvs_storage_close(storage);
        return err;
    }
    *out = storage;
    return ESP_OK;
}

void nvs_storage_close(nvs_storage_t *storage)
{
    free(storage->cipher);
    free(storage->pages);
    free(storage->used);
    free(storage->spare);
    free(storage->namespaces);
    free(storage);
}
