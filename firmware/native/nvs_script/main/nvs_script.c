/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Calls nvs_flash as its stdin says, and prints what it answered: a program for tests, which runs over the port in
 * firmware/native and over Espressif's nvs_flash on ESP-IDF's linux target, on a flash file that FCTRY_FLASH_FILE names.
 *
 *     mount LABEL                    nvs_flash_init_partition
 *     mount-encrypted LABEL HEX      nvs_flash_secure_init_partition; HEX: both keys. Not on ESP-IDF's linux target
 *     unmount LABEL                  nvs_flash_deinit_partition
 *     erase LABEL                    nvs_flash_erase_partition
 *     open LABEL NAMESPACE ro|rw     nvs_open_from_partition; later commands use this handle
 *     close
 *     set TYPE KEY HEX               TYPE: u8 … i64, float, double, str, blob; HEX: the value's bytes, numbers little endian
 *     get TYPE KEY
 *     remove KEY                     nvs_erase_key
 *     clear                          nvs_erase_all
 *     list LABEL                     every entry of every namespace, read by its getter
 *     stats LABEL
 *
 * Each answer is zero or more lines and one with the name of an error; a value is printed only if that is ESP_OK.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_err.h"
#include "esp_idf_version.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "port.h"
#include "sdkconfig.h"

#define HAS_FLOAT (ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 1, 0))
#define LINE_BYTES (1 << 21)
#define VALUE_BYTES (1 << 19)
#define WORDS_MAX 4

static char s_line[LINE_BYTES];
static unsigned char s_value[VALUE_BYTES];
static nvs_handle_t s_handle;

static const struct {
    const char *name;
    nvs_type_t type;
} TYPES[] = {
    {"u8", NVS_TYPE_U8},   {"i8", NVS_TYPE_I8},   {"u16", NVS_TYPE_U16}, {"i16", NVS_TYPE_I16}, {"u32", NVS_TYPE_U32},
    {"i32", NVS_TYPE_I32}, {"u64", NVS_TYPE_U64}, {"i64", NVS_TYPE_I64}, {"str", NVS_TYPE_STR}, {"blob", NVS_TYPE_BLOB},
#if HAS_FLOAT
    {"float", NVS_TYPE_FLOAT}, {"double", NVS_TYPE_DOUBLE},
#endif
};

static nvs_type_t type_of(const char *name)
{
    for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++) {
        if (strcmp(TYPES[i].name, name) == 0) {
            return TYPES[i].type;
        }
    }
    return NVS_TYPE_ANY;
}

static size_t parse_hex(const char *hex)
{
    size_t size = 0;
    for (; size < sizeof(s_value) - 1 && hex[0] != '\0' && hex[1] != '\0'; hex += 2) { /* sscanf measures all that follows */
        s_value[size++] = (unsigned char)strtoul((char[]){hex[0], hex[1], '\0'}, NULL, 16);
    }
    s_value[size] = '\0';
    return size;
}

static void print_hex(size_t size)
{
    static const char HEX[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        putchar(HEX[s_value[i] >> 4]);
        putchar(HEX[s_value[i] & 15]);
    }
}

#if HAS_FLOAT
static esp_err_t set_float(const char *key)
{
    float value;
    memcpy(&value, s_value, sizeof(value));
    return nvs_set_float(s_handle, key, value);
}

static esp_err_t set_double(const char *key)
{
    double value;
    memcpy(&value, s_value, sizeof(value));
    return nvs_set_double(s_handle, key, value);
}
#endif

static esp_err_t set(const char *type, const char *key, const char *hex)
{
    const size_t size = parse_hex(hex);
    uint64_t u = 0;
    memcpy(&u, s_value, size < sizeof(u) ? size : sizeof(u));
    switch (type_of(type)) {
    case NVS_TYPE_U8: return nvs_set_u8(s_handle, key, (uint8_t)u);
    case NVS_TYPE_I8: return nvs_set_i8(s_handle, key, (int8_t)u);
    case NVS_TYPE_U16: return nvs_set_u16(s_handle, key, (uint16_t)u);
    case NVS_TYPE_I16: return nvs_set_i16(s_handle, key, (int16_t)u);
    case NVS_TYPE_U32: return nvs_set_u32(s_handle, key, (uint32_t)u);
    case NVS_TYPE_I32: return nvs_set_i32(s_handle, key, (int32_t)u);
    case NVS_TYPE_U64: return nvs_set_u64(s_handle, key, u);
    case NVS_TYPE_I64: return nvs_set_i64(s_handle, key, (int64_t)u);
#if HAS_FLOAT
    case NVS_TYPE_FLOAT: return set_float(key);
    case NVS_TYPE_DOUBLE: return set_double(key);
#endif
    case NVS_TYPE_STR: return nvs_set_str(s_handle, key, (const char *)s_value);
    case NVS_TYPE_BLOB: return nvs_set_blob(s_handle, key, s_value, size);
    default: return ESP_ERR_INVALID_ARG;
    }
}

static esp_err_t get_bytes(nvs_handle_t handle, bool is_string, const char *key, size_t *size)
{
    const esp_err_t err = is_string ? nvs_get_str(handle, key, NULL, size) : nvs_get_blob(handle, key, NULL, size);
    if (err != ESP_OK || *size > sizeof(s_value)) {
        return err != ESP_OK ? err : ESP_ERR_NO_MEM;
    }
    return is_string ? nvs_get_str(handle, key, (char *)s_value, size) : nvs_get_blob(handle, key, s_value, size);
}

