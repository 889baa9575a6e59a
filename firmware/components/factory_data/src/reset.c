/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reset to factory, which a power cut may interrupt anywhere.
 *
 * 1. A mark is written to a sector that holds no settings: nvs_flash always keeps one. A mark that the power cut short is
 *    none; nvs_flash takes its sector for a broken page, which it erases when it needs it. Up to here, all settings are
 *    there. Nothing else makes the mark: nvs_flash writes no such page, and no erase that was cut short leaves one.
 * 2. All other sectors are erased. The mark stays, so that the next start erases them again.
 * 3. The mark's sector is erased. Whatever a power cut leaves of it, there are no settings any more.
 *
 * The factory partition is not touched at any point; on top of that, its flag `readonly` refuses it. All checks come before
 * the partition is unmounted.
 */
#include <stdint.h>
#include <string.h>

#include "esp_log.h"
#include "esp_partition.h"
#include "factory_data_private.h"
#include "nvs_flash.h"

#define NONE SIZE_MAX

/* Begins with what is no state of an NVS page. */
static const char MARK[32] = "fctry: reset to factory begun";

static const char *TAG = "factory_data";

/* Factory data is what menuconfig names, and what has been opened as such, but for ESP-IDF's own partition of settings. */
static bool is_factory_data(const char *label)
{
    return strcmp(label, CONFIG_FACTORY_DATA_PARTITION_LABEL) == 0 ||
           (strcmp(label, NVS_DEFAULT_PART_NAME) != 0 && factory_data_find_mount(label) != NULL);
}

static esp_err_t find_partition(const char *label, const esp_partition_t **partition)
{
    if (label == NULL || is_factory_data(label)) {
        return ESP_ERR_INVALID_ARG;
    }
    *partition = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, label);
    return *partition == NULL ? ESP_ERR_NOT_FOUND : ESP_OK;
}

typedef bool (*is_meant_t)(const esp_partition_t *partition, size_t offset);

/* The first sector that is meant, or NONE. */
static size_t find_sector(const esp_partition_t *partition, is_meant_t is_meant)
{
    for (size_t offset = 0; offset < partition->size; offset += partition->erase_size) {
        if (is_meant(partition, offset)) {
            return offset;
        }
    }
    return NONE;
}

static bool is_marked(const esp_partition_t *partition, size_t offset)
{
    char found[sizeof(MARK)];
    return esp_partition_read(partition, offset, found, sizeof(found)) == ESP_OK && memcmp(found, MARK, sizeof(MARK)) == 0;
}

static bool is_blank(const esp_partition_t *partition, size_t offset)
{
    uint8_t bytes[256];
    for (size_t done = 0; done < partition->erase_size; done += sizeof(bytes)) {
        if (esp_partition_read(partition, offset + done, bytes, sizeof(bytes)) != ESP_OK) {
            return false;
        }
        for (size_t i = 0; i < sizeof(bytes); i++) {
            if (bytes[i] != 0xFF) {
                return false;
            }
        }
    }
    return true;
}

/* Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_page.hpp, Page::PageState. */
static bool is_no_page(const esp_partition_t *partition, size_t offset)
{
    uint32_t state;
    return esp_partition_read(partition, offset, &state, sizeof(state)) == ESP_OK && state != 0xFFFFFFFE &&
           state != 0xFFFFFFFC && state != 0xFFFFFFF8;
}

/* A sector with the mark, in `*offset`. */
static esp_err_t write_mark(const esp_partition_t *partition, size_t *offset)
{
    *offset = find_sector(partition, is_marked);
    if (*offset != NONE) {
        return ESP_OK;
    }
    esp_err_t err = ESP_OK;
    *offset = find_sector(partition, is_blank);
    if (*offset == NONE) {
        *offset = find_sector(partition, is_no_page);
        if (*offset == NONE) { /* without a free page nvs_flash does not mount the partition anyway */
            *offset = partition->size - partition->erase_size;
        }
        err = esp_partition_erase_range(partition, *offset, partition->erase_size);
    }
    return err == ESP_OK ? esp_partition_write(partition, *offset, MARK, sizeof(MARK)) : err;
}

static esp_err_t erase(const esp_partition_t *partition)
{
    const size_t sector = partition->erase_size;
    size_t marked;
    esp_err_t err = write_mark(partition, &marked);
    for (size_t offset = 0; err == ESP_OK && offset < partition->size; offset += sector) {
        if (offset != marked) {
            err = esp_partition_erase_range(partition, offset, sector);
        }
    }
    return err == ESP_OK ? esp_partition_erase_range(partition, marked, sector) : err;
}

static esp_err_t reset_locked(const esp_partition_t *partition)
{
    const factory_data_mount_t *mount = factory_data_find_mount(partition->label);
    if (mount != NULL && mount->users > 0) {
        return ESP_ERR_INVALID_STATE;
    }
    if (partition->readonly) {
        return ESP_ERR_NOT_ALLOWED;
    }
    ESP_LOGW(TAG, "reset to factory: erasing partition '%s'", partition->label);
    const esp_err_t err = nvs_flash_deinit_partition(partition->label);
    return err == ESP_OK || err == ESP_ERR_NVS_NOT_INITIALIZED ? erase(partition) : err;
}

esp_err_t factory_data_reset(const char *user_partition_label)
{
    const esp_partition_t *partition = NULL;
    factory_data_lock();
    esp_err_t err = find_partition(user_partition_label, &partition);
    if (err == ESP_OK) {
        err = reset_locked(partition);
    }
    factory_data_unlock();
    return err;
}

esp_err_t factory_data_finish_reset(const char *user_partition_label, bool *was_interrupted)
{
    const esp_partition_t *partition = NULL;
    factory_data_lock();
    esp_err_t err = find_partition(user_partition_label, &partition);
    const bool is_begun = err == ESP_OK && find_sector(partition, is_marked) != NONE;
    if (is_begun) {
        ESP_LOGW(TAG, "a reset to factory was interrupted");
        err = reset_locked(partition);
    }
    factory_data_unlock();
    if (err == ESP_OK && was_interrupted != NULL) {
        *was_interrupted = is_begun;
    }
    return err;
}
