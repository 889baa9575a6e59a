/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The values behind handles.
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_api.cpp and nvs_handle_simple.cpp.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nvs.h"
#include "nvs_handles.h"
#include "nvs_lock.h"
#include "nvs_mounts.h"

esp_err_t nvs_open_from_partition(const char *label, const char *namespace_name, nvs_open_mode_t mode,
                                  nvs_handle_t *out)
{
    NVS_LOCK();
    if (!nvs_is_anything_mounted()) {
        return ESP_ERR_NVS_NOT_INITIALIZED;
    }
    nvs_storage_t *storage = nvs_mounted(label);
    if (storage == NULL) {
        return ESP_ERR_NVS_PART_NOT_FOUND;
    }
    if (mode == NVS_READWRITE && storage->partition->readonly) {
        return ESP_ERR_NOT_ALLOWED;
    }
    uint8_t namespace_index;
    const esp_err_t err = nvs_storage_namespace(storage, namespace_name, mode == NVS_READWRITE, &namespace_index);
    if (err != ESP_OK) {
        return err;
    }
    return nvs_handle_open(storage, namespace_index, mode == NVS_READONLY, out);
}

esp_err_t nvs_open(const char *namespace_name, nvs_open_mode_t mode, nvs_handle_t *out)
{
    return nvs_open_from_partition(NVS_DEFAULT_PART_NAME, namespace_name, mode, out);
}

void nvs_close(nvs_handle_t number)
{
    NVS_LOCK();
    nvs_handle_close(number);
}

esp_err_t nvs_commit(nvs_handle_t number)
{
    NVS_LOCK();
    return nvs_handle_find(number) == NULL ? ESP_ERR_NVS_INVALID_HANDLE : ESP_OK; /* every write is in flash already */
}

static esp_err_t set_value(nvs_handle_t number, nvs_item_type_t type, const char *key, const void *data, size_t size)
{
    NVS_LOCK();
    const nvs_open_handle_t *handle = nvs_handle_find(number);
    if (handle == NULL) {
        return ESP_ERR_NVS_INVALID_HANDLE;
    }
    if (handle->is_readonly) {
        return ESP_ERR_NVS_READ_ONLY;
    }
    const nvs_value_t value = {
        .namespace_index = handle->namespace_index,
        .type = (uint8_t)type,
        .chunk_index = NVS_CHUNK_ANY,
        .key = key,
        .data = data,
        .size = size,
    };
    return nvs_storage_write(handle->storage, &value);
}

static esp_err_t get_value(nvs_handle_t number, nvs_item_type_t type, const char *key, void *data, size_t size)
{
    NVS_LOCK();
    const nvs_open_handle_t *handle = nvs_handle_find(number);
    return handle == NULL ? ESP_ERR_NVS_INVALID_HANDLE
                          : nvs_storage_read(handle->storage, handle->namespace_index, (uint8_t)type, key, data, size);
}

