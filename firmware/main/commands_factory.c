/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "console.h"
#include "esp_system.h"

#define BLOB_BYTES_SHOWN 16

/* Print text so that nothing in it moves the cursor, begins a line (which could pass for a report line) or is taken for an
 * escape sequence: control characters, also those of UTF-8's C1 block, are spelled. Filled up with spaces to `width`. */
static void print_text(const char *text, int width)
{
    int printed = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F) {
            printed += printf("\\x%02X\\x%02X", at[0], at[1]);
            at++;
        } else if (*at < 0x20 || *at == 0x7F) {
            printed += printf("\\x%02X", *at);
        } else {
            putchar(*at);
            printed++;
        }
    }
    printf("%*s", printed < width ? width - printed : 0, "");
}

static void print_row(const factory_data_item_t *item, void *context)
{
    (void)context;
    printf("  ");
    print_text(item->key, 15);
    printf("  %-4s  ", factory_data_type_name(item->type));
    if (item->is_secret || item->error != ESP_OK) {
        printf("(%s)\n", item->is_secret ? "secret" : esp_err_to_name(item->error));
        return;
    }
    switch (item->type) {
    case NVS_TYPE_STR:
        print_text((const char *)item->value.bytes.data, 0);
        printf("\n");
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
#if FACTORY_DATA_HAS_FLOAT
    case NVS_TYPE_FLOAT:
    case NVS_TYPE_DOUBLE:
        printf("%.17g\n", item->value.f);
        break;
#endif
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

esp_err_t open_factory(const factory_data_config_t *config, factory_data_handle_t *factory, factory_data_failure_t *failure)
{
    (void)factory_data_unmount(config->partition_label); /* nobody else here uses it; an error of it comes back when opening */
    return factory_data_open(config, factory, failure);
}

esp_err_t report_factory(const factory_data_sink_t *sink)
{
    const factory_data_config_t config = FACTORY_DATA_CONFIG_DEFAULT();
    factory_data_handle_t factory = NULL;
    (void)factory_data_unmount(config.partition_label);
    esp_err_t err = factory_data_report_namespaces(config.partition_label, FACTORY_DATA_REPORTED, sink);
    if (err == ESP_OK) {
        err = factory_data_open(&config, &factory, NULL);
    }
    if (err == ESP_OK) {
        /* Read again for people. What could not be read before is mostly missing now: nvs_flash hides it from then on. */
        printf("Factory data: partition '%s', namespace '%s'\n", config.partition_label, config.namespace_name);
        (void)factory_data_for_each(factory, print_row, NULL);
        factory_data_close(factory);
    }
    return err;
}

esp_err_t command_factory(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return report_factory(console_sink());
}

esp_err_t command_factory_get(int argc, char **argv)
{
    const factory_data_config_t config = FACTORY_DATA_CONFIG_DEFAULT();
    const nvs_type_t type = argc > 2 ? factory_data_type_of(argv[2]) : NVS_TYPE_ANY;
    factory_data_failure_t failure;
    factory_data_handle_t factory = NULL;
    if (argc > 2 && type == NVS_TYPE_ANY) {
        console_answer_error(argv[0], ESP_ERR_INVALID_ARG, NULL, NULL);
        return ESP_ERR_INVALID_ARG;
    }
    if (open_factory(&config, &factory, &failure) != ESP_OK) {
        factory_data_report_failure(&config, &failure, console_sink());
        return failure.code;
    }
    const esp_err_t err = factory_data_report_key(factory, argv[1], type, console_sink());
    factory_data_close(factory);
    return err;
}

#if CONFIG_FACTORY_DATA_SEAL_EFUSE
esp_err_t command_seal(int argc, char **argv)
{
    (void)argc;
    const esp_err_t err = strcmp(argv[1], "forever") == 0 ? factory_data_seal() : ESP_ERR_INVALID_ARG;
    if (err != ESP_OK) {
        console_answer_error("factory_data_seal", err, NULL, NULL);
        return err;
    }
    console_answer_done(argv[0], err);
    esp_restart();
}
#endif

/* Bytes of a hex string; 0 if it is none or too long. */
static size_t parse_hex(const char *hex, uint8_t *bytes, size_t bytes_max)
{
    const size_t length = strlen(hex);
    if (length % 2 != 0 || length / 2 > bytes_max || strspn(hex, "0123456789abcdefABCDEF") != length) {
        return 0;
    }
    for (size_t i = 0; i < length / 2; i++) {
        unsigned byte = 0;
        (void)sscanf(hex + 2 * i, "%2x", &byte);
        bytes[i] = (uint8_t)byte;
    }
    return length / 2;
}

static void answer_proof(const factory_data_config_t *place, const char *key,
                         const uint8_t proof[FACTORY_DATA_PROOF_BYTES])
{
    char hex[2 * FACTORY_DATA_PROOF_BYTES + 1];
    for (size_t i = 0; i < FACTORY_DATA_PROOF_BYTES; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", proof[i]);
    }
    factory_data_line_t line;
    factory_data_line_begin(&line, console_sink(), "proof");
    factory_data_line_text(&line, "partition", place->partition_label);
    factory_data_line_text(&line, "namespace", place->namespace_name);
    factory_data_line_text(&line, "key", key);
    factory_data_line_text(&line, "hmac", hex);
    factory_data_line_end(&line);
}

esp_err_t command_prove(int argc, char **argv)
{
    const factory_data_config_t place = {
        .partition_label = CONFIG_FACTORY_DATA_PARTITION_LABEL,
        .namespace_name = argv[1],
    };
    const char *key = argv[2];
    uint8_t challenge[FACTORY_DATA_CHALLENGE_BYTES_MAX];
    const size_t challenge_bytes = parse_hex(argv[3], challenge, sizeof(challenge));
    const nvs_type_t type = argc > 4 ? factory_data_type_of(argv[4]) : NVS_TYPE_ANY;
    uint8_t proof[FACTORY_DATA_PROOF_BYTES];
    factory_data_failure_t failure;
    factory_data_handle_t factory = NULL;
    if (argc > 4 && type == NVS_TYPE_ANY) {
        console_answer_error(argv[0], ESP_ERR_INVALID_ARG, NULL, NULL);
        return ESP_ERR_INVALID_ARG;
    }
    if (open_factory(&place, &factory, &failure) != ESP_OK) {
        console_answer_error(failure.where, failure.code, &place, NULL);
        return failure.code;
    }
    const esp_err_t err = factory_data_prove(factory, key, type, challenge, challenge_bytes, proof);
    factory_data_close(factory);
    if (err != ESP_OK) {
        console_answer_error("factory_data_prove", err, &place, key);
        return err;
    }
    answer_proof(&place, key, proof);
    return ESP_OK;
}
