/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "console.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "esp_console.h"
#include "esp_err.h"
#include "factory_data.h"
#include "port.h"

static factory_data_sink_t s_sink;

const factory_data_sink_t *console_sink(void)
{
    return &s_sink;
}

void console_answer_done(const char *command)
{
    factory_data_line_t line;
    factory_data_line_begin(&line, &s_sink, "done");
    factory_data_line_text(&line, "command", command);
    factory_data_line_end(&line);
}

void console_answer_error(const char *where, int code)
{
    factory_data_line_t line;
    factory_data_line_begin(&line, &s_sink, "error");
    factory_data_line_text(&line, "where", where);
    factory_data_line_text(&line, "code", esp_err_to_name(code));
    factory_data_line_end(&line);
}

/* Read a line without its end, which is CR, LF or both. Returns false if it did not fit; it is skipped then. */
static bool read_line(char *line, size_t size)
{
    size_t length = 0;
    for (;;) {
        const int byte = port_read_byte();
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

static void run_line(char *line)
{
    int command_result; /* commands answer for themselves */
    s_sink.id = split_id(line);
    const esp_err_t err = esp_console_run(line, &command_result);
    if (err == ESP_ERR_NOT_FOUND) {
        printf("There is no such command. Try: help\n");
        console_answer_error("esp_console_run", err);
    } else if (err != ESP_OK && err != ESP_ERR_INVALID_ARG) { /* INVALID_ARG: the line is blank */
        console_answer_error("esp_console_run", err);
    }
    s_sink.id = NULL;
}

void console_run(void)
{
    static char line[CONSOLE_LINE_BYTES_MAX + 1];
    esp_console_config_t config = ESP_CONSOLE_CONFIG_DEFAULT();
    config.max_cmdline_length = sizeof(line);
    s_sink = *factory_data_stdout();
    const esp_err_t err = esp_console_init(&config);
    if (err != ESP_OK) {
        console_answer_error("esp_console_init", err);
    }
    console_register_commands();

    factory_data_line_t ready;
    factory_data_line_begin(&ready, &s_sink, "ready");
    factory_data_line_end(&ready);

    for (;;) {
        if (!read_line(line, sizeof(line))) {
            console_answer_error("console", ESP_ERR_INVALID_SIZE);
        } else if (line[0] != '\0') {
            run_line(line);
        }
    }
}
