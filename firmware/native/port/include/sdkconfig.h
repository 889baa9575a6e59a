/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What ESP-IDF makes of Kconfig files: the defaults of components/factory_data/Kconfig.
 */
#pragma once

#define CONFIG_FACTORY_DATA_PARTITION_LABEL "fctry"
#define CONFIG_FACTORY_DATA_NAMESPACE "fctryNamespace"
