/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "esp_heap_caps.h"
#include "factory_data_private.h"

#define READ_NUMBER(field, name, c_type)                            \
    {                                                                \
        c_type number = 0;                                           \
        item->error = nvs_get_##name(handle->nvs, item->key, &number); \
        item->where = "nvs_get_" #name;                              \
        item->value.field = number;                                  \
        break;                                                       \
    }

void factory_data_read_item(factory_data_handle_t handle, const char *key, nvs_type_t type, uint32_t caps,
                            factory_data_item_t *item)
{
    *item = (factory_data_item_t){
        .partition_label = handle->mount->label,
        .namespace_name = handle->namespace_name,
        .key = key,
        .type = type,
    };
    switch (type) {
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
        void *data = NULL;
        size_t size = 0;
        item->error = factory_data_get_allocated(handle, type, key, caps, &data, &size);
        item->where = type == NVS_TYPE_STR ? "nvs_get_str" : "nvs_get_blob";
        item->memory = data;
        item->value.bytes.data = data;
        item->value.bytes.size = size;
        break;
    }
    default:
        item->error = ESP_ERR_NOT_SUPPORTED;
        item->where = "factory_data_for_each";
        break;
    }
}

void factory_data_release_item(factory_data_item_t *item)
{
    if (item->memory != NULL) {
        factory_data_free(item->memory, item->value.bytes.size);
    }
    factory_data_wipe(&item->value, sizeof(item->value));
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
        .is_secret = true,
    };
    if (!factory_data_is_secret(handle->namespace_name, key)) {
        factory_data_read_item(handle, key, type, MALLOC_CAP_DEFAULT, &item);
    }
    visit(&item, context);
    factory_data_release_item(&item);
    return item.error;
}

esp_err_t factory_data_for_each(factory_data_handle_t handle, factory_data_visit_t visit, void *context)
{
    if (handle == NULL || visit == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    nvs_iterator_t entry = NULL;
    esp_err_t err = nvs_entry_find_in_handle(handle->nvs, NVS_TYPE_ANY, &entry); /* knows whether the handle is still valid */
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
    if (type == NVS_TYPE_ANY || factory_data_is_secret(handle->namespace_name, key)) {
        const esp_err_t err = nvs_find_key(handle->nvs, key, &type);
        if (err != ESP_OK) {
            return err;
        }
    }
    return show(handle, key, type, visit, context);
}
