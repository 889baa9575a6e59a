/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Source: ESP-IDF v5.5.5, components/console/commands.c and split_argv.c.
 */
#include "esp_console.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define COMMANDS_MAX 32

static esp_console_config_t s_config;
static esp_console_cmd_t s_commands[COMMANDS_MAX];
static size_t s_command_count;
static char *s_line;
static char **s_argv;

esp_err_t esp_console_init(const esp_console_config_t *config)
{
    if (config == NULL || config->max_cmdline_length == 0 || config->max_cmdline_args == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    if (s_line != NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    s_config = *config;
    s_line = calloc(config->max_cmdline_length, 1);
    s_argv = calloc(config->max_cmdline_args + 1, sizeof(*s_argv));
    return s_line == NULL || s_argv == NULL ? ESP_ERR_NO_MEM : ESP_OK;
}

esp_err_t esp_console_cmd_register(const esp_console_cmd_t *cmd)
{
    if (cmd == NULL || cmd->command == NULL || cmd->func == NULL || strchr(cmd->command, ' ') != NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (s_command_count == COMMANDS_MAX) {
        return ESP_ERR_NO_MEM;
    }
    s_commands[s_command_count++] = *cmd;
    return ESP_OK;
}

/* Split in place at spaces; "quotes" keep spaces, a backslash keeps a space, a quote or a backslash. */
static int split(char *line)
{
    size_t argc = 0;
    const char *in = line;
    char *out = line; /* never ahead of `in` */
    while (argc + 1 < s_config.max_cmdline_args) {
        in += strspn(in, " ");
        if (*in == '\0') {
            break;
        }
        const char end = *in == '"' ? '"' : ' ';
        in += end == '"';
        s_argv[argc++] = out;
        for (; *in != '\0' && *in != end; in++) {
            if (*in != '\\') {
                *out++ = *in;
            } else if (*++in == '\0') {
                break;
            } else if (strchr(" \"\\", *in) != NULL) {
                *out++ = *in;
            }
        }
        const bool is_last = *in == '\0';
        in += !is_last;
        *out++ = '\0';
        if (is_last) {
            break;
        }
    }
    s_argv[argc] = NULL;
    return (int)argc;
}

esp_err_t esp_console_run(const char *line, int *ret)
{
    if (s_line == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    const size_t length = strnlen(line, s_config.max_cmdline_length - 1); /* the rest is cut off */
    memcpy(s_line, line, length);
    s_line[length] = '\0';
    const int argc = split(s_line);
    if (argc == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    for (size_t i = 0; i < s_command_count; i++) {
        if (strcmp(s_commands[i].command, s_argv[0]) == 0) {
            *ret = s_commands[i].func(argc, s_argv);
            return ESP_OK;
        }
    }
    return ESP_ERR_NOT_FOUND;
}
