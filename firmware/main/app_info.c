/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app_info.h"

#include "esp_idf_version.h"

#if __has_include("esp_app_desc.h")
#include "esp_app_desc.h"
#define APP_NAME (esp_app_get_description()->project_name)
#define APP_VERSION (esp_app_get_description()->version)
#else /* ESP-IDF v5.3 has no application description on its linux target */
#define APP_NAME "fctry"
#define APP_VERSION "linux"
#endif

void app_info_write(factory_data_line_t *line)
{
    factory_data_line_text(line, "app", APP_NAME);
    factory_data_line_text(line, "version", APP_VERSION);
    factory_data_line_text(line, "idf", esp_get_idf_version());
}
