/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The least that a product does: finish an interrupted reset, mount the user's settings, read who it is, and report it on the line.
 */
#include <stdio.h>

#include "esp_log.h"
#include "factory_data.h"
#include "nvs_flash.h"

static const char *TAG = "minimal";

static void print_identity(void)
{
    const factory_data_config_t config = FACTORY_DATA_CONFIG_DEFAULT();
    factory_data_handle_t factory = NULL;
    if (factory_data_open(&config, &factory, NULL) != ESP_OK) {
        return; /* the error has been logged, with what to do */
    }
    char serial_number[32];
    size_t size = sizeof(serial_number);
    const esp_err_t err = factory_data_get_str(factory, "serial_number", serial_number, &size);
    if (err == ESP_OK) {
        printf("I am %s\n", serial_number);
    } else {
        ESP_LOGE(TAG, "serial_number: %s", esp_err_to_name(err));
    }
#if !CONFIG_FACTORY_DATA_CONSOLE_NEVER
    if (factory_data_is_console_open()) { /* on the line, and not in the field */
        (void)factory_data_report(factory, factory_data_stdout()); /* errors are in the report */
    }
#endif
    factory_data_close(factory);
}

void app_main(void)
{
    esp_err_t err = factory_data_finish_reset(NVS_DEFAULT_PART_NAME, NULL);
    if (err == ESP_OK) {
        err = nvs_flash_init();
    }
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "no settings: %s", esp_err_to_name(err));
    }
    print_identity();
}
