/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_api.cpp.
 */
#include "nvs_handles.h"

#include <stdlib.h>

static nvs_open_handle_t *s_handles;
static nvs_handle_t s_last_number;

esp_err_t nvs_handle_open(nvs_storage_t *storage, uint8_t namespace_index, bool is_readonly, nvs_handle_t *out)
{
    nvs_open_handle_t *handle = malloc(sizeof(*handle));
    if (handle == NULL) {
        return ESP_ERR_NO_MEM;
    }
    *handle = (nvs_open_handle_t){
        .next = s_handles,
        .number = ++s_last_number,
        .storage = storage,
        .namespace_index = namespace_index,
        .is_readonly = is_readonly,
    };
    s_handles = handle;
    *out = handle->number;
    return ESP_OK;
}

nvs_open_handle_t *nvs_handle_find(nvs_handle_t number)
{
    nvs_open_handle_t *handle = s_handles;
    while (handle != NULL && handle->number != number) {
        handle = handle->next;
    }
    return handle;
}

static void close_if(bool (*is_meant)(const nvs_open_handle_t *handle, const void *what), const void *what)
{
    for (nvs_open_handle_t **link = &s_handles; *link != NULL;) {
        nvs_open_handle_t *handle = *link;
        if (is_meant(handle, what)) {
            *link = handle->next;
            free(handle);
        } else {
            link = &handle->next;
        }
    }
}

static bool has_number(const nvs_open_handle_t *handle, const void *number)
{
    return handle->number == *(const nvs_handle_t *)number;
}

static bool is_on(const nvs_open_handle_t *handle, const void *storage)
{
    return handle->storage == storage;
}

void nvs_handle_close(nvs_handle_t number)
{
    close_if(has_number, &number);
}

void nvs_handles_close(const nvs_storage_t *storage)
{
    close_if(is_on, storage);
}
