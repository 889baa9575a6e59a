/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "esp_heap_caps.h"
#include "factory_data_private.h"

void factory_data_wipe(void *memory, size_t size)
{
    volatile uint8_t *bytes = memory;
    while (size-- > 0) {
        bytes[size] = 0;
    }
}

#define DEFINE_GET_NUMBER(name, c_type)                                                           \
    esp_err_t factory_data_get_##name(factory_data_handle_t handle, const char *key, c_type *value) \
    {                                                                                              \
        c_type read;                                                                               \
        if (handle == NULL || key == NULL || value == NULL) {                                      \
            return ESP_ERR_INVALID_ARG;                                                            \
        }                                                                                          \
        const esp_err_t err = nvs_get_##name(handle->nvs, key, &read);                             \
        if (err == ESP_OK) {                                                                       \
            *value = read;                                                                         \
        }                                                                                          \
        return err;                                                                                \
    }

DEFINE_GET_NUMBER(u8, uint8_t)
DEFINE_GET_NUMBER(i8, int8_t)
DEFINE_GET_NUMBER(u16, uint16_t)
DEFINE_GET_NUMBER(i16, int16_t)
DEFINE_GET_NUMBER(u32, uint32_t)
DEFINE_GET_NUMBER(i32, int32_t)
DEFINE_GET_NUMBER(u64, uint64_t)
DEFINE_GET_NUMBER(i64, int64_t)
#if FACTORY_DATA_HAS_FLOAT
DEFINE_GET_NUMBER(float, float)
DEFINE_GET_NUMBER(double, double)
#endif

static esp_err_t get_bytes(nvs_handle_t nvs, nvs_type_t type, const char *key, void *value, size_t *size)
{
    return type == NVS_TYPE_STR ? nvs_get_str(nvs, key, value, size) : nvs_get_blob(nvs, key, value, size);
}

/* Read a value of `size` bytes. What nvs_flash leaves in `value` on an error is wiped. */
static esp_err_t read_bytes(nvs_handle_t nvs, nvs_type_t type, const char *key, void *value, size_t size)
{
    size_t count = size;
    esp_err_t err = get_bytes(nvs, type, key, value, &count);
    if (err == ESP_OK && type == NVS_TYPE_STR && memchr(value, '\0', count) == NULL) {
        err = ESP_ERR_NVS_INVALID_LENGTH;
    }
    if (err != ESP_OK) {
        factory_data_wipe(value, size);
    }
    return err;
}

/* The size is asked for first, so that only a value that is there and fits touches the caller's memory. */
static esp_err_t get_into(factory_data_handle_t handle, nvs_type_t type, const char *key, void *value, size_t *size)
{
    if (handle == NULL || key == NULL || size == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    size_t needed = 0;
    esp_err_t err = get_bytes(handle->nvs, type, key, NULL, &needed);
    if (err == ESP_OK && value != NULL && needed <= *size) {
        err = read_bytes(handle->nvs, type, key, value, needed);
    }
    if (err != ESP_OK) {
        return err;
    }
    const bool is_too_small = value != NULL && needed > *size;
    *size = needed;
    return is_too_small ? ESP_ERR_NVS_INVALID_LENGTH : ESP_OK;
}

esp_err_t factory_data_get_str(factory_data_handle_t handle, const char *key, char *value, size_t *size)
{
    return get_into(handle, NVS_TYPE_STR, key, value, size);
}

esp_err_t factory_data_get_blob(factory_data_handle_t handle, const char *key, void *value, size_t *size)
{
    return get_into(handle, NVS_TYPE_BLOB, key, value, size);
}

esp_err_t factory_data_get_allocated(factory_data_handle_t handle, nvs_type_t type, const char *key, uint32_t caps,
                                     void **value, size_t *size)
{
    if (handle == NULL || key == NULL || value == NULL || size == NULL ||
        (type != NVS_TYPE_STR && type != NVS_TYPE_BLOB)) {
        return ESP_ERR_INVALID_ARG;
    }
    size_t stored = 0;
    esp_err_t err = get_bytes(handle->nvs, type, key, NULL, &stored);
    if (err != ESP_OK) {
        return err;
    }
    char *memory = heap_caps_malloc(stored + 1, caps);
    if (memory == NULL) {
        return ESP_ERR_NO_MEM;
    }
    err = read_bytes(handle->nvs, type, key, memory, stored);
    if (err != ESP_OK) {
        heap_caps_free(memory);
        return err;
    }
    memory[stored] = '\0';
    *value = memory;
    *size = type == NVS_TYPE_STR ? strlen(memory) : stored;
    return ESP_OK;
}

void factory_data_free(void *value, size_t size)
{
    if (value != NULL) {
        factory_data_wipe(value, size);
        heap_caps_free(value);
    }
}

esp_err_t factory_data_find_key(factory_data_handle_t handle, const char *key, nvs_type_t *type)
{
    return handle == NULL || key == NULL ? ESP_ERR_INVALID_ARG : nvs_find_key(handle->nvs, key, type);
}
