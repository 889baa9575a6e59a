/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "factory_data_private.h"

/* A larger blob goes in pieces, a line each: while a line is written, no other task can print, at 115,200 baud for 0.2 s. It
 * must be a multiple of 3, so that the pieces' base64 has no padding. */
#define PART_BYTES_MAX 1536

typedef struct {
    const factory_data_sink_t *sink;
    unsigned items;
    unsigned errors;
} report_t;

static const struct {
    nvs_type_t type;
    const char *name;
} TYPES[] = {
    {NVS_TYPE_U8, "u8"},   {NVS_TYPE_I8, "i8"},   {NVS_TYPE_U16, "u16"}, {NVS_TYPE_I16, "i16"}, {NVS_TYPE_U32, "u32"},
    {NVS_TYPE_I32, "i32"}, {NVS_TYPE_U64, "u64"}, {NVS_TYPE_I64, "i64"}, {NVS_TYPE_STR, "str"}, {NVS_TYPE_BLOB, "blob"},
#if FACTORY_DATA_HAS_FLOAT
    {NVS_TYPE_FLOAT, "float"}, {NVS_TYPE_DOUBLE, "double"},
#endif
};

const char *factory_data_type_name(nvs_type_t type)
{
    for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++) {
        if (TYPES[i].type == type) {
            return TYPES[i].name;
        }
    }
    return "unknown";
}

nvs_type_t factory_data_type_of(const char *name)
{
    for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++) {
        if (strcmp(TYPES[i].name, name) == 0) {
            return TYPES[i].type;
        }
    }
    return NVS_TYPE_ANY;
}

static void begin_error(factory_data_line_t *line, const factory_data_sink_t *sink, const char *where, esp_err_t code)
{
    factory_data_line_begin(line, sink, "error");
    factory_data_line_text(line, "where", where);
    factory_data_line_text(line, "code", esp_err_to_name(code));
}

static void write_names(factory_data_line_t *line, const factory_data_item_t *item)
{
    factory_data_line_text(line, "partition", item->partition_label);
    factory_data_line_text(line, "namespace", item->namespace_name);
    factory_data_line_text(line, "key", item->key);
    factory_data_line_text(line, "type", factory_data_type_name(item->type));
}

/* Write `part` lines with the beginning of a blob. Returns how many bytes are in them; the rest fits into its item line. */
static size_t write_parts(const factory_data_sink_t *sink, const factory_data_item_t *item)
{
    size_t offset = 0;
    while (item->type == NVS_TYPE_BLOB && item->value.bytes.size - offset > PART_BYTES_MAX) {
        factory_data_line_t line;
        factory_data_line_begin(&line, sink, "part");
        write_names(&line, item);
        factory_data_line_unsigned(&line, "offset", offset);
        factory_data_line_base64(&line, "value", (const uint8_t *)item->value.bytes.data + offset, PART_BYTES_MAX);
        factory_data_line_end(&line);
        offset += PART_BYTES_MAX;
    }
    return offset;
}

static void write_value(factory_data_line_t *line, const factory_data_item_t *item, size_t offset)
{
    switch (item->type) {
    case NVS_TYPE_STR:
        if (factory_data_is_utf8(item->value.bytes.data, item->value.bytes.size)) {
            factory_data_line_text(line, "value", item->value.bytes.data);
        } else {
            factory_data_line_base64(line, "base64", item->value.bytes.data, item->value.bytes.size);
        }
        break;
    case NVS_TYPE_BLOB:
        if (offset > 0) {
            factory_data_line_unsigned(line, "offset", offset);
        }
        factory_data_line_base64(line, "value", (const uint8_t *)item->value.bytes.data + offset,
                                 item->value.bytes.size - offset);
        break;
#if FACTORY_DATA_HAS_FLOAT
    case NVS_TYPE_FLOAT:
    case NVS_TYPE_DOUBLE:
        factory_data_line_float(line, "value", item->value.f);
        break;
#endif
    case NVS_TYPE_I8:
    case NVS_TYPE_I16:
    case NVS_TYPE_I32:
    case NVS_TYPE_I64:
        factory_data_line_signed(line, "value", item->value.i);
        break;
    default:
        factory_data_line_unsigned(line, "value", item->value.u);
        break;
    }
}

