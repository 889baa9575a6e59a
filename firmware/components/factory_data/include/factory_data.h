/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Factory data: what makes a device unique, in an NVS partition of its own that the firmware only ever reads.
 *
 *     factory_data_handle_t factory = NULL;
 *     const factory_data_config_t config = FACTORY_DATA_CONFIG_DEFAULT();
 *     if (factory_data_open(&config, &factory, NULL) == ESP_OK) {
 *         char serial_number[32];
 *         size_t size = sizeof(serial_number);
 *         if (factory_data_get_str(factory, "serial_number", serial_number, &size) == ESP_OK) { … }
 *         factory_data_close(factory);
 *     }
 *
 * A value counts only if the function that read it returned ESP_OK. nvs_flash itself leaves wrong bytes in the caller's
 * buffer when data is damaged; these functions leave zeros there, and touch nothing where there is no such key.
 *
 * All functions may be called from any task, as those of nvs_flash may; only a handle must not be used any more by anybody when
 * it is closed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_idf_version.h"
#include "factory_data_report.h"
#include "nvs.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Whether nvs_flash has the types float and double: from ESP-IDF v6.1 on. Older ones take such entries for damage. */
#define FACTORY_DATA_HAS_FLOAT (ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 1, 0))

/** Opened factory data. */
typedef struct factory_data *factory_data_handle_t;

/** Which factory data to open. */
typedef struct {
    const char *partition_label; /*!< label in the partition table, at most 16 bytes */
    const char *namespace_name;  /*!< namespace in that partition, at most 15 bytes */
} factory_data_config_t;

/** What menuconfig says ("Factory data"). Without names, which C++ knows only from C++20 on. */
#define FACTORY_DATA_CONFIG_DEFAULT()                                       \
    {                                                                       \
        CONFIG_FACTORY_DATA_PARTITION_LABEL, CONFIG_FACTORY_DATA_NAMESPACE, \
    }

/** An error, and where it came from. */
typedef struct {
    esp_err_t code;
    const char *where; /*!< the function that returned the code */
    const char *hint;  /*!< what it means here and what to do; never NULL */
} factory_data_failure_t;

/* --- opening ------------------------------------------------------------------------------------------------------ */

/**
 * Open factory data read-only. The partition is mounted, unless somebody has done that, and stays mounted: others may use it.
 *
 * An error is also logged, in one line that says what to do. With CONFIG_FACTORY_DATA_ENCRYPTED, the partition is
 * decrypted with the keys of the product's NVS encryption scheme.
 *
 * @param[in]  config  partition and namespace
 * @param[out] handle  the opened data; written only on ESP_OK
 * @param[out] failure what went wrong, written only on an error; may be NULL
 *
 * @return
 *   - ESP_OK
 *   - ESP_ERR_INVALID_ARG             an argument or a name is NULL, or a name is too long
 *   - ESP_ERR_NOT_FOUND               the partition table has no such NVS partition
 *   - ESP_ERR_NVS_NOT_FOUND           the partition has no such namespace: it is empty, or another product's
 *   - ESP_ERR_NOT_ALLOWED             the data is damaged, or encrypted with other keys, and the partition is readonly,
 *                                     so that it stays as it is
 *   - ESP_ERR_NVS_NEW_VERSION_FOUND   the partition was written in a newer format
 *   - ESP_ERR_NVS_NO_FREE_PAGES       the partition is not readonly and has no empty page
 *   - ESP_ERR_NVS_WRONG_ENCRYPTION    the partition carries the flag `encrypted`, which NVS does not work with
 *   - ESP_ERR_NVS_KEYS_NOT_INITIALIZED, ESP_ERR_NVS_CORRUPT_KEY_PART, or another error of the encryption scheme
 *   - ESP_ERR_NO_MEM                  out of memory
 *   - others                          from nvs_flash
 */
esp_err_t factory_data_open(const factory_data_config_t *config, factory_data_handle_t *handle,
                            factory_data_failure_t *failure);

/** Close; NULL is allowed. The partition stays mounted. */
void factory_data_close(factory_data_handle_t handle);

