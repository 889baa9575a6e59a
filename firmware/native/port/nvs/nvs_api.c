/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The C interface of nvs_flash: mounted partitions, handles, iterators.
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_api.cpp, nvs_partition_manager.cpp, nvs_handle_simple.cpp.
 */
#include <stdlib.h>
#include <string.h>

#include "nvs.h"
#include "nvs_flash.h"
#include "nvs_storage.h"

typedef struct handle {
    struct handle *next;
    nvs_handle_t number;
    nvs_storage_t *storage;
    uint8_t namespace_index;
    bool is_readonly;
} handle_t;

struct nvs_opaque_iterator_t {
    nvs_storage_t *storage;
    nvs_type_t type;
    uint8_t namespace_index;
    size_t page; /* index in storage->used */
    size_t index;
    nvs_entry_info_t info;
};

static nvs_storage_t *s_storages;
static handle_t *s_handles;
static nvs_handle_t s_last_handle;

static nvs_storage_t *find_storage(const char *label)
{
    nvs_storage_t *storage = s_storages;
    while (storage != NULL && strcmp(storage->partition->label, label) != 0) {
        storage = storage->next;
    }
    return storage;
}

static handle_t *find_handle(nvs_handle_t number)
{
    handle_t *handle = s_handles;
    while (handle != NULL && handle->number != number) {
        handle = handle->next;
    }
    return handle;
}

/* --- partitions --------------------------------------------------------------------------------------------------- */

esp_err_t nvs_flash_init(void)
{
    return nvs_flash_init_partition(NVS_DEFAULT_PART_NAME);
}

esp_err_t nvs_flash_init_partition(const char *label)
{
    if (strlen(label) > NVS_PART_NAME_MAX_SIZE) {
        return ESP_ERR_INVALID_ARG;
    }
    if (find_storage(label) != NULL) {
        return ESP_OK;
    }
    const esp_partition_t *partition =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, label);
    if (partition == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (partition->encrypted) {
        return ESP_ERR_NVS_WRONG_ENCRYPTION;
    }
    nvs_storage_t *storage;
    const esp_err_t err = nvs_storage_open(partition, &storage);
    if (err == ESP_OK) {
        storage->next = s_storages;
        s_storages = storage;
    }
    return err;
}

static void close_handles(const nvs_storage_t *storage)
{
    for (handle_t **link = &s_handles; *link != NULL;) {
        handle_t *handle = *link;
        if (handle->storage == storage) {
            *link = handle->next;
            free(handle);
        } else {
            link = &handle->next;
        }
    }
}

esp_err_t nvs_flash_deinit_partition(const char *label)
{
    nvs_storage_t *storage = find_storage(label);
    if (storage == NULL) {
        return ESP_ERR_NVS_NOT_INITIALIZED;
    }
    close_handles(storage);
    for (nvs_storage_t **link = &s_storages; *link != NULL; link = &(*link)->next) {
        if (*link == storage) {
            *link = storage->next;
            break;
        }
    }
    nvs_storage_close(storage);
    return ESP_OK;
}

esp_err_t nvs_flash_deinit(void)
{
    return nvs_flash_deinit_partition(NVS_DEFAULT_PART_NAME);
}

esp_err_t nvs_flash_erase_partition(const char *label)
{
    if (find_storage(label) != NULL) {
        (void)nvs_flash_deinit_partition(label);
    }
    const esp_partition_t *partition =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, label);
    return partition == NULL ? ESP_ERR_NOT_FOUND : esp_partition_erase_range(partition, 0, partition->size);
}

esp_err_t nvs_flash_erase(void)
{
    return nvs_flash_erase_partition(NVS_DEFAULT_PART_NAME);
}

/* --- handles ------------------------------------------------------------------------------------------------------ */

esp_err_t nvs_open_from_partition(const char *label, const char *namespace_name, nvs_open_mode_t mode,
                                  nvs_handle_t *out)
{
    if (s_storages == NULL) {
        return ESP_ERR_NVS_NOT_INITIALIZED;
    }
    nvs_storage_t *storage = find_storage(label);
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
    handle_t *handle = malloc(sizeof(*handle));
    if (handle == NULL) {
        return ESP_ERR_NO_MEM;
    }
    *handle = (handle_t){
        .next = s_handles,
        .number = ++s_last_handle,
        .storage = storage,
        .namespace_index = namespace_index,
        .is_readonly = mode == NVS_READONLY,
    };
    s_handles = handle;
    *out = handle->number;
    return ESP_OK;
}

esp_err_t nvs_open(const char *namespace_name, nvs_open_mode_t mode, nvs_handle_t *out)
{
    return nvs_open_from_partition(NVS_DEFAULT_PART_NAME, namespace_name, mode, out);
}

void nvs_close(nvs_handle_t number)
{
    for (handle_t **link = &s_handles; *link != NULL; link = &(*link)->next) {
        if ((*link)->number == number) {
            handle_t *handle = *link;
            *link = handle->next;
            free(handle);
            return;
        }
    }
}

esp_err_t nvs_commit(nvs_handle_t number)
{
    return find_handle(number) == NULL ? ESP_ERR_NVS_INVALID_HANDLE : ESP_OK; /* every write is in flash already */
}

