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

static bool is_mounted(const char *label)
{
    nvs_stats_t stats;
    return nvs_get_stats(label, &stats) != ESP_ERR_NVS_NOT_INITIALIZED;
}

static esp_err_t mount(const char *label, factory_data_mount_t **out, const char **where)
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
    m->is_ours = !is_mounted(m->label);
    const esp_err_t err = m->is_ours ? init_partition(m->label, where) : ESP_OK;
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
    if (m->is_ours) {
        (void)nvs_flash_deinit_partition(m->label); /* the one possible error is that it is unmounted already */
    }
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

    err = mount(config->partition_label, &data->mount, where);
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
        nvs_close(handle->nvs);
        unmount(handle->mount);
        free(handle);
    }
}
