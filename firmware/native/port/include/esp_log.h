/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Subset of ESP-IDF's esp_log.h: level I and worse, on the console like everything that is printed.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

/** Milliseconds since the first call. */
uint32_t esp_log_timestamp(void);

#define ESP_PORT_LOG(letter, tag, format, ...) \
    printf(letter " (%u) %s: " format "\n", (unsigned)esp_log_timestamp(), tag, ##__VA_ARGS__)

#define ESP_LOGE(tag, format, ...) ESP_PORT_LOG("E", tag, format, ##__VA_ARGS__)
#define ESP_LOGW(tag, format, ...) ESP_PORT_LOG("W", tag, format, ##__VA_ARGS__)
#define ESP_LOGI(tag, format, ...) ESP_PORT_LOG("I", tag, format, ##__VA_ARGS__)
