/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * esp_err, esp_heap_caps, esp_log, esp_system, esp_app_desc: small parts of ESP-IDF that the firmware calls.
 */
#include "esp_system.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bus.h"
#include "esp_app_desc.h"
#include "esp_err.h"
#include "esp_heap_caps.h"
#include "esp_idf_version.h"
#include "esp_log.h"
#include "nvs.h"

const char *esp_err_to_name(esp_err_t code)
{
    static const struct {
        esp_err_t code;
        const char *name;
    } NAMES[] = {
#define NAME(code) {code, #code}
        NAME(ESP_OK),
        NAME(ESP_FAIL),
        NAME(ESP_ERR_NO_MEM),
        NAME(ESP_ERR_INVALID_ARG),
        NAME(ESP_ERR_INVALID_STATE),
        NAME(ESP_ERR_INVALID_SIZE),
        NAME(ESP_ERR_NOT_FOUND),
        NAME(ESP_ERR_NOT_SUPPORTED),
        NAME(ESP_ERR_TIMEOUT),
        NAME(ESP_ERR_INVALID_RESPONSE),
        NAME(ESP_ERR_INVALID_CRC),
        NAME(ESP_ERR_INVALID_VERSION),
        NAME(ESP_ERR_INVALID_MAC),
        NAME(ESP_ERR_NOT_FINISHED),
        NAME(ESP_ERR_NOT_ALLOWED),
        NAME(ESP_ERR_FLASH_OP_FAIL),
        NAME(ESP_ERR_NVS_NOT_INITIALIZED),
        NAME(ESP_ERR_NVS_NOT_FOUND),
        NAME(ESP_ERR_NVS_TYPE_MISMATCH),
        NAME(ESP_ERR_NVS_READ_ONLY),
        NAME(ESP_ERR_NVS_NOT_ENOUGH_SPACE),
        NAME(ESP_ERR_NVS_INVALID_NAME),
        NAME(ESP_ERR_NVS_INVALID_HANDLE),
        NAME(ESP_ERR_NVS_REMOVE_FAILED),
        NAME(ESP_ERR_NVS_KEY_TOO_LONG),
        NAME(ESP_ERR_NVS_PAGE_FULL),
        NAME(ESP_ERR_NVS_INVALID_STATE),
        NAME(ESP_ERR_NVS_INVALID_LENGTH),
        NAME(ESP_ERR_NVS_NO_FREE_PAGES),
        NAME(ESP_ERR_NVS_VALUE_TOO_LONG),
        NAME(ESP_ERR_NVS_PART_NOT_FOUND),
        NAME(ESP_ERR_NVS_NEW_VERSION_FOUND),
        NAME(ESP_ERR_NVS_KEYS_NOT_INITIALIZED),
        NAME(ESP_ERR_NVS_CORRUPT_KEY_PART),
        NAME(ESP_ERR_NVS_WRONG_ENCRYPTION),
#undef NAME
    };
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        if (NAMES[i].code == code) {
            return NAMES[i].name;
        }
    }
    return "UNKNOWN ERROR";
}

void *heap_caps_malloc(size_t size, uint32_t caps)
{
    (void)caps;
    return malloc(size);
}

void heap_caps_free(void *memory)
{
    free(memory);
}

uint32_t esp_log_timestamp(void)
{
    static struct timespec start;
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    if (start.tv_sec == 0) {
        start = now;
    }
    return (uint32_t)((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000);
}

esp_reset_reason_t esp_reset_reason(void)
{
    bus_info_t info;
    return bus_info(&info) ? (esp_reset_reason_t)info.reset_reason : ESP_RST_UNKNOWN;
}

void esp_restart(void)
{
    (void)fflush(stdout);
    _exit(EXIT_SUCCESS); /* the board takes this for a software reset */
}

const esp_app_desc_t *esp_app_get_description(void)
{
    static const esp_app_desc_t DESCRIPTION = {.version = PROJECT_VER, .project_name = PROJECT_NAME};
    return &DESCRIPTION;
}

const char *esp_get_idf_version(void)
{
    return IDF_VER;
}
