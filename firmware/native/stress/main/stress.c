/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two tasks that open, read, close, unmount and reset as fast as they can, for ThreadSanitizer and for a chip's heap checks.
 * Every answer must be one that these calls may give beside each other; the first that is not ends the program.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "factory_data.h"
#include "nvs_flash.h"

#define ROUNDS_DEFAULT 10000

static unsigned s_rounds = ROUNDS_DEFAULT;

static void expect(const char *what, esp_err_t err, esp_err_t allowed)
{
    if (err != ESP_OK && err != allowed) {
        printf("%s: %s\n", what, esp_err_to_name(err));
        (void)fflush(stdout);
        abort();
    }
}

static void count(const factory_data_item_t *item, void *context)
{
    if (item->error == ESP_OK) {
        (*(unsigned *)context)++;
    }
}

static void count_namespace(const char *name, void *context)
{
    (void)name;
    (*(unsigned *)context)++;
}

static void run_round(void)
{
    const factory_data_config_t config = FACTORY_DATA_CONFIG_DEFAULT();
    factory_data_handle_t factory = NULL;
    char text[64];
    size_t size = sizeof(text);
    unsigned items = 0;
    uint8_t proof[FACTORY_DATA_PROOF_BYTES];
    expect("open", factory_data_open(&config, &factory, NULL), ESP_OK);
    expect("for_each", factory_data_for_each(factory, count, &items), ESP_OK);
    expect("for_each_namespace", factory_data_for_each_namespace(factory, count_namespace, &items), ESP_OK);
    expect("get_str", factory_data_get_str(factory, "serial_number", text, &size), ESP_OK);
    expect("prove", factory_data_prove(factory, "serial_number", NVS_TYPE_ANY, text, 16, proof), ESP_ERR_INVALID_SIZE);
    factory_data_close(factory);
    expect("unmount", factory_data_unmount(config.partition_label), ESP_ERR_INVALID_STATE);
    expect("reset", factory_data_reset(NVS_DEFAULT_PART_NAME), ESP_OK);
}

static void *run(void *context)
{
    for (unsigned round = 0; round < s_rounds; round++) {
        run_round();
    }
    return context;
}

void app_main(void);

void app_main(void)
{
    const char *rounds = getenv("FCTRY_ROUNDS");
    pthread_t tasks[2];
    if (rounds != NULL) {
        s_rounds = (unsigned)atoi(rounds);
    }
    for (size_t i = 0; i < 2; i++) {
        (void)pthread_create(&tasks[i], NULL, run, NULL);
    }
    for (size_t i = 0; i < 2; i++) {
        (void)pthread_join(tasks[i], NULL);
    }
    printf("%u rounds\n", s_rounds);
}