/**
 * Unmount a partition, so that the next factory_data_open() sees what is in flash now: nvs_flash hides a damaged value once it
 * has been read.
 *
 * Only for firmware that knows all users of the partition: handles that others have on it become invalid
 * (ESP_ERR_NVS_INVALID_HANDLE), and an iterator that is not released yet is a use after free.
 *
 * @return
 *   - ESP_OK                  it is not mounted any more
 *   - ESP_ERR_INVALID_ARG     NULL
 *   - ESP_ERR_INVALID_STATE   this component has a handle open on it
 */
esp_err_t factory_data_unmount(const char *partition_label);

/* --- reading by key ----------------------------------------------------------------------------------------------- */

/**
 * Read a number.
 *
 * @param[out] value written only on ESP_OK
 *
 * @return
 *   - ESP_OK
 *   - ESP_ERR_INVALID_ARG     an argument is NULL
 *   - ESP_ERR_NVS_NOT_FOUND   no such key, or it has another type
 *   - others                  from nvs_flash
 */
esp_err_t factory_data_get_u8(factory_data_handle_t handle, const char *key, uint8_t *value);
esp_err_t factory_data_get_i8(factory_data_handle_t handle, const char *key, int8_t *value);
esp_err_t factory_data_get_u16(factory_data_handle_t handle, const char *key, uint16_t *value);
esp_err_t factory_data_get_i16(factory_data_handle_t handle, const char *key, int16_t *value);
esp_err_t factory_data_get_u32(factory_data_handle_t handle, const char *key, uint32_t *value);
esp_err_t factory_data_get_i32(factory_data_handle_t handle, const char *key, int32_t *value);
esp_err_t factory_data_get_u64(factory_data_handle_t handle, const char *key, uint64_t *value);
esp_err_t factory_data_get_i64(factory_data_handle_t handle, const char *key, int64_t *value);
#if FACTORY_DATA_HAS_FLOAT
esp_err_t factory_data_get_float(factory_data_handle_t handle, const char *key, float *value);
esp_err_t factory_data_get_double(factory_data_handle_t handle, const char *key, double *value);
#endif

/** Read a number, or get `otherwise` where that fails for whatever reason. */
#define FACTORY_DATA_DEFINE_GET_OR(name, c_type)                                                                      \
    static inline c_type factory_data_get_##name##_or(factory_data_handle_t handle, const char *key, c_type otherwise) \
    {                                                                                                                  \
        c_type value = otherwise;                                                                                      \
        (void)factory_data_get_##name(handle, key, &value);                                                            \
        return value;                                                                                                  \
    }
FACTORY_DATA_DEFINE_GET_OR(u8, uint8_t)
FACTORY_DATA_DEFINE_GET_OR(i8, int8_t)
FACTORY_DATA_DEFINE_GET_OR(u16, uint16_t)
FACTORY_DATA_DEFINE_GET_OR(i16, int16_t)
FACTORY_DATA_DEFINE_GET_OR(u32, uint32_t)
FACTORY_DATA_DEFINE_GET_OR(i32, int32_t)
FACTORY_DATA_DEFINE_GET_OR(u64, uint64_t)
FACTORY_DATA_DEFINE_GET_OR(i64, int64_t)
#if FACTORY_DATA_HAS_FLOAT
FACTORY_DATA_DEFINE_GET_OR(float, float)
FACTORY_DATA_DEFINE_GET_OR(double, double)
#endif

/**
 * Read a string or a blob.
 *
 * @param[in]     key    the key
 * @param[out]    value  the bytes, a string with its NUL. Left as it is where there is no such key or it does not fit; zeroed
 *                       where it is damaged. NULL asks for the size only
 * @param[in,out] size   in: bytes that `value` has room for; out, on ESP_OK: bytes read; if `value` is NULL or too small:
 *                       bytes needed
 *
 * @return
 *   - ESP_OK
 *   - ESP_ERR_INVALID_ARG          `handle`, `key` or `size` is NULL
 *   - ESP_ERR_NVS_NOT_FOUND        no such key, or it has another type
 *   - ESP_ERR_NVS_INVALID_LENGTH   `value` is too small, and `size` says what it takes; or the stored string has no NUL, and
 *                                  `size` is what it was
 *   - ESP_ERR_NOT_ALLOWED          the value is damaged, and the partition is readonly
 *   - others                       from nvs_flash
 */
