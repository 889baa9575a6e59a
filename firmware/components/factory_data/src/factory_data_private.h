/*
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "factory_data.h"

/* A partition that has been opened, with its open handles. It is kept for ever, so that no reset erases it, and stays mounted:
 * nvs_flash does not count who uses a partition, so whoever unmounts one takes it from all. */
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

/* One lock for opening, closing, unmounting and resetting. It is taken before nvs_flash's own, never while that is held. */
void factory_data_lock(void);
void factory_data_unlock(void);

/* The record of a partition that has been opened, or NULL. With the lock held. */
const factory_data_mount_t *factory_data_find_mount(const char *label);

/* As factory_data_open(), without a word in the log; `where` is the function that returned the error. */
esp_err_t factory_data_try_open(const factory_data_config_t *config, factory_data_handle_t *handle, const char **where);

/* Read an entry as `type` with its value in memory that has these MALLOC_CAP_… . It must be released, whatever its error is. */
void factory_data_read_item(factory_data_handle_t handle, const char *key, nvs_type_t type, uint32_t caps,
                            factory_data_item_t *item);

/* Whether menuconfig says that no report shows the value of this key. */
bool factory_data_is_secret(const char *namespace_name, const char *key);

/* Wipe an item's value, and free its memory. */
void factory_data_release_item(factory_data_item_t *item);

/* Overwrite memory that held a secret, in a way that the compiler does not leave out. */
void factory_data_wipe(void *memory, size_t size);

/* HMAC-SHA256. ESP_FAIL if the crypto library failed. */
esp_err_t factory_data_hmac_sha256(const void *key, size_t key_bytes, const void *message, size_t message_bytes,
                                   uint8_t hmac[FACTORY_DATA_PROOF_BYTES]);
