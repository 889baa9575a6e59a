/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reset to factory, which a power cut may interrupt anywhere.
 *
 * 1. The first byte of the partition is programmed to 0. It belongs to the state of the first NVS page, where nvs_flash
 *    writes four values only: any other is the mark that a reset has begun, also if the power goes while it is
 *    programmed. Up to here, all settings are there.
 * 2. All sectors but the first are erased. The mark stays, so that the next start erases them again.
 * 3. The first page's header is programmed to 0, so that nothing in that page counts even if it is half erased.
 * 4. The first sector is erased, and with it the mark. If the power goes now, the page is half blank and has no header
 *    that checks out: nvs_flash takes it for empty.
 *
 * The factory partition is not touched at any point; on top of that, its flag `readonly` refuses it.
 */
#include <string.h>

#include "esp_log.h"
#include "esp_partition.h"
#include "factory_data_private.h"
#include "nvs_flash.h"

#define PAGE_HEADER_BYTES 32
#define STATE_BYTES 4 /* of a page: nvs_flash changes the first one only, the others stay blank */
#define MARK 0x00

static const char *TAG = "factory_data";

static esp_err_t find_partition(const char *label, const esp_partition_t **partition)
{
    if (label == NULL || strcmp(label, CONFIG_FACTORY_DATA_PARTITION_LABEL) == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    *partition = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, label);
    return *partition == NULL ? ESP_ERR_NOT_FOUND : ESP_OK;
}

static bool is_marked(const uint8_t state[STATE_BYTES])
{
    static const uint8_t BLANK[STATE_BYTES - 1] = {0xFF, 0xFF, 0xFF};
    if (state[0] == MARK) {
        return true;
    }
    const bool is_of_a_page = state[0] == 0xFF || state[0] == 0xFE || state[0] == 0xFC || state[0] == 0xF8;
    return !is_of_a_page && memcmp(state + 1, BLANK, sizeof(BLANK)) == 0;
}

static esp_err_t erase(const esp_partition_t *partition)
{
    static const uint8_t ZEROS[PAGE_HEADER_BYTES];
    const uint8_t mark = MARK;
    const size_t sector = partition->erase_size;
    esp_err_t err = esp_partition_write(partition, 0, &mark, sizeof(mark));
    for (size_t offset = partition->size - partition->size % sector; err == ESP_OK && offset > sector;) {
        offset -= sector;
        err = esp_partition_erase_range(partition, offset, sector);
    }
    if (err == ESP_OK) {
        err = esp_partition_write(partition, 0, ZEROS, sizeof(ZEROS));
    }
    return err == ESP_OK ? esp_partition_erase_range(partition, 0, sector) : err;
}

esp_err_t factory_data_reset(const char *user_partition_label)
{
    const esp_partition_t *partition = NULL;
    esp_err_t err = find_partition(user_partition_label, &partition);
    if (err != ESP_OK) {
        return err;
    }
    ESP_LOGW(TAG, "reset to factory: erasing partition '%s'", partition->label);
    err = nvs_flash_deinit_partition(partition->label);
    if (err != ESP_OK && err != ESP_ERR_NVS_NOT_INITIALIZED) {
        return err;
    }
    return erase(partition);
}

esp_err_t factory_data_finish_reset(const char *user_partition_label, bool *was_interrupted)
{
    const esp_partition_t *partition = NULL;
    uint8_t state[STATE_BYTES] = {0xFF};
    esp_err_t err = find_partition(user_partition_label, &partition);
    if (err == ESP_OK) {
        err = esp_partition_read(partition, 0, state, sizeof(state));
    }
    const bool is_begun = err == ESP_OK && is_marked(state);
    if (is_begun) {
        ESP_LOGW(TAG, "a reset to factory was interrupted");
        err = factory_data_reset(user_partition_label);
    }
    if (err == ESP_OK && was_interrupted != NULL) {
        *was_interrupted = is_begun;
    }
    return err;
}
