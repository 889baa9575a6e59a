/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>

#include "esp_idf_version.h"
#include "factory_data.h"

/* ESP-IDF has flockfile() from v5.4; before, another task's output may come in the middle of a line, whose CRC then
 * tells. */
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 4, 0)
#define LOCK_STDOUT() flockfile(stdout)
#define UNLOCK_STDOUT() funlockfile(stdout)
#else
#define LOCK_STDOUT() ((void)0)
#define UNLOCK_STDOUT() ((void)0)
#endif

static void write_stdout(void *context, const char *bytes, size_t length)
{
    (void)context;
    (void)fwrite(bytes, 1, length, stdout); /* nobody could be told of an error */
}

static void begin_line(void *context)
{
    (void)context;
    LOCK_STDOUT();
}

static void end_line(void *context)
{
    (void)context;
    (void)fflush(stdout);
    UNLOCK_STDOUT();
}

const factory_data_sink_t *factory_data_stdout(void)
{
    static const factory_data_sink_t SINK = {.write = write_stdout, .begin = begin_line, .end = end_line};
    return &SINK;
}
