/*
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "factory_data_report.h"

/** Add to a report line: "app", "version" and "idf", the application's name, its version and ESP-IDF's. */
void app_info_write(factory_data_line_t *line);
