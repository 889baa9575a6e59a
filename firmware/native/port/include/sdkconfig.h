/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What ESP-IDF makes of Kconfig files: their defaults for an ESP32, unless a project's names come with the build.
 */
#pragma once

#ifndef CONFIG_FACTORY_DATA_PARTITION_LABEL
#define CONFIG_FACTORY_DATA_PARTITION_LABEL "fctry"
#endif
#ifndef CONFIG_FACTORY_DATA_NAMESPACE
#define CONFIG_FACTORY_DATA_NAMESPACE "fctryNamespace"
#endif
#ifndef CONFIG_FACTORY_DATA_MORE_NAMESPACES
#define CONFIG_FACTORY_DATA_MORE_NAMESPACES ""
#endif
#ifndef CONFIG_FACTORY_DATA_SECRET_KEYS
#define CONFIG_FACTORY_DATA_SECRET_KEYS \
    "chip-factory:dac-key,chip-factory:rd-id-uid,chip-factory:verifier,hap_setup:setup_verifier," \
    "rmaker_creds:client_key,rmaker_creds:random"
#endif
#if !defined(CONFIG_FACTORY_DATA_CONSOLE_NEVER) && !defined(CONFIG_FACTORY_DATA_CONSOLE_ALWAYS)
#define CONFIG_FACTORY_DATA_CONSOLE_UNTIL_SEALED 1
#define CONFIG_FACTORY_DATA_SEAL_KEY 1
#endif
#define CONFIG_FCTRY_BOOT_BUTTON_GPIO 0
#define CONFIG_ESP_MAC_UNIVERSAL_MAC_ADDRESSES 4
#ifndef CONFIG_IDF_TARGET
#define CONFIG_IDF_TARGET "esp32"
#endif