esp_err_t factory_data_get_str(factory_data_handle_t handle, const char *key, char *value, size_t *size);
esp_err_t factory_data_get_blob(factory_data_handle_t handle, const char *key, void *value, size_t *size);

/** Read a string into `value`. @return `value`, or `otherwise` where that fails for whatever reason */
static inline const char *factory_data_get_str_or(factory_data_handle_t handle, const char *key, char *value, size_t size,
                                                  const char *otherwise)
{
    return factory_data_get_str(handle, key, value, &size) == ESP_OK ? value : otherwise;
}

/**
 * Read a string or a blob of any size into new memory, to be freed by factory_data_free().
 *
 * @param[in]  type  NVS_TYPE_STR or NVS_TYPE_BLOB
 * @param[in]  key   the key
 * @param[in]  caps  which memory, as for heap_caps_malloc(): MALLOC_CAP_INTERNAL | MALLOC_CAP_8BIT for a secret, which external
 *                   memory would show to whoever probes its bus; else MALLOC_CAP_DEFAULT
 * @param[out] value the bytes, with a NUL behind them; written only on ESP_OK
 * @param[out] size  in bytes, without that NUL; written only on ESP_OK
 *
 * @return as factory_data_get_str(); ESP_ERR_NO_MEM
 */
esp_err_t factory_data_get_allocated(factory_data_handle_t handle, nvs_type_t type, const char *key, uint32_t caps,
                                     void **value, size_t *size);

/** Wipe `size` bytes and free them; NULL is allowed. */
void factory_data_free(void *value, size_t size);

/**
 * Find out whether there is such a key.
 *
 * @param[out] type its type, written only on ESP_OK; may be NULL
 *
 * @return ESP_OK; ESP_ERR_NVS_NOT_FOUND; ESP_ERR_INVALID_ARG; or another error of nvs_flash, which says nothing about the key
 */
esp_err_t factory_data_find_key(factory_data_handle_t handle, const char *key, nvs_type_t *type);

/* --- reading all -------------------------------------------------------------------------------------------------- */

/** One entry, as it was read. */
typedef struct {
    const char *partition_label;
    const char *namespace_name;
    const char *key;
    nvs_type_t type;
    bool is_secret;    /*!< CONFIG_FACTORY_DATA_SECRET_KEYS has it: it was not read, there is no value */
    esp_err_t error;   /*!< ESP_OK, or why there is no value */
    const char *where; /*!< the function that returned `error` */
    union {
        uint64_t u;           /*!< NVS_TYPE_U8 … NVS_TYPE_U64 */
        int64_t i;            /*!< NVS_TYPE_I8 … NVS_TYPE_I64 */
        double f;             /*!< NVS_TYPE_FLOAT, NVS_TYPE_DOUBLE */
        struct {              /*!< NVS_TYPE_STR, NVS_TYPE_BLOB */
            const void *data; /*!< a string ends in NUL */
            size_t size;      /*!< in bytes; of a string, without its NUL */
        } bytes;
    } value;      /*!< valid during the visit, only if `error` is ESP_OK and it is no secret */
    void *memory; /*!< private */
} factory_data_item_t;

/** Called for each entry. */
typedef void (*factory_data_visit_t)(const factory_data_item_t *item, void *context);

/**
 * Read all entries of the namespace, whatever their keys and types, and show each to `visit`.
 *
 * An entry that cannot be read is shown too, with its error. Blobs of format version 1 (ESP-IDF before v4.0) are not
 * found by nvs_flash's iterator.
 *
 * @return ESP_OK, also for an empty namespace; ESP_ERR_INVALID_ARG; ESP_ERR_NVS_INVALID_HANDLE if the partition has been
 *         unmounted; or what nvs_flash's iterator returned
 */
esp_err_t factory_data_for_each(factory_data_handle_t handle, factory_data_visit_t visit, void *context);

/**
 * Read one entry and show it to `visit`.
 *
 * @param[in] type the type to read it as; NVS_TYPE_ANY for the one that it has
 *
 * @return the entry's error, which `visit` has seen; or without a visit: ESP_ERR_INVALID_ARG; ESP_ERR_NVS_NOT_FOUND if
 *         `type` is NVS_TYPE_ANY and there is no such key
 */
