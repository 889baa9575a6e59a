/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "factory_data_private.h"

#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "nvs_flash.h"

static const char *TAG = "factory_data";

#if CONFIG_FACTORY_DATA_ENCRYPTED
#define IS_ENCRYPTED true
#else
#define IS_ENCRYPTED false
#endif

#define READ_KEYS "nvs_flash_read_security_cfg_v2"

static factory_data_mount_t *s_mounts;

static const char *hint_of(esp_err_t code, const char *where)
{
    if (strcmp(where, READ_KEYS) == 0) {
        return "the device has no NVS keys: flash its key partition, or burn its HMAC key and set its eFuse in menuconfig";
    }
    switch (code) {
    case ESP_ERR_NOT_FOUND:
        return "the partition table has no such NVS partition: flash this project's partition table";
    case ESP_ERR_NVS_NOT_FOUND:
        return "the partition is empty or holds another namespace: flash this device's factory image";
    case ESP_ERR_NOT_ALLOWED:
        return IS_ENCRYPTED ? "the factory data is damaged or encrypted with other keys: flash this device's image and keys"
                            : "the factory data is damaged: flash this device's factory image again";
    case ESP_ERR_NVS_NEW_VERSION_FOUND:
        return "the factory image has a newer format than this firmware reads: update the firmware";
    case ESP_ERR_NVS_NO_FREE_PAGES:
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 5, 0)
        return "the partition has no empty page: give it the flag readonly in the partition table";
#else /* nvs_flash wants one, read-only or not */
        return "the partition has no empty page: make it one page, 0x1000 bytes, larger in the partition table";
#endif
    case ESP_ERR_NVS_WRONG_ENCRYPTION:
        return "the partition has the flag encrypted: remove it, NVS has its own encryption";
    case ESP_ERR_NO_MEM:
        return "out of memory";
    default:
        return "flash this device's factory image again";
    }
}

#if CONFIG_FACTORY_DATA_ENCRYPTED
/* With the keys that also the user's NVS has: menuconfig, "NVS encryption". */
static esp_err_t init_partition(const char *label, const char **where)
{
    nvs_sec_cfg_t keys;
    nvs_sec_scheme_t *scheme = nvs_flash_get_default_security_scheme();
    *where = READ_KEYS;
    esp_err_t err = nvs_flash_read_security_cfg_v2(scheme, &keys);
    if (err == ESP_OK) {
        *where = "nvs_flash_secure_init_partition";
        err = nvs_flash_secure_init_partition(label, &keys);
    }
    factory_data_wipe(&keys, sizeof(keys));
    return err;
}
#else
static esp_err_t init_partition(const char *label, const char **where)
{
    *where = "nvs_flash_init_partition";
    return nvs_flash_init_partition(label);
}
#endif

const factory_data_mount_t *factory_data_find_mount(const char *label)
{
    const factory_data_mount_t *mount = s_mounts;
    while (mount != NULL && strcmp(mount->label, label) != 0) {
        mount = mount->next;
    }
    return mount;
}

/* The record of a partition, to be made when it is opened for the first time. */
static esp_err_t note(const char *label, factory_data_mount_t **out)
{
    for (*out = s_mounts; *out != NULL; *out = (*out)->next) {
        if (strcmp((*out)->label, label) == 0) {
            return ESP_OK;
        }
    }
    if (strlen(label) > NVS_PART_NAME_MAX_SIZE) {
        return ESP_ERR_INVALID_ARG;
    }
    *out = calloc(1, sizeof(**out));
    if (*out == NULL) {
        return ESP_ERR_NO_MEM;
    }
    strcpy((*out)->label, label);
    (*out)->next = s_mounts;
    s_mounts = *out;
    return ESP_OK;
}

/* Open the namespace, and mount the partition before if nobody has. */
static esp_err_t open_namespace(const char *label, const char *name, nvs_handle_t *nvs, const char **where)
{
    *where = "nvs_open_from_partition";
    esp_err_t err = nvs_open_from_partition(label, name, NVS_READONLY, nvs);
    if (err != ESP_ERR_NVS_NOT_INITIALIZED && err != ESP_ERR_NVS_PART_NOT_FOUND) {
        return err;
    }
    err = init_partition(label, where);
    if (err == ESP_OK) {
        *where = "nvs_open_from_partition";
        err = nvs_open_from_partition(label, name, NVS_READONLY, nvs);
    }
    return err;
}

static esp_err_t open_locked(const factory_data_config_t *config, factory_data_handle_t handle, const char **where)
{
    factory_data_mount_t *mount;
    esp_err_t err = note(config->partition_label, &mount);
    if (err == ESP_OK) {
        err = open_namespace(mount->label, handle->namespace_name, &handle->nvs, where);
    }
    if (err == ESP_OK) {
        mount->users++;
        handle->mount = mount;
    }
    return err;
}

esp_err_t factory_data_try_open(const factory_data_config_t *config, factory_data_handle_t *handle, const char **where)
{
    *where = "factory_data_open";
    if (config == NULL || handle == NULL || config->partition_label == NULL || config->namespace_name == NULL ||
        strlen(config->namespace_name) >= sizeof((*handle)->namespace_name)) {
        return ESP_ERR_INVALID_ARG;
    }
    struct factory_data *data = calloc(1, sizeof(*data));
    if (data == NULL) {
        return ESP_ERR_NO_MEM;
    }
    strcpy(data->namespace_name, config->namespace_name);
    factory_data_lock();
    const esp_err_t err = open_locked(config, data, where);
    factory_data_unlock();
    if (err == ESP_OK) {
        *handle = data;
    } else {
        free(data);
    }
    return err;
}

esp_err_t factory_data_open(const factory_data_config_t *config, factory_data_handle_t *handle,
                            factory_data_failure_t *failure)
{
    const char *where;
    const esp_err_t err = factory_data_try_open(config, handle, &where);
    if (err != ESP_OK) {
        const factory_data_failure_t found = {.code = err, .where = where, .hint = hint_of(err, where)};
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
        factory_data_lock();
        nvs_close(handle->nvs);
        handle->mount->users--;
        factory_data_unlock();
        free(handle);
    }
}

esp_err_t factory_data_unmount(const char *partition_label)
{
    if (partition_label == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    factory_data_lock();
    const factory_data_mount_t *mount = factory_data_find_mount(partition_label);
    esp_err_t err = ESP_ERR_INVALID_STATE;
    if (mount == NULL || mount->users == 0) {
        err = nvs_flash_deinit_partition(partition_label);
    }
    factory_data_unlock();
    return err == ESP_ERR_NVS_NOT_INITIALIZED ? ESP_OK : err;
}
