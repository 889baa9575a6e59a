/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "factory_data_private.h"

/* The names that have been seen. */
typedef struct {
    char (*names)[NVS_NS_NAME_MAX_SIZE];
    size_t count;
} seen_t;

static bool has(const seen_t *seen, const char *name)
{
    size_t i = 0;
    while (i < seen->count && strcmp(seen->names[i], name) != 0) {
        i++;
    }
    return i < seen->count;
}

static esp_err_t add(seen_t *seen, const char name[NVS_NS_NAME_MAX_SIZE])
{
    void *grown = realloc(seen->names, (seen->count + 1) * sizeof(seen->names[0]));
    if (grown == NULL) {
        return ESP_ERR_NO_MEM;
    }
    seen->names = grown;
    memcpy(seen->names[seen->count++], name, sizeof(seen->names[0]));
    return ESP_OK;
}

/* An entry whose namespace is damaged has no name, or the one before it. */
static esp_err_t show_new(nvs_iterator_t entry, seen_t *seen, factory_data_visit_namespace_t visit, void *context)
{
    nvs_entry_info_t info;
    esp_err_t err = nvs_entry_info(entry, &info);
    if (err != ESP_OK || info.namespace_name[0] == '\0' || has(seen, info.namespace_name)) {
        return err;
    }
    err = add(seen, info.namespace_name);
    if (err == ESP_OK) {
        visit(info.namespace_name, context);
    }
    return err;
}

esp_err_t factory_data_for_each_namespace(factory_data_handle_t handle, factory_data_visit_namespace_t visit,
                                          void *context)
{
    if (handle == NULL || visit == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    seen_t seen = {0};
    nvs_iterator_t entry = NULL;
    esp_err_t err = nvs_find_key(handle->nvs, handle->namespace_name, NULL); /* asks only whether the handle is valid */
    if (err != ESP_ERR_NVS_INVALID_HANDLE) {
        err = nvs_entry_find(handle->mount->label, NULL, NVS_TYPE_ANY, &entry);
    }
    while (err == ESP_OK) {
        err = show_new(entry, &seen, visit, context);
        if (err == ESP_OK) {
            err = nvs_entry_next(&entry);
        }
    }
    nvs_release_iterator(entry);
    free(seen.names);
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}
