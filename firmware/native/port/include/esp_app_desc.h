/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Subset of ESP-IDF's esp_app_desc.h: the fields that are printed. The whole structure is in the application image.
 */
#pragma once

typedef struct {
    char version[32];
    char project_name[32];
} esp_app_desc_t;

const esp_app_desc_t *esp_app_get_description(void);