static void report_item(const factory_data_item_t *item, void *context)
{
    report_t *report = context;
    factory_data_line_t line;
    size_t offset = 0;
    if (item->is_secret) {
        factory_data_line_begin(&line, report->sink, "secret");
    } else if (item->error == ESP_OK) {
        offset = write_parts(report->sink, item);
        factory_data_line_begin(&line, report->sink, "item");
    } else {
        begin_error(&line, report->sink, item->where, item->error);
    }
    write_names(&line, item);
    if (item->error != ESP_OK) {
        report->errors++;
    } else if (!item->is_secret) {
        write_value(&line, item, offset);
        report->items++;
    }
    factory_data_line_end(&line);
}

static void report_end(const factory_data_sink_t *sink, const char *partition_label, unsigned items)
{
    factory_data_line_t line;
    factory_data_line_begin(&line, sink, "end");
    factory_data_line_text(&line, "partition", partition_label);
    factory_data_line_unsigned(&line, "items", items);
    factory_data_line_end(&line);
}

static void report_error(const factory_data_sink_t *sink, const char *where, esp_err_t code,
                         const factory_data_config_t *place, const char *key)
{
    factory_data_line_t line;
    begin_error(&line, sink, where, code);
    factory_data_line_text(&line, "partition", place->partition_label);
    factory_data_line_text(&line, "namespace", place->namespace_name);
    if (key != NULL) {
        factory_data_line_text(&line, "key", key);
    }
    factory_data_line_end(&line);
}

static factory_data_config_t place_of(factory_data_handle_t handle)
{
    return (factory_data_config_t){
        .partition_label = handle->mount->label,
        .namespace_name = handle->namespace_name,
    };
}

static esp_err_t report_all(factory_data_handle_t handle, report_t *report)
{
    const factory_data_config_t place = place_of(handle);
    const esp_err_t err = factory_data_for_each(handle, report_item, report);
    if (err != ESP_OK) {
        report_error(report->sink, "factory_data_for_each", err, &place, NULL);
    }
    return err;
}

esp_err_t factory_data_report(factory_data_handle_t handle, const factory_data_sink_t *sink)
{
    if (handle == NULL || sink == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    report_t report = {.sink = sink};
    const esp_err_t err = report_all(handle, &report);
    report_end(sink, handle->mount->label, report.items);
    return err;
}

static esp_err_t report_namespace(const factory_data_config_t *place, report_t *report)
{
    factory_data_failure_t failure;
    factory_data_handle_t handle = NULL;
    if (factory_data_open(place, &handle, &failure) != ESP_OK) {
        report_error(report->sink, failure.where, failure.code, place, NULL);
        return failure.code;
    }
    const esp_err_t err = report_all(handle, report);
    factory_data_close(handle);
    return err;
}

esp_err_t factory_data_report_namespaces(const char *partition_label, const char *namespaces,
                                         const factory_data_sink_t *sink)
{
    if (partition_label == NULL || namespaces == NULL || sink == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    report_t report = {.sink = sink};
    esp_err_t err = ESP_OK;
    for (const char *at = namespaces; *at != '\0';) {
        const size_t length = strcspn(at, ",");
        char name[NVS_NS_NAME_MAX_SIZE + 1] = ""; /* one that is too long is refused when it is opened */
        memcpy(name, at, length < sizeof(name) ? length : sizeof(name) - 1);
        const factory_data_config_t place = {.partition_label = partition_label, .namespace_name = name};
        const esp_err_t its = length > 0 ? report_namespace(&place, &report) : ESP_OK;
        err = at == namespaces ? its : err;
        at += length + (at[length] == ',');
    }
    report_end(sink, partition_label, report.items);
    return err;
}

esp_err_t factory_data_report_key(factory_data_handle_t handle, const char *key, nvs_type_t type,
                                  const factory_data_sink_t *sink)
{
    if (handle == NULL || key == NULL || sink == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    report_t report = {.sink = sink};
    const factory_data_config_t place = place_of(handle);
    const esp_err_t err = factory_data_visit(handle, key, type, report_item, &report);
    if (err != ESP_OK && report.errors == 0) {
        report_error(sink, "nvs_find_key", err, &place, key);
    }
    report_end(sink, place.partition_label, report.items);
    return err;
}

void factory_data_report_failure(const factory_data_config_t *config, const factory_data_failure_t *failure,
                                 const factory_data_sink_t *sink)
{
    report_error(sink, failure->where, failure->code, config, NULL);
    report_end(sink, config->partition_label, 0);
}
