/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "console.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "esp_console.h"
#include "port.h"

static factory_data_sink_t s_sink;

const factory_data_sink_t *console_sink(void)
{
    return &s_sink;
}

void console_answer_done(const char *command, esp_err_t result)
{
    factory_data_line_t line;
    factory_data_line_begin(&line, &s_sink, "done");
    if (command != NULL) {
        factory_data_line_text(&line, "command", command);
    }
    factory_data_line_text(&line, "result", esp_err_to_name(result));
    factory_data_line_end(&line);
}

void console_answer_error(const char *where, esp_err_t code, const factory_data_config_t *place, const char *key)
{
    factory_data_line_t line;
    factory_data_line_begin(&line, &s_sink, "error");
    factory_data_line_text(&line, "where", where);
    factory_data_line_text(&line, "code", esp_err_to_name(code));
    if (place != NULL) {
        factory_data_line_text(&line, "partition", place->partition_label);
        factory_data_line_text(&line, "namespace", place->namespace_name);
    }
    if (key != NULL) {
        factory_data_line_text(&line, "key", key);
    }
    factory_data_line_end(&line);
}

/* Read a line without its end, which is CR, LF or both. Returns false if it did not fit; it is skipped then. */
static bool read_line(char *line, size_t size, console_idle_t idle)
{
    size_t length = 0;
    for (;;) {
        const int byte = port_read_byte(CONSOLE_IDLE_MS);
        if (byte == PORT_NO_BYTE) {
            idle();
            continue;
        }
        if (byte == '\r' || byte == '\n') {
            const bool fits = length < size;
            line[fits ? length : 0] = '\0';
            return fits;
        }
        if (length < size - 1) {
            line[length] = (char)byte;
        }
        if (length < size) {
            length++;
        }
    }
}

/* Cut " #ID" off the end of `line`. Returns the id, or NULL if there is none. */
static const char *split_id(char *line)
{
    static const char ALLOWED[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    char *mark = strrchr(line, '#');
    if (mark == NULL || mark == line || mark[-1] != ' ') {
        return NULL;
    }
    const char *id = mark + 1;
    const size_t length = strlen(id);
    if (length == 0 || length > CONSOLE_ID_BYTES_MAX || strspn(id, ALLOWED) != length) {
        return NULL;
    }
    mark[-1] = '\0';
    return id;
}

/* Answer a line that no command has answered. What was typed is not repeated: it may hold a secret. */
static void answer_unknown(const char *where, esp_err_t code)
{
    console_answer_error(where, code, NULL, NULL);
    console_answer_done(NULL, code);
}

static void run_line(char *line)
{
    int command_result; /* commands answer for themselves */
    s_sink.id = split_id(line);
    const esp_err_t err = esp_console_run(line, &command_result);
    if (err == ESP_ERR_NOT_FOUND) {
        printf("There is no such command. Try: help\n");
    }
    if (err != ESP_OK && err != ESP_ERR_INVALID_ARG) { /* INVALID_ARG: the line is blank */
        answer_unknown("esp_console_run", err);
    }
    s_sink.id = NULL;
}

void console_run(void (*register_commands)(void), console_idle_t idle)
{
    static char line[CONSOLE_LINE_BYTES_MAX + 1];
    esp_console_config_t config = ESP_CONSOLE_CONFIG_DEFAULT();
    config.max_cmdline_length = sizeof(line);
    s_sink = *factory_data_stdout();
    const esp_err_t err = esp_console_init(&config);
    if (err != ESP_OK) {
        console_answer_error("esp_console_init", err, NULL, NULL);
    }
    register_commands();

    factory_data_line_t ready;
    factory_data_line_begin(&ready, &s_sink, "ready");
    factory_data_line_end(&ready);

    for (;;) {
        if (!read_line(line, sizeof(line), idle)) {
            answer_unknown("console", ESP_ERR_INVALID_SIZE);
        } else if (line[0] != '\0') {
            run_line(line);
        }
    }
}