#define DEFINE_INTEGER(name, NAME, c_type)                                       \
    esp_err_t nvs_set_##name(nvs_handle_t handle, const char *key, c_type value) \
    {                                                                            \
        return set_value(handle, NVS_ITEM_##NAME, key, &value, sizeof(value));   \
    }                                                                            \
    esp_err_t nvs_get_##name(nvs_handle_t handle, const char *key, c_type *out)  \
    {                                                                            \
        return get_value(handle, NVS_ITEM_##NAME, key, out, sizeof(*out));       \
    }

DEFINE_INTEGER(u8, U8, uint8_t)
DEFINE_INTEGER(i8, I8, int8_t)
DEFINE_INTEGER(u16, U16, uint16_t)
DEFINE_INTEGER(i16, I16, int16_t)
DEFINE_INTEGER(u32, U32, uint32_t)
DEFINE_INTEGER(i32, I32, int32_t)
DEFINE_INTEGER(u64, U64, uint64_t)
DEFINE_INTEGER(i64, I64, int64_t)

#define DEFINE_FLOATING(name, NAME)                                                                           \
    esp_err_t nvs_set_##name(nvs_handle_t handle, const char *key, name value)                                \
    {                                                                                                         \
        return isnan(value) ? ESP_ERR_INVALID_ARG : set_value(handle, NVS_ITEM_##NAME, key, &value, sizeof(value)); \
    }                                                                                                         \
    esp_err_t nvs_get_##name(nvs_handle_t handle, const char *key, name *out)                                 \
    {                                                                                                         \
        return get_value(handle, NVS_ITEM_##NAME, key, out, sizeof(*out));                                    \
    }

DEFINE_FLOATING(float, FLOAT)
DEFINE_FLOATING(double, DOUBLE)

esp_err_t nvs_set_str(nvs_handle_t handle, const char *key, const char *value)
{
    return set_value(handle, NVS_ITEM_SZ, key, value, strlen(value) + 1);
}

esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value, size_t size)
{
    return set_value(handle, NVS_ITEM_BLOB, key, value, size);
}

static esp_err_t get_bytes(nvs_handle_t number, nvs_item_type_t type, const char *key, void *out, size_t *size)
{
    NVS_LOCK();
    const nvs_open_handle_t *handle = nvs_handle_find(number);
    if (handle == NULL) {
        return ESP_ERR_NVS_INVALID_HANDLE;
    }
    size_t stored;
    const esp_err_t err = nvs_storage_size(handle->storage, handle->namespace_index, (uint8_t)type, key, &stored);
    if (err != ESP_OK) {
        return err;
    }
    if (size == NULL) {
        return ESP_ERR_NVS_INVALID_LENGTH;
    }
    const bool is_too_small = out != NULL && *size < stored;
    *size = stored;
    if (out == NULL) {
        return ESP_OK;
    }
    return is_too_small ? ESP_ERR_NVS_INVALID_LENGTH : get_value(number, type, key, out, stored);
}

esp_err_t nvs_get_str(nvs_handle_t handle, const char *key, char *out, size_t *size)
{
    return get_bytes(handle, NVS_ITEM_SZ, key, out, size);
}

esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *out, size_t *size)
{
    return get_bytes(handle, NVS_ITEM_BLOB, key, out, size);
}

esp_err_t nvs_find_key(nvs_handle_t number, const char *key, nvs_type_t *type)
{
    NVS_LOCK();
    const nvs_open_handle_t *handle = nvs_handle_find(number);
    if (handle == NULL) {
        return ESP_ERR_NVS_INVALID_HANDLE;
    }
    uint8_t found;
    const esp_err_t err = nvs_storage_type(handle->storage, handle->namespace_index, key, &found);
    if (err == ESP_OK && type != NULL) {
        const bool is_blob = found == NVS_ITEM_BLOB || found == NVS_ITEM_BLOB_IDX;
        *type = is_blob ? NVS_TYPE_BLOB : (nvs_type_t)found;
    }
    return err;
}

esp_err_t nvs_erase_key(nvs_handle_t number, const char *key)
{
    NVS_LOCK();
    const nvs_open_handle_t *handle = nvs_handle_find(number);
    if (handle == NULL) {
        return ESP_ERR_NVS_INVALID_HANDLE;
    }
    return handle->is_readonly ? ESP_ERR_NVS_READ_ONLY
                               : nvs_storage_erase(handle->storage, handle->namespace_index, key);
}

esp_err_t nvs_erase_all(nvs_handle_t number)
{
    NVS_LOCK();
    const nvs_open_handle_t *handle = nvs_handle_find(number);
    if (handle == NULL) {
        return ESP_ERR_NVS_INVALID_HANDLE;
    }
    return handle->is_readonly ? ESP_ERR_NVS_READ_ONLY
                               : nvs_storage_erase_namespace(handle->storage, handle->namespace_index);
}

esp_err_t nvs_get_stats(const char *label, nvs_stats_t *stats)
{
    NVS_LOCK();
    if (stats == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *stats = (nvs_stats_t){0};
    const nvs_storage_t *storage = nvs_mounted(label != NULL ? label : NVS_DEFAULT_PART_NAME);
    return storage == NULL ? ESP_ERR_NVS_NOT_INITIALIZED : nvs_storage_stats(storage, stats);
}

esp_err_t nvs_get_used_entry_count(nvs_handle_t number, size_t *count)
{
    NVS_LOCK();
    if (count == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *count = 0;
    const nvs_open_handle_t *handle = nvs_handle_find(number);
    return handle == NULL ? ESP_ERR_NVS_INVALID_HANDLE
                          : nvs_storage_count(handle->storage, handle->namespace_index, count);
}