static esp_err_t get(nvs_handle_t handle, nvs_type_t type, const char *key, size_t *size)
{
    void *out = s_value;
    *size = (unsigned)type & 15; /* of a number */
    switch (type) {
    case NVS_TYPE_U8: return nvs_get_u8(handle, key, out);
    case NVS_TYPE_I8: return nvs_get_i8(handle, key, out);
    case NVS_TYPE_U16: return nvs_get_u16(handle, key, out);
    case NVS_TYPE_I16: return nvs_get_i16(handle, key, out);
    case NVS_TYPE_U32: return nvs_get_u32(handle, key, out);
    case NVS_TYPE_I32: return nvs_get_i32(handle, key, out);
    case NVS_TYPE_U64: return nvs_get_u64(handle, key, out);
    case NVS_TYPE_I64: return nvs_get_i64(handle, key, out);
#if HAS_FLOAT
    case NVS_TYPE_FLOAT: return nvs_get_float(handle, key, out);
    case NVS_TYPE_DOUBLE: return nvs_get_double(handle, key, out);
#endif
    case NVS_TYPE_STR: return get_bytes(handle, true, key, size);
    case NVS_TYPE_BLOB: return get_bytes(handle, false, key, size);
    default: return ESP_ERR_INVALID_ARG;
    }
}

static void list_entry(const char *label, const nvs_entry_info_t *info)
{
    nvs_handle_t handle;
    size_t size = 0;
    esp_err_t err = nvs_open_from_partition(label, info->namespace_name, NVS_READONLY, &handle);
    if (err == ESP_OK) {
        err = get(handle, info->type, info->key, &size);
        nvs_close(handle);
    }
    printf("%s/%s %02x %s ", info->namespace_name, info->key, (unsigned)info->type, esp_err_to_name(err));
    print_hex(err == ESP_OK ? size : 0);
    putchar('\n');
}

static esp_err_t list(const char *label)
{
    nvs_iterator_t it = NULL;
    esp_err_t err = nvs_entry_find(label, NULL, NVS_TYPE_ANY, &it);
    while (err == ESP_OK) {
        nvs_entry_info_t info;
        err = nvs_entry_info(it, &info);
        if (err == ESP_OK) {
            list_entry(label, &info);
            err = nvs_entry_next(&it);
        }
    }
    nvs_release_iterator(it);
    return err;
}

static esp_err_t stats(const char *label)
{
    nvs_stats_t found;
    const esp_err_t err = nvs_get_stats(label, &found);
    if (err == ESP_OK) {
        printf("used %u free %u available %u total %u namespaces %u\n", (unsigned)found.used_entries,
               (unsigned)found.free_entries, (unsigned)found.available_entries, (unsigned)found.total_entries,
               (unsigned)found.namespace_count);
    }
    return err;
}

static esp_err_t get_and_print(const char *type, const char *key)
{
    size_t size = 0;
    const esp_err_t err = get(s_handle, type_of(type), key, &size);
    if (err == ESP_OK) {
        print_hex(size);
        putchar('\n');
    }
    return err;
}

static esp_err_t mount_encrypted(const char *label, const char *hex)
{
#if CONFIG_IDF_TARGET_LINUX
    (void)label;
    (void)hex;
    return ESP_ERR_NOT_SUPPORTED;
#else
    nvs_sec_cfg_t keys;
    if (parse_hex(hex) != sizeof(keys)) {
        return ESP_ERR_INVALID_SIZE;
    }
    memcpy(&keys, s_value, sizeof(keys));
    return nvs_flash_secure_init_partition(label, &keys);
#endif
}

static esp_err_t run(const char *const words[WORDS_MAX])
{
    const char *command = words[0];
    if (strcmp(command, "mount") == 0) {
        return nvs_flash_init_partition(words[1]);
    }
    if (strcmp(command, "mount-encrypted") == 0) {
        return mount_encrypted(words[1], words[2]);
    }
    if (strcmp(command, "unmount") == 0) {
        return nvs_flash_deinit_partition(words[1]);
    }
    if (strcmp(command, "erase") == 0) {
        return nvs_flash_erase_partition(words[1]);
    }
    if (strcmp(command, "open") == 0) {
        const nvs_open_mode_t mode = strcmp(words[3], "rw") == 0 ? NVS_READWRITE : NVS_READONLY;
        return nvs_open_from_partition(words[1], words[2], mode, &s_handle);
    }
    if (strcmp(command, "close") == 0) {
        nvs_close(s_handle);
        return ESP_OK;
    }
    if (strcmp(command, "set") == 0) {
        return set(words[1], words[2], words[3]);
    }
    if (strcmp(command, "get") == 0) {
        return get_and_print(words[1], words[2]);
    }
    if (strcmp(command, "remove") == 0) {
        return nvs_erase_key(s_handle, words[1]);
    }
    if (strcmp(command, "clear") == 0) {
        return nvs_erase_all(s_handle);
    }
    if (strcmp(command, "list") == 0) {
        return list(words[1]);
    }
    return strcmp(command, "stats") == 0 ? stats(words[1]) : ESP_ERR_NOT_SUPPORTED;
}

static void read_line(void)
{
    size_t length = 0;
    int byte;
    while ((byte = port_read_byte(1000)) != '\n') {
        if (byte != PORT_NO_BYTE && length < sizeof(s_line) - 1) {
            s_line[length++] = (char)byte;
        }
    }
    s_line[length] = '\0';
}

void app_main(void); /* ESP-IDF declares it nowhere */

void app_main(void)
{
    port_init();
    for (;;) {
        const char *words[WORDS_MAX] = {"", "", "", ""};
        read_line();
        char *word = strtok(s_line, " ");
        for (size_t i = 0; i < WORDS_MAX && word != NULL; i++) {
            words[i] = word;
            word = strtok(NULL, " ");
        }
        printf("%s\n", esp_err_to_name(run(words)));
        (void)fflush(stdout);
    }
}
