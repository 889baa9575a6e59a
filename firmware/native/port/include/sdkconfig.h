/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What ESP-IDF makes of Kconfig files: their defaults for an ESP32.
 */
#pragma once

#define CONFIG_FACTORY_DATA_PARTITION_LABEL "fctry"
#define CONFIG_FACTORY_DATA_NAMESPACE "fctryNamespace"
#define CONFIG_FCTRY_BOOT_BUTTON_GPIO 0
#define CONFIG_IDF_TARGET "esp32"
