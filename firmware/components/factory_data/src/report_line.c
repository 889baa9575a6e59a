/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "factory_data_report.h"

#include <string.h>

#define DECIMAL_DIGITS_MAX 20 /* of 2^64 - 1 */

/* IEEE 754 double precision */
#define FRACTION_BITS 52
#define EXPONENT_MAX 0x7FF
#define EXPONENT_BIAS 1023

uint16_t factory_data_crc16(uint16_t crc, const void *data, size_t size)
{
    static const uint16_t OF_NIBBLE[16] = {
        0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50A5, 0x60C6, 0x70E7,
        0x8108, 0x9129, 0xA14A, 0xB16B, 0xC18C, 0xD1AD, 0xE1CE, 0xF1EF,
    };
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        crc = (uint16_t)(crc << 4 ^ OF_NIBBLE[crc >> 12 ^ bytes[i] >> 4]);
        crc = (uint16_t)(crc << 4 ^ OF_NIBBLE[crc >> 12 ^ (bytes[i] & 15)]);
    }
    return crc;
}

/* Length of the UTF-8 sequence at the start of `bytes`, 0 if there is none.
 * Source: The Unicode Standard, table 3-7, "Well-Formed UTF-8 Byte Sequences". */
static size_t utf8_sequence_length(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const uint8_t lead = bytes[0];
    if (lead < 0x80) {
        return 1;
    }
    const size_t length = (lead & 0xE0) == 0xC0 ? 2 : (lead & 0xF0) == 0xE0 ? 3 : (lead & 0xF8) == 0xF0 ? 4 : 0;
    if (length == 0 || length > size || lead < 0xC2 || lead > 0xF4) {
        return 0;
    }
    const uint8_t second_min = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const uint8_t second_max = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (bytes[1] < second_min || bytes[1] > second_max) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

bool factory_data_is_utf8(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    while (size > 0) {
        const size_t length = utf8_sequence_length(bytes, size);
        if (length == 0) {
            return false;
        }
        bytes += length;
        size -= length;
    }
    return true;
}

static void put_raw(const factory_data_line_t *line, const char *text)
{
    line->sink->write(line->sink->context, text, strlen(text));
}

static void put(factory_data_line_t *line, const char *bytes, size_t length)
{
    line->crc = factory_data_crc16(line->crc, bytes, length);
    line->sink->write(line->sink->context, bytes, length);
}

static void put_text(factory_data_line_t *line, const char *text)
{
    put(line, text, strlen(text));
}

static void put_escaped(factory_data_line_t *line, uint8_t byte)
{
    static const char HEX[] = "0123456789abcdef";
    if (byte == '"' || byte == '\\') {
        const char escape[] = {'\\', (char)byte};
        put(line, escape, sizeof(escape));
    } else {
        const char escape[] = {'\\', 'u', '0', '0', HEX[byte >> 4], HEX[byte & 15]};
        put(line, escape, sizeof(escape));
    }
}

static void put_json_string(factory_data_line_t *line, const char *text)
{
    const char *plain = text; /* start of what can go out as it is */
    size_t left = strlen(text);
    put_text(line, "\"");
    while (left > 0) {
        const uint8_t byte = (uint8_t)*text;
        const size_t length = utf8_sequence_length((const uint8_t *)text, left);
        if (length == 0 || byte < 0x20 || byte == 0x7F || byte == '"' || byte == '\\') {
            put(line, plain, (size_t)(text - plain));
            if (length == 0) {
                put_text(line, "\\ufffd");
            } else {
                put_escaped(line, byte);
            }
            text++;
            left--;
            plain = text;
        } else {
            text += length;
            left -= length;
        }
    }
    put(line, plain, (size_t)(text - plain));
    put_text(line, "\"");
}

static void put_name(factory_data_line_t *line, const char *name)
{
    put_text(line, ",");
    put_json_string(line, name);
    put_text(line, ":");
}

void factory_data_line_begin(factory_data_line_t *line, const factory_data_sink_t *sink, const char *event)
{
    line->sink = sink;
    line->crc = FACTORY_DATA_CRC16_INITIAL;
    if (sink->begin != NULL) {
        sink->begin(sink->context);
    }
    put_raw(line, "@fctry ");
    put_text(line, "{\"event\":");
    put_json_string(line, event);
    if (sink->id != NULL) {
        factory_data_line_text(line, "id", sink->id);
    }
}

void factory_data_line_text(factory_data_line_t *line, const char *name, const char *text)
{
    put_name(line, name);
    put_json_string(line, text);
}

void factory_data_line_base64(factory_data_line_t *line, const char *name, const void *data, size_t size)
{
    static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *bytes = data;
    put_name(line, name);
    put_text(line, "\"");
    for (size_t i = 0; i < size; i += 3) {
        const size_t count = size - i < 3 ? size - i : 3;
        const uint32_t group = (uint32_t)bytes[i] << 16 | (count > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                               (count > 2 ? bytes[i + 2] : 0);
        const char quad[] = {
            ALPHABET[group >> 18 & 63],
            ALPHABET[group >> 12 & 63],
            count > 1 ? ALPHABET[group >> 6 & 63] : '=',
            count > 2 ? ALPHABET[group & 63] : '=',
        };
        put(line, quad, sizeof(quad));
    }
    put_text(line, "\"");
}

/* Not printf: with newlib-nano (CONFIG_NEWLIB_NANO_FORMAT) it cannot print 64 bits. */
static void put_decimal(factory_data_line_t *line, uint64_t value)
{
    char digits[DECIMAL_DIGITS_MAX];
    size_t count = 0;
    do {
        digits[sizeof(digits) - ++count] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    put(line, digits + sizeof(digits) - count, count);
}

void factory_data_line_unsigned(factory_data_line_t *line, const char *name, uint64_t value)
{
    put_name(line, name);
    put_decimal(line, value);
}

void factory_data_line_signed(factory_data_line_t *line, const char *name, int64_t value)
{
    put_name(line, name);
    if (value < 0) {
        put_text(line, "-");
    }
    put_decimal(line, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* Not printf's %a, for the same reason. */
void factory_data_line_float(factory_data_line_t *line, const char *name, double value)
{
    static const char HEX[] = "0123456789abcdef";
    uint64_t bits;
    _Static_assert(sizeof(bits) == sizeof(value), "double precision");
    memcpy(&bits, &value, sizeof(bits));
    uint64_t fraction = bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
    const int exponent = (int)(bits >> FRACTION_BITS & EXPONENT_MAX);
    put_name(line, name);
    put_text(line, bits >> 63 ? "\"-" : "\"");
    if (exponent == EXPONENT_MAX) {
        put_text(line, fraction == 0 ? "inf\"" : "nan\"");
        return;
    }
    const bool is_normal = exponent != 0;
    put_text(line, is_normal ? "0x1." : "0x0.");
    do {
        put(line, &HEX[fraction >> (FRACTION_BITS - 4)], 1);
        fraction = fraction << 4 & ((UINT64_C(1) << FRACTION_BITS) - 1);
    } while (fraction != 0);
    const int power = (is_normal ? exponent : 1) - EXPONENT_BIAS;
    put_text(line, power < 0 ? "p-" : "p+");
    put_decimal(line, (uint64_t)(power < 0 ? -power : power));
    put_text(line, "\"");
}

void factory_data_line_bool(factory_data_line_t *line, const char *name, bool value)
{
    put_name(line, name);
    put_text(line, value ? "true" : "false");
}

void factory_data_line_end(factory_data_line_t *line)
{
    static const char HEX[] = "0123456789ABCDEF";
    put_text(line, "}");
    const uint16_t crc = line->crc;
    const char tail[] = {
        '*', HEX[crc >> 12 & 15], HEX[crc >> 8 & 15], HEX[crc >> 4 & 15], HEX[crc & 15], '\n',
    };
    line->sink->write(line->sink->context, tail, sizeof(tail));
    if (line->sink->end != NULL) {
        line->sink->end(line->sink->context);
    }
}
