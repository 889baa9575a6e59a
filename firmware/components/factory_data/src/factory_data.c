/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "factory_data_private.h"

#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "nvs_flash.h"

static const char *TAG = "factory_data";

static factory_data_mount_t *s_mounts;

static const char *hint_of(esp_err_t code)
{
    switch (code) {
    case ESP_ERR_NOT_FOUND:
        return "the partition table has no such NVS partition: flash this project's partition table";
    case ESP_ERR_NVS_NOT_FOUND:
        return "the partition is empty or holds another namespace: flash this device's factory image";
    case ESP_ERR_NOT_ALLOWED:
        return "the factory data is damaged: flash this device's factory image again";
    case ESP_ERR_NVS_NEW_VERSION_FOUND:
        return "the factory image has a newer format than this firmware reads: update the firmware";
    case ESP_ERR_NVS_NO_FREE_PAGES:
        return "the partition has no empty page: give it the flag readonly in the partition table";
    case ESP_ERR_NVS_WRONG_ENCRYPTION:
        return "the partition has the flag encrypted: remove it, NVS has its own encryption";
    case ESP_ERR_NO_MEM:
        return "out of memory";
    default:
        return "flash this device's factory image again";
    }
}

static esp_err_t mount(const char *label, factory_data_mount_t **out)
{
    for (factory_data_mount_t *m = s_mounts; m != NULL; m = m->next) {
        if (strcmp(m->label, label) == 0) {
            m->users++;
            *out = m;
            return ESP_OK;
        }
    }
    factory_data_mount_t *m = calloc(1, sizeof(*m));
    if (m == NULL) {
        return ESP_ERR_NO_MEM;
    }
    if (strlen(label) >= sizeof(m->label)) {
        free(m);
        return ESP_ERR_INVALID_ARG;
    }
    strcpy(m->label, label);
    const esp_err_t err = nvs_flash_init_partition(m->label);
    if (err != ESP_OK) {
        free(m);
        return err;
    }
    m->users = 1;
    m->next = s_mounts;
    s_mounts = m;
    *out = m;
    return ESP_OK;
}

static void unmount(factory_data_mount_t *m)
{
    if (--m->users > 0) {
        return;
    }
    for (factory_data_mount_t **link = &s_mounts; *link != NULL; link = &(*link)->next) {
        if (*link == m) {
            *link = m->next;
            break;
        }
    }
    (void)nvs_flash_deinit_partition(m->label); /* it was initialised: no other error is possible */
    free(m);
}

static esp_err_t try_open(const factory_data_config_t *config, factory_data_handle_t *handle, const char **where)
{
    *where = "factory_data_open";
    if (config == NULL || handle == NULL || config->partition_label == NULL || config->namespace_name == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    struct factory_data *data = calloc(1, sizeof(*data));
    if (data == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err;
    if (strlen(config->namespace_name) >= sizeof(data->namespace_name)) {
        err = ESP_ERR_INVALID_ARG;
        goto err_free;
    }
    strcpy(data->namespace_name, config->namespace_name);

    *where = "nvs_flash_init_partition";
    err = mount(config->partition_label, &data->mount);
    if (err != ESP_OK) {
        goto err_free;
    }
    *where = "nvs_open_from_partition";
    err = nvs_open_from_partition(data->mount->label, data->namespace_name, NVS_READONLY, &data->nvs);
    if (err != ESP_OK) {
        goto err_unmount;
    }
    *handle = data;
    return ESP_OK;

err_unmount:
    unmount(data->mount);
err_free:
    free(data);
    return err;
}

esp_err_t factory_data_open(const factory_data_config_t *config, factory_data_handle_t *handle,
                            factory_data_failure_t *failure)
{
    const char *where;
    const esp_err_t err = try_open(config, handle, &where);
    if (err != ESP_OK) {
        const factory_data_failure_t found = {.code = err, .where = where, .hint = hint_of(err)};
        ESP_LOGE(TAG, "%s: %s: %s", where, esp_err_to_name(err), found.hint);
        if (failure != NULL) {
            *failure = found;
        }
    }
    return err;
}

void factory_data_close(factory_data_handle_t handle)
{
    if (handle != NULL) {
        nvs_close(handle->nvs);
        unmount(handle->mount);
        free(handle);
    }
}

/* Read a string or a blob into memory of its own, which the caller frees. */
static esp_err_t read_bytes(nvs_handle_t nvs, factory_data_item_t *item, void **buffer)
{
    const bool is_string = item->type == NVS_TYPE_STR;
    size_t size = 0;
    esp_err_t err = is_string ? nvs_get_str(nvs, item->key, NULL, &size) : nvs_get_blob(nvs, item->key, NULL, &size);
    if (err != ESP_OK) {
        return err;
    }
    char *data = malloc(size + 1); /* one more: an empty blob is no NULL, a string ends in NUL even if its data does not */
    if (data == NULL) {
        return ESP_ERR_NO_MEM;
    }
    err = is_string ? nvs_get_str(nvs, item->key, data, &size) : nvs_get_blob(nvs, item->key, data, &size);
    if (err != ESP_OK) {
        free(data);
        return err;
    }
    data[size] = '\0';
    item->value.bytes.data = data;
    item->value.bytes.size = is_string ? strlen(data) : size;
    *buffer = data;
    return ESP_OK;
}

/* clang-format off */
#define READ_INTEGER(letter, bits, field)                                 \
    {                                                                     \
        letter##int##bits##_t number = 0;                                 \
        item->error = nvs_get_##field##bits(nvs, item->key, &number);     \
        item->value.field = number;                                       \
        item->where = "nvs_get_" #field #bits;                            \
        break;                                                            \
    }
/* clang-format on */

static void *read_item(nvs_handle_t nvs, factory_data_item_t *item)
{
    void *buffer = NULL;
    switch (item->type) {
    case NVS_TYPE_U8: READ_INTEGER(u, 8, u)
    case NVS_TYPE_U16: READ_INTEGER(u, 16, u)
    case NVS_TYPE_U32: READ_INTEGER(u, 32, u)
    case NVS_TYPE_U64: READ_INTEGER(u, 64, u)
    case NVS_TYPE_I8: READ_INTEGER(, 8, i)
    case NVS_TYPE_I16: READ_INTEGER(, 16, i)
    case NVS_TYPE_I32: READ_INTEGER(, 32, i)
    case NVS_TYPE_I64: READ_INTEGER(, 64, i)
    case NVS_TYPE_STR:
    case NVS_TYPE_BLOB:
        item->error = read_bytes(nvs, item, &buffer);
        item->where = item->type == NVS_TYPE_STR ? "nvs_get_str" : "nvs_get_blob";
        break;
    default:
        item->error = ESP_ERR_NOT_SUPPORTED;
        item->where = "factory_data_for_each";
        break;
    }
    return buffer;
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
        if (err != ESP_OK) {
            break;
        }
        factory_data_item_t item = {
            .partition_label = handle->mount->label,
            .namespace_name = handle->namespace_name,
            .key = info.key,
            .type = info.type,
        };
        void *buffer = read_item(handle->nvs, &item);
        visit(&item, context);
        free(buffer);
        err = nvs_entry_next(&entry);
    }
    nvs_release_iterator(entry);
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}
