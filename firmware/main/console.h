/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The console: one command a line, answered in report lines. A line may end in " #ID"; the lines that answer it then
 * carry that id. Nothing is echoed and there is no prompt, so that a program reads what a person reads.
 */
#pragma once

#include "factory_data_report.h"

/** Longest command line, in bytes, with its id. */
#define CONSOLE_LINE_BYTES_MAX 1024

/** Longest id of a command, in characters of A-Z a-z 0-9 _ and -. */
#define CONSOLE_ID_BYTES_MAX 16

/** Read commands and run them, for ever. */
void console_run(void);

/** Where the running command writes its answer. */
const factory_data_sink_t *console_sink(void);

/** Answer: the command has done what it should. */
void console_answer_done(const char *command);

/** Answer: `where` returned `code`. */
void console_answer_error(const char *where, int code);

/** Register the commands. */
void console_register_commands(void);

/** Report the factory data, for machines and for people. */
void console_print_factory(const factory_data_sink_t *sink);
