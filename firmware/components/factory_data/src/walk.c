/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>

#include "factory_data_private.h"

#define READ_NUMBER(field, name, c_type)                            \
    {                                                                \
        c_type number = 0;                                           \
        item->error = nvs_get_##name(handle->nvs, item->key, &number); \
        item->where = "nvs_get_" #name;                              \
        item->value.field = number;                                  \
        break;                                                       \
    }

/* Read the item's value. Returns memory that holds it, or NULL; the caller frees it. */
static char *read_value(factory_data_handle_t handle, factory_data_item_t *item)
{
    char *memory = NULL;
    switch (item->type) {
    case NVS_TYPE_U8: READ_NUMBER(u, u8, uint8_t)
    case NVS_TYPE_U16: READ_NUMBER(u, u16, uint16_t)
    case NVS_TYPE_U32: READ_NUMBER(u, u32, uint32_t)
    case NVS_TYPE_U64: READ_NUMBER(u, u64, uint64_t)
    case NVS_TYPE_I8: READ_NUMBER(i, i8, int8_t)
    case NVS_TYPE_I16: READ_NUMBER(i, i16, int16_t)
    case NVS_TYPE_I32: READ_NUMBER(i, i32, int32_t)
    case NVS_TYPE_I64: READ_NUMBER(i, i64, int64_t)
#if FACTORY_DATA_HAS_FLOAT
    case NVS_TYPE_FLOAT: READ_NUMBER(f, float, float)
    case NVS_TYPE_DOUBLE: READ_NUMBER(f, double, double)
#endif
    case NVS_TYPE_STR:
    case NVS_TYPE_BLOB: {
        size_t size = 0;
        item->error = factory_data_get_allocated(handle, item->type, item->key, &memory, &size);
        item->where = item->type == NVS_TYPE_STR ? "nvs_get_str" : "nvs_get_blob";
        item->value.bytes.data = memory;
        item->value.bytes.size = size;
        break;
    }
    default:
        item->error = ESP_ERR_NOT_SUPPORTED;
        item->where = "factory_data_for_each";
        break;
    }
    return memory;
}

/* Read an entry and show it. Returns its error. */
static esp_err_t show(factory_data_handle_t handle, const char *key, nvs_type_t type, factory_data_visit_t visit,
                      void *context)
{
    factory_data_item_t item = {
        .partition_label = handle->mount->label,
        .namespace_name = handle->namespace_name,
        .key = key,
        .type = type,
    };
    char *memory = read_value(handle, &item);
    visit(&item, context);
    free(memory);
    return item.error;
}

esp_err_t factory_data_for_each(factory_data_handle_t handle, factory_data_visit_t visit, void *context)
{
    if (handle == NULL || visit == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    nvs_iterator_t entry = NULL;
    esp_err_t err = nvs_entry_find(handle->mount->label, handle->namespace_name, NVS_TYPE_ANY, &entry);
    while (err == ESP_OK) {
        nvs_entry_info_t info;
        err = nvs_entry_info(entry, &info);
        if (err == ESP_OK) {
            (void)show(handle, info.key, info.type, visit, context); /* `visit` has seen its error */
            err = nvs_entry_next(&entry);
        }
    }
    nvs_release_iterator(entry);
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

esp_err_t factory_data_visit(factory_data_handle_t handle, const char *key, nvs_type_t type, factory_data_visit_t visit,
                             void *context)
{
    if (handle == NULL || key == NULL || visit == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (type == NVS_TYPE_ANY) {
        const esp_err_t err = nvs_find_key(handle->nvs, key, &type);
        if (err != ESP_OK) {
            return err;
        }
    }
    return show(handle, key, type, visit, context);
}
