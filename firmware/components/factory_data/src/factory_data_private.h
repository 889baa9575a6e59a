/*
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "factory_data.h"

/* A mounted partition, shared by all handles on it. nvs_flash keeps one state per partition, and reading a damaged
 * value changes that state: the entry is gone until the partition is mounted anew. So it is unmounted with its last
 * handle, and the next open sees the flash again. */
typedef struct factory_data_mount {
    struct factory_data_mount *next;
    unsigned users;
    char label[NVS_PART_NAME_MAX_SIZE + 1];
} factory_data_mount_t;

struct factory_data {
    factory_data_mount_t *mount;
    nvs_handle_t nvs;
    char namespace_name[NVS_NS_NAME_MAX_SIZE];
};
