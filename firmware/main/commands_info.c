/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>

#include "app_info.h"
#include "commands.h"
#include "console.h"
#include "esp_partition.h"
#include "port.h"

static void write_mac(factory_data_line_t *line, const char *name, bool is_base)
{
    uint8_t mac[6];
    if (port_read_mac(is_base, mac)) {
        char text[sizeof("00:11:22:33:44:55")];
        (void)snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                       mac[5]);
        factory_data_line_text(line, name, text);
    }
}

static void report_application(void)
{
    factory_data_line_t line;
    factory_data_line_begin(&line, console_sink(), "info");
    app_info_write(&line);
    factory_data_line_text(&line, "target", CONFIG_IDF_TARGET);
    write_mac(&line, "mac", false);
    write_mac(&line, "base_mac", true);
    factory_data_line_end(&line);
}

static void report_partition(const esp_partition_t *partition)
{
    factory_data_line_t line;
    factory_data_line_begin(&line, console_sink(), "partition");
    factory_data_line_text(&line, "label", partition->label);
    factory_data_line_unsigned(&line, "type", (unsigned)partition->type);
    factory_data_line_unsigned(&line, "subtype", (unsigned)partition->subtype);
    factory_data_line_unsigned(&line, "offset", partition->address);
    factory_data_line_unsigned(&line, "size", partition->size);
    factory_data_line_bool(&line, "readonly", partition->readonly);
    factory_data_line_end(&line);
}

static void report_partitions(void)
{
    esp_partition_iterator_t it = esp_partition_find(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);
    for (; it != NULL; it = esp_partition_next(it)) {
        report_partition(esp_partition_get(it));
    }
}

static void report_entries(const factory_data_config_t *place)
{
    nvs_stats_t stats;
    const esp_err_t err = nvs_get_stats(place->partition_label, &stats);
    if (err != ESP_OK) {
        console_answer_error("nvs_get_stats", err, place, NULL);
        return;
    }
    factory_data_line_t line;
    factory_data_line_begin(&line, console_sink(), "entries");
    factory_data_line_text(&line, "partition", place->partition_label);
    factory_data_line_unsigned(&line, "used", stats.used_entries);
    factory_data_line_unsigned(&line, "free", stats.free_entries);
    factory_data_line_unsigned(&line, "available", stats.available_entries);
    factory_data_line_unsigned(&line, "total", stats.total_entries);
    factory_data_line_unsigned(&line, "namespaces", stats.namespace_count);
    factory_data_line_end(&line);
}

esp_err_t command_info(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    const factory_data_config_t factory_place = FACTORY_DATA_CONFIG_DEFAULT();
    const factory_data_config_t user_place = {.partition_label = NVS_DEFAULT_PART_NAME, .namespace_name = ""};
    factory_data_failure_t failure;
    factory_data_handle_t factory = NULL;
    report_application();
    report_partitions();
    report_entries(&user_place);
    if (open_factory(&factory_place, &factory, &failure) == ESP_OK) {
        report_entries(&factory_place);
        factory_data_close(factory);
    } else {
        console_answer_error(failure.where, failure.code, &factory_place, NULL);
    }
    return ESP_OK; /* errors are part of the information */
}
