/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Open handles. Below this lie the storages that they are open on.
 */
#pragma once

#include "nvs_storage.h"

typedef struct nvs_open_handle {
    struct nvs_open_handle *next;
    nvs_handle_t number;
    nvs_storage_t *storage;
    uint8_t namespace_index;
    bool is_readonly;
} nvs_open_handle_t;

/** Open a handle. ESP_ERR_NO_MEM. */
esp_err_t nvs_handle_open(nvs_storage_t *storage, uint8_t namespace_index, bool is_readonly, nvs_handle_t *out);

/** The handle of this number, or NULL. */
nvs_open_handle_t *nvs_handle_find(nvs_handle_t number);

/** Close the handle of this number, if there is one. */
void nvs_handle_close(nvs_handle_t number);

/** Close all handles to a partition that is about to be unmounted. */
void nvs_handles_close(const nvs_storage_t *storage);