esp_err_t factory_data_visit(factory_data_handle_t handle, const char *key, nvs_type_t type, factory_data_visit_t visit,
                             void *context);

/** Called for each namespace. */
typedef void (*factory_data_visit_namespace_t)(const char *namespace_name, void *context);

/**
 * Show the names of all namespaces with an entry in the handle's partition, each once.
 *
 * @return as factory_data_for_each(); ESP_ERR_NO_MEM
 */
esp_err_t factory_data_for_each_namespace(factory_data_handle_t handle, factory_data_visit_namespace_t visit,
                                          void *context);

/* --- reporting ---------------------------------------------------------------------------------------------------- */

/**
 * Write all entries as report lines: an `item`, `secret` or `error` line for each, and an `end` line with the number of items.
 *
 * @return as factory_data_for_each(); an error is in a report line too
 */
esp_err_t factory_data_report(factory_data_handle_t handle, const factory_data_sink_t *sink);

/**
 * As factory_data_report(), for several namespaces of a partition in one report. What cannot be opened is in it as an error.
 *
 * @param[in] namespaces their names, with commas in between; FACTORY_DATA_REPORTED for what menuconfig says
 *
 * @return as factory_data_open() and factory_data_report() for the first namespace; how the others went is in the report
 */
esp_err_t factory_data_report_namespaces(const char *partition_label, const char *namespaces,
                                         const factory_data_sink_t *sink);

/** The namespaces that menuconfig says are reported. */
#define FACTORY_DATA_REPORTED CONFIG_FACTORY_DATA_NAMESPACE "," CONFIG_FACTORY_DATA_MORE_NAMESPACES

/** As factory_data_report(), for one key. @return the entry's error, which is in a report line too */
esp_err_t factory_data_report_key(factory_data_handle_t handle, const char *key, nvs_type_t type,
                                  const factory_data_sink_t *sink);

/** Write the report of data that could not be opened: an `error` line and an `end` line with 0 items. */
void factory_data_report_failure(const factory_data_config_t *config, const factory_data_failure_t *failure,
                                 const factory_data_sink_t *sink);

/** A type's name in report lines ("u8", "str", "blob"…); "unknown" for types that this version does not know. */
const char *factory_data_type_name(nvs_type_t type);

/** The type of such a name; NVS_TYPE_ANY for a name that is none. */
nvs_type_t factory_data_type_of(const char *name);

/** A sink that prints to stdout, keeps other tasks' output out of a line, and flushes after each. */
const factory_data_sink_t *factory_data_stdout(void);

/* --- secrets ------------------------------------------------------------------------------------------------------ */

#define FACTORY_DATA_PROOF_BYTES 32
#define FACTORY_DATA_CHALLENGE_BYTES_MIN 16
#define FACTORY_DATA_CHALLENGE_BYTES_MAX 64

/**
 * Prove that the device has a value without telling it: HMAC-SHA256 with the stored value as the key (a string without its
 * NUL, a number little-endian in the bytes of its type) over "fctry proof 1", the namespace, the key and the type's name,
 * each with its NUL, and the challenge. Whoever knows the value computes the same and compares.
 *
 * Use a new random challenge every time. A proof gives nothing away about a long random secret. A short PIN or a number is
 * found from one proof by trying all of them, so whoever may ask for proofs must be trusted with it.
 *
 * @param[in]  key             the key
 * @param[in]  type            the type to read it as; NVS_TYPE_ANY for the one that it has
 * @param[in]  challenge       random bytes
 * @param[in]  challenge_bytes FACTORY_DATA_CHALLENGE_BYTES_MIN to FACTORY_DATA_CHALLENGE_BYTES_MAX
 * @param[out] proof           written only on ESP_OK
 *
 * @return
 *   - ESP_OK
 *   - ESP_ERR_INVALID_ARG     an argument is NULL
 *   - ESP_ERR_INVALID_SIZE    the challenge is too short or too long
 *   - ESP_ERR_NVS_NOT_FOUND   no such key, or it has another type
 *   - ESP_ERR_NOT_SUPPORTED   a type that this version does not know
 *   - ESP_ERR_NO_MEM          out of memory
 *   - ESP_FAIL                the crypto library failed
 *   - others                  from nvs_flash
 */