/* --- values ------------------------------------------------------------------------------------------------------- */

static esp_err_t set_value(nvs_handle_t number, nvs_item_type_t type, const char *key, const void *data, size_t size)
{
    const handle_t *handle = find_handle(number);
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
    const handle_t *handle = find_handle(number);
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
    const handle_t *handle = find_handle(number);
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
    const handle_t *handle = find_handle(number);
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
    const handle_t *handle = find_handle(number);
    if (handle == NULL) {
        return ESP_ERR_NVS_INVALID_HANDLE;
    }
    return handle->is_readonly ? ESP_ERR_NVS_READ_ONLY
                               : nvs_storage_erase(handle->storage, handle->namespace_index, key);
}

esp_err_t nvs_erase_all(nvs_handle_t number)
{
    const handle_t *handle = find_handle(number);
    if (handle == NULL) {
        return ESP_ERR_NVS_INVALID_HANDLE;
    }
    return handle->is_readonly ? ESP_ERR_NVS_READ_ONLY
                               : nvs_storage_erase_namespace(handle->storage, handle->namespace_index);
}

/* --- counting ----------------------------------------------------------------------------------------------------- */

esp_err_t nvs_get_stats(const char *label, nvs_stats_t *stats)
{
    if (stats == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *stats = (nvs_stats_t){0};
    const nvs_storage_t *storage = find_storage(label != NULL ? label : NVS_DEFAULT_PART_NAME);
    return storage == NULL ? ESP_ERR_NVS_NOT_INITIALIZED : nvs_storage_stats(storage, stats);
}

esp_err_t nvs_get_used_entry_count(nvs_handle_t number, size_t *count)
{
    if (count == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *count = 0;
    const handle_t *handle = find_handle(number);
    return handle == NULL ? ESP_ERR_NVS_INVALID_HANDLE
                          : nvs_storage_count(handle->storage, handle->namespace_index, count);
}

/* --- iterators ---------------------------------------------------------------------------------------------------- */

/* A blob is shown once, by its first chunk. Blobs of version 1 are not shown, as nvs_flash has it. */
static bool is_shown(const nvs_entry_t *entry)
{
    if (entry->namespace_index == NVS_NAMESPACE_OF_NAMESPACES || entry->type == NVS_ITEM_BLOB ||
        entry->type == NVS_ITEM_BLOB_IDX) {
        return false;
    }
    return entry->type != NVS_ITEM_BLOB_DATA || entry->chunk_index == NVS_CHUNK_START_0 ||
           entry->chunk_index == NVS_CHUNK_START_1;
}

static void fill_info(nvs_iterator_t it, const nvs_entry_t *entry)
{
    const char *name = nvs_storage_namespace_name(it->storage, entry->namespace_index);
    if (name != NULL) { /* else the name of the entry before stays, as nvs_flash has it */
        strcpy(it->info.namespace_name, name);
    }
    it->info.type = (nvs_type_t)entry->type;
    memset(it->info.key, 0, sizeof(it->info.key));
    memcpy(it->info.key, entry->key, strnlen(entry->key, NVS_KEY_CHARS_MAX));
}

static bool advance(nvs_iterator_t it)
{
    const nvs_query_t query = {
        .namespace_index = it->namespace_index,
        .type = (uint8_t)it->type,
        .chunk_index = NVS_CHUNK_ANY,
        .chunk_start = NVS_CHUNK_START_ANY,
    };
    for (; it->page < it->storage->used_count; it->page++, it->index = 0) {
        nvs_entry_t entry = {0};
        esp_err_t err;
        while ((err = nvs_page_find(it->storage->used[it->page], &query, &it->index, &entry)) != ESP_ERR_NVS_NOT_FOUND) {
            it->index += entry.span;
            if (err == ESP_OK && is_shown(&entry)) {
                fill_info(it, &entry);
                return true;
            }
        }
    }
    return false;
}

esp_err_t nvs_entry_find(const char *label, const char *namespace_name, nvs_type_t type, nvs_iterator_t *out)
{
    if (label == NULL || out == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *out = NULL;
    nvs_storage_t *storage = find_storage(label);
    if (storage == NULL) {
        return ESP_ERR_NVS_NOT_FOUND;
    }
    uint8_t namespace_index = NVS_NAMESPACE_ANY;
    if (namespace_name != NULL && nvs_storage_namespace(storage, namespace_name, false, &namespace_index) != ESP_OK) {
        return ESP_ERR_NVS_NOT_FOUND;
    }
    nvs_iterator_t it = calloc(1, sizeof(*it));
    if (it == NULL) {
        return ESP_ERR_NO_MEM;
    }
    it->storage = storage;
    it->type = type;
    it->namespace_index = namespace_index;
    *out = it;
    return nvs_entry_next(out);
}

esp_err_t nvs_entry_next(nvs_iterator_t *it)
{
    if (it == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (advance(*it)) {
        return ESP_OK;
    }
    nvs_release_iterator(*it);
    *it = NULL;
    return ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t nvs_entry_info(const nvs_iterator_t it, nvs_entry_info_t *info)
{
    if (it == NULL || info == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *info = it->info;
    return ESP_OK;
}

void nvs_release_iterator(nvs_iterator_t it)
{
    free(it);
}
