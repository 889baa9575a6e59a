/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "factory_data_private.h"

typedef struct {
    const factory_data_sink_t *sink;
    unsigned items;
} report_t;

const char *factory_data_type_name(nvs_type_t type)
{
    switch (type) {
    case NVS_TYPE_U8: return "u8";
    case NVS_TYPE_I8: return "i8";
    case NVS_TYPE_U16: return "u16";
    case NVS_TYPE_I16: return "i16";
    case NVS_TYPE_U32: return "u32";
    case NVS_TYPE_I32: return "i32";
    case NVS_TYPE_U64: return "u64";
    case NVS_TYPE_I64: return "i64";
    case NVS_TYPE_STR: return "str";
    case NVS_TYPE_BLOB: return "blob";
    default: return "unknown";
    }
}

static void begin_error(factory_data_line_t *line, const factory_data_sink_t *sink, const char *where, esp_err_t code)
{
    factory_data_line_begin(line, sink, "error");
    factory_data_line_text(line, "where", where);
    factory_data_line_text(line, "code", esp_err_to_name(code));
}

static void write_value(factory_data_line_t *line, const factory_data_item_t *item)
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
        factory_data_line_base64(line, "value", item->value.bytes.data, item->value.bytes.size);
        break;
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
    if (item->error == ESP_OK) {
        factory_data_line_begin(&line, report->sink, "item");
    } else {
        begin_error(&line, report->sink, item->where, item->error);
    }
    factory_data_line_text(&line, "partition", item->partition_label);
    factory_data_line_text(&line, "namespace", item->namespace_name);
    factory_data_line_text(&line, "key", item->key);
    factory_data_line_text(&line, "type", factory_data_type_name(item->type));
    if (item->error == ESP_OK) {
        write_value(&line, item);
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

static void report_error(const factory_data_sink_t *sink, const char *where, esp_err_t code, const char *partition_label,
                         const char *namespace_name)
{
    factory_data_line_t line;
    begin_error(&line, sink, where, code);
    factory_data_line_text(&line, "partition", partition_label);
    factory_data_line_text(&line, "namespace", namespace_name);
    factory_data_line_end(&line);
}

esp_err_t factory_data_report(factory_data_handle_t handle, const factory_data_sink_t *sink)
{
    if (handle == NULL || sink == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    report_t report = {.sink = sink};
    const esp_err_t err = factory_data_for_each(handle, report_item, &report);
    if (err != ESP_OK) {
        report_error(sink, "nvs_entry_next", err, handle->mount->label, handle->namespace_name);
    }
    report_end(sink, handle->mount->label, report.items);
    return err;
}

void factory_data_report_failure(const factory_data_config_t *config, const factory_data_failure_t *failure,
                                 const factory_data_sink_t *sink)
{
    report_error(sink, failure->where, failure->code, config->partition_label, config->namespace_name);
    report_end(sink, config->partition_label, 0);
}
