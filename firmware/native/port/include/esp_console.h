/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Subset of ESP-IDF's esp_console.h, v5.5.5: dispatch of commands.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

typedef struct {
    size_t max_cmdline_length;
    size_t max_cmdline_args;
    uint32_t heap_alloc_caps;
    int hint_color;
    int hint_bold;
} esp_console_config_t;

#define ESP_CONSOLE_CONFIG_DEFAULT()                       \
    {                                                      \
        .max_cmdline_length = 256, .max_cmdline_args = 32, \
    }

typedef int (*esp_console_cmd_func_t)(int argc, char **argv);

typedef struct {
    const char *command;
    const char *help;
    const char *hint;
    esp_console_cmd_func_t func;
} esp_console_cmd_t;

esp_err_t esp_console_init(const esp_console_config_t *config);
esp_err_t esp_console_cmd_register(const esp_console_cmd_t *cmd);

/**
 * Run a command line.
 *
 * @return ESP_OK and the command's result in `ret`; ESP_ERR_INVALID_ARG for an empty line; ESP_ERR_NOT_FOUND for an unknown
 *         command; ESP_ERR_INVALID_STATE before esp_console_init()
 */
esp_err_t esp_console_run(const char *line, int *ret);
