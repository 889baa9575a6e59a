/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Report lines: what the firmware says for machines. Free of ESP-IDF headers, so that it compiles anywhere.
 *
 *     @fctry {"event":"item",…,"key":"serial_number","type":"str","value":"164589345735"}*4DE6
 *
 * "@fctry ", one JSON object in UTF-8 without line breaks, "*", four hex digits: CRC-16/CCITT-FALSE over the JSON
 * text. A line is written piece by piece and never held in memory as a whole, since a blob may be as large as the
 * largest piece of memory that is free. Where other tasks print too, the sink's `begin` and `end` keep them out.
 *
 *     factory_data_line_t line;
 *     factory_data_line_begin(&line, sink, "end");
 *     factory_data_line_text(&line, "partition", "fctry");
 *     factory_data_line_unsigned(&line, "items", 2);
 *     factory_data_line_end(&line);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where report lines go. */
typedef struct {
    void (*write)(void *context, const char *bytes, size_t length); /*!< takes a piece of a line */
    void (*begin)(void *context);                                   /*!< before a line; may be NULL */
    void (*end)(void *context);                                     /*!< after a line; may be NULL */
    void *context;                                                  /*!< handed to the functions above */
    const char *id; /*!< id of the console command that the lines answer, or NULL */
} factory_data_sink_t;

/** A line that is being written. Its fields are private. */
typedef struct {
    const factory_data_sink_t *sink;
    uint16_t crc;
} factory_data_line_t;

/** Begin a line with the field "event", and "id" if the sink has one. */
void factory_data_line_begin(factory_data_line_t *line, const factory_data_sink_t *sink, const char *event);

/** Add a string. Bytes that are not UTF-8 become U+FFFD, so that the line stays valid JSON whatever happens. */
void factory_data_line_text(factory_data_line_t *line, const char *name, const char *text);

/** Add `size` bytes as base64 (RFC 4648, with padding). */
void factory_data_line_base64(factory_data_line_t *line, const char *name, const void *data, size_t size);

/** Add an integer, 0 to 2^64 - 1. */
void factory_data_line_unsigned(factory_data_line_t *line, const char *name, uint64_t value);

/** Add an integer, -2^63 to 2^63 - 1. */
void factory_data_line_signed(factory_data_line_t *line, const char *name, int64_t value);

/** Add a floating point number as C's hexadecimal text, "0x1.8p+1": exact, and JSON has no infinity. */
void factory_data_line_float(factory_data_line_t *line, const char *name, double value);

/** Add true or false. */
void factory_data_line_bool(factory_data_line_t *line, const char *name, bool value);

/** End the line: brace, CRC and line feed. */
void factory_data_line_end(factory_data_line_t *line);

/** Whether `size` bytes are well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool factory_data_is_utf8(const void *data, size_t size);

/** CRC-16/CCITT-FALSE: polynomial 0x1021, initial value 0xFFFF, not reflected. `crc` is the value so far. */
uint16_t factory_data_crc16(uint16_t crc, const void *data, size_t size);

#define FACTORY_DATA_CRC16_INITIAL 0xFFFFu

#ifdef __cplusplus
}
#endif
