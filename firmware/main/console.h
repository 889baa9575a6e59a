/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The console: one command a line, answered in report lines, the last of which is always a `done` line. A command may end
 * in " #ID"; the lines that answer it then carry that id. Nothing is echoed and there is no prompt, so that a program reads
 * what a person reads. Below this lie report lines, esp_console and port.h; commands stand on it.
 */
#pragma once

#include <stdint.h>

#include "esp_err.h"
#include "factory_data.h"

/** Longest command line, in bytes, with its id. */
#define CONSOLE_LINE_BYTES_MAX 1024

/** Longest id of a command, in characters of A-Z a-z 0-9 _ and -. */
#define CONSOLE_ID_BYTES_MAX 16

/** Called every CONSOLE_IDLE_MS while nothing comes in. */
typedef void (*console_idle_t)(void);

#define CONSOLE_IDLE_MS 50

/** Register the commands, say that the firmware is ready, then read commands and run them, for ever. */
void console_run(void (*register_commands)(void), console_idle_t idle);

/** Where the running command writes its answer. */
const factory_data_sink_t *console_sink(void);

/** End the answer: a `done` line with the command, if it is known, and how it went. */
void console_answer_done(const char *command, esp_err_t result);

/** Add an `error` line to the answer: `where` returned `code`. `place` and `key` say what it was about; both may be NULL. */
void console_answer_error(const char *where, esp_err_t code, const factory_data_config_t *place, const char *key);
