/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <stdio.h>

#include "console.h"
#include "esp_console.h"
#include "esp_err.h"
#include "esp_system.h"
#include "factory_data.h"

#define BLOB_BYTES_SHOWN 16

static void print_row(const factory_data_item_t *item, void *context)
{
    (void)context;
    printf("  %-15s  %-7s  ", item->key, factory_data_type_name(item->type));
    if (item->error != ESP_OK) {
        printf("(%s)\n", esp_err_to_name(item->error));
        return;
    }
    switch (item->type) {
    case NVS_TYPE_STR:
        printf("%s\n", (const char *)item->value.bytes.data);
        break;
    case NVS_TYPE_BLOB: {
        const uint8_t *bytes = item->value.bytes.data;
        for (size_t i = 0; i < item->value.bytes.size && i < BLOB_BYTES_SHOWN; i++) {
            printf("%02X ", bytes[i]);
        }
        printf("%s(%u bytes)\n", item->value.bytes.size > BLOB_BYTES_SHOWN ? "... " : "",
               (unsigned)item->value.bytes.size);
        break;
    }
    case NVS_TYPE_I8:
    case NVS_TYPE_I16:
    case NVS_TYPE_I32:
    case NVS_TYPE_I64:
        printf("%" PRId64 "\n", item->value.i);
        break;
    default:
        printf("%" PRIu64 "\n", item->value.u);
        break;
    }
}

void console_print_factory(const factory_data_sink_t *sink)
{
    const factory_data_config_t config = FACTORY_DATA_CONFIG_DEFAULT();
    factory_data_failure_t failure;
    factory_data_handle_t factory = NULL;
    if (factory_data_open(&config, &factory, &failure) != ESP_OK) {
        factory_data_report_failure(&config, &failure, sink);
        return;
    }
    (void)factory_data_report(factory, sink); /* an error is in the report */
    factory_data_close(factory);

    /* Opened anew for the table: reading a damaged value hides it from the next reader of the same mount. */
    if (factory_data_open(&config, &factory, &failure) == ESP_OK) {
        printf("Factory data: partition '%s', namespace '%s'\n", config.partition_label, config.namespace_name);
        (void)factory_data_for_each(factory, print_row, NULL);
        factory_data_close(factory);
    }
}

static int run_factory(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    console_print_factory(console_sink());
    return 0;
}

static int run_restart(int argc, char **argv)
{
    (void)argc;
    console_answer_done(argv[0]);
    esp_restart();
}

static int run_help(int argc, char **argv);

static const esp_console_cmd_t COMMANDS[] = {
    {.command = "factory", .help = "Report the factory data", .func = run_factory},
    {.command = "restart", .help = "Restart the application", .func = run_restart},
    {.command = "help", .help = "This list", .func = run_help},
};

/* Not esp_console's own help: it does not end its answer in a report line. */
static int run_help(int argc, char **argv)
{
    (void)argc;
    for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++) {
        printf("  %-12s  %s\n", COMMANDS[i].command, COMMANDS[i].help);
    }
    console_answer_done(argv[0]);
    return 0;
}

void console_register_commands(void)
{
    for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++) {
        const esp_err_t err = esp_console_cmd_register(&COMMANDS[i]);
        if (err != ESP_OK) {
            console_answer_error("esp_console_cmd_register", err);
        }
    }
}
