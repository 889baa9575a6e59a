/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Factory data: what makes a device unique, in an NVS partition of its own that the firmware only ever reads.
 *
 *     factory_data_handle_t factory = NULL;
 *     const factory_data_config_t config = FACTORY_DATA_CONFIG_DEFAULT();
 *     if (factory_data_open(&config, &factory, NULL) == ESP_OK) {
 *         factory_data_report(factory, factory_data_stdout());
 *         factory_data_close(factory);
 *     }
 *
 * A value counts only if its error is ESP_OK: nvs_flash leaves wrong bytes in the caller's buffer when data is damaged.
 *
 * Opening and closing are not thread-safe: do both from one task. Reading is as thread-safe as nvs_flash.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "factory_data_report.h"
#include "nvs.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Opened factory data. */
typedef struct factory_data *factory_data_handle_t;

/** Which factory data to open. */
typedef struct {
    const char *partition_label; /*!< label in the partition table, at most 16 bytes */
    const char *namespace_name;  /*!< namespace in that partition, at most 15 bytes */
} factory_data_config_t;

/** What menuconfig says ("Factory data"). */
#define FACTORY_DATA_CONFIG_DEFAULT()                                  \
    {                                                                  \
        .partition_label = CONFIG_FACTORY_DATA_PARTITION_LABEL,        \
        .namespace_name = CONFIG_FACTORY_DATA_NAMESPACE,               \
    }

/** An error, and where it came from. */
typedef struct {
    esp_err_t code;
    const char *where; /*!< the function that returned the code */
    const char *hint;  /*!< what it means here and what to do; never NULL */
} factory_data_failure_t;

/** One entry, as it was read. */
typedef struct {
    const char *partition_label;
    const char *namespace_name;
    const char *key;
    nvs_type_t type;
    esp_err_t error;   /*!< ESP_OK, or why there is no value */
    const char *where; /*!< the function that returned `error` */
    union {
        uint64_t u;           /*!< NVS_TYPE_U8 … NVS_TYPE_U64 */
        int64_t i;            /*!< NVS_TYPE_I8 … NVS_TYPE_I64 */
        struct {              /*!< NVS_TYPE_STR, NVS_TYPE_BLOB */
            const void *data; /*!< a string ends in NUL */
            size_t size;      /*!< in bytes; of a string, without its NUL */
        } bytes;
    } value; /*!< valid during the visit, and only if `error` is ESP_OK */
} factory_data_item_t;

/** Called for each entry. */
typedef void (*factory_data_visit_t)(const factory_data_item_t *item, void *context);

/**
 * Open factory data read-only. The partition is mounted anew, unless it is open already.
 *
 * An error is also logged, in one line that says what to do.
 *
 * @param[in]  config  partition and namespace
 * @param[out] handle  the opened data; written only on ESP_OK
 * @param[out] failure what went wrong, written only on an error; may be NULL
 *
 * @return
 *   - ESP_OK
 *   - ESP_ERR_INVALID_ARG             an argument or a name is NULL
 *   - ESP_ERR_NOT_FOUND               the partition table has no such NVS partition
 *   - ESP_ERR_NVS_NOT_FOUND           the partition has no such namespace: it is empty, or another product's
 *   - ESP_ERR_NOT_ALLOWED             the data is damaged, and the partition is readonly, so that it stays as it is
 *   - ESP_ERR_NVS_NEW_VERSION_FOUND   the partition was written in a newer format
 *   - ESP_ERR_NVS_NO_FREE_PAGES       the partition is not readonly and has no empty page
 *   - ESP_ERR_NVS_WRONG_ENCRYPTION    the partition carries the flag `encrypted`, which NVS does not work with
 *   - ESP_ERR_NO_MEM                  out of memory
 *   - others                          from nvs_flash
 */
esp_err_t factory_data_open(const factory_data_config_t *config, factory_data_handle_t *handle,
                            factory_data_failure_t *failure);

/** Close; NULL is allowed. The partition is unmounted with its last handle. */
void factory_data_close(factory_data_handle_t handle);

/**
 * Read all entries of the namespace, whatever their keys and types, and show each to `visit`.
 *
 * An entry that cannot be read is shown too, with its error. Blobs of format version 1 (ESP-IDF before v4.0) are not
 * found by nvs_flash's iterator.
 *
 * @return ESP_OK, also for an empty namespace; ESP_ERR_INVALID_ARG; or what nvs_flash's iterator returned
 */
esp_err_t factory_data_for_each(factory_data_handle_t handle, factory_data_visit_t visit, void *context);

/**
 * Write all entries as report lines: an `item` or `error` line for each, and an `end` line with the number of items.
 *
 * @return as factory_data_for_each(); an error is in a report line too
 */
esp_err_t factory_data_report(factory_data_handle_t handle, const factory_data_sink_t *sink);

/** Write the report of data that could not be opened: an `error` line and an `end` line with 0 items. */
void factory_data_report_failure(const factory_data_config_t *config, const factory_data_failure_t *failure,
                                 const factory_data_sink_t *sink);

/** The type's name in report lines ("u8", "str", "blob"…), "unknown" for types that this version does not know. */
const char *factory_data_type_name(nvs_type_t type);

/** A sink that prints to stdout, keeps other tasks' output out of a line, and flushes after each. */
const factory_data_sink_t *factory_data_stdout(void);

#ifdef __cplusplus
}
#endif