esp_err_t factory_data_prove(factory_data_handle_t handle, const char *key, nvs_type_t type, const void *challenge,
                             size_t challenge_bytes, uint8_t proof[FACTORY_DATA_PROOF_BYTES]);

/* --- the seal ----------------------------------------------------------------------------------------------------- */

/**
 * Whether firmware may report factory data and answer commands now: menuconfig, "Console for the factory": never, until the
 * device is sealed, or always. Ask once at the start. With `never`, leave the code out by CONFIG_FACTORY_DATA_CONSOLE_NEVER.
 *
 * A key in the factory image keeps out whoever has the serial port, but not whoever can write the flash. An eFuse bit cannot be
 * taken back.
 */
bool factory_data_is_console_open(void);

/**
 * Burn the seal's eFuse bit, for ever. A device that is sealed already is left as it is.
 *
 * @return
 *   - ESP_OK
 *   - ESP_ERR_NOT_SUPPORTED   the seal is a key in the factory image, which the line writes; or there is none
 *   - others                  from esp_efuse_write_field_bit(): on chips other than esp32, that block 3 has been written before
 */
esp_err_t factory_data_seal(void);

/* --- MAC address -------------------------------------------------------------------------------------------------- */

/**
 * Make the MAC address of a key the device's base MAC, from which all its interfaces derive theirs. Call it before any interface
 * starts: Wi-Fi, Bluetooth and Ethernet take theirs when they are initialised.
 *
 * A refused one is logged with the reason, and the chip keeps its own. A locally administered one is taken and warned of.
 *
 * @param[in] key key of a string ("24:0a:c4:12:34:54", with '-' or nothing in between, too) or a blob of 6 bytes
 *
 * @return
 *   - ESP_OK
 *   - ESP_ERR_INVALID_ARG     an argument is NULL
 *   - ESP_ERR_NVS_NOT_FOUND   no such key, or it is neither string nor blob
 *   - ESP_ERR_INVALID_MAC     no MAC address; multicast; all zero or all one; or its last byte is no multiple of
 *                             CONFIG_ESP_MAC_UNIVERSAL_MAC_ADDRESSES, which is how many the chip counts up from it
 *   - ESP_ERR_NOT_SUPPORTED   on ESP-IDF's linux target, for an address that a chip would take
 *   - others                  from nvs_flash
 */
esp_err_t factory_data_apply_mac(factory_data_handle_t handle, const char *key);

/* --- reset to factory --------------------------------------------------------------------------------------------- */

/**
 * Reset to factory: erase the user's NVS partition, and nothing else.
 *
 * Everything is checked before anything is done. Then the partition is unmounted: nvs_flash handles to it become invalid
 * (ESP_ERR_NVS_INVALID_HANDLE; a task that writes loses what it writes), and an iterator over it that is not released yet is a
 * use after free. Nobody may mount it again before this function returns. Restart afterwards, since the application may have
 * the old settings in memory. A power cut in the middle leaves a mark, by which factory_data_finish_reset() goes on.
 *
 * @param[in] user_partition_label usually NVS_DEFAULT_PART_NAME
 *
 * @return
 *   - ESP_OK                  erased
 *   - ESP_ERR_INVALID_ARG     NULL, or factory data: the partition that menuconfig names, or any that factory_data_open() has
 *                             opened since the start, but for NVS_DEFAULT_PART_NAME
 *   - ESP_ERR_INVALID_STATE   this component has a handle open on it
 *   - ESP_ERR_NOT_FOUND       the partition table has no such NVS partition
 *   - ESP_ERR_NOT_ALLOWED     the partition is readonly
 *   - others                  from the flash
 */
esp_err_t factory_data_reset(const char *user_partition_label);

/**
 * Finish a reset to factory that a power cut interrupted. Call it at every start, before nvs_flash_init().
 *
 * @param[in]  user_partition_label usually NVS_DEFAULT_PART_NAME
 * @param[out] was_interrupted      whether there was one; written only on ESP_OK; may be NULL
 *
 * @return as factory_data_reset()
 */
esp_err_t factory_data_finish_reset(const char *user_partition_label, bool *was_interrupted);

#ifdef __cplusplus
}
#endif
