/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "esp_heap_caps.h"
#include "factory_data_private.h"

/* What the HMAC is over: this, namespace, key and type, each with its NUL, and the challenge. So a proof tells of one value
 * only, and is of no use where a product computes HMACs with the same key. */
#define DOMAIN "fctry proof 1"
#define TYPE_NAME_BYTES_MAX sizeof("double")
#define NUMBER_BYTES_MAX 8

typedef struct {
    uint8_t bytes[sizeof(DOMAIN) + NVS_NS_NAME_MAX_SIZE + NVS_KEY_NAME_MAX_SIZE + TYPE_NAME_BYTES_MAX +
                  FACTORY_DATA_CHALLENGE_BYTES_MAX];
    size_t size;
} message_t;

static void append(message_t *message, const void *data, size_t size)
{
    memcpy(message->bytes + message->size, data, size);
    message->size += size;
}

static void append_text(message_t *message, const char *text)
{
    append(message, text, strlen(text) + 1);
}

/* A number as NVS stores it: little-endian, in as many bytes as the low half of its type says. Returns how many. */
static size_t number_bytes(const factory_data_item_t *item, uint8_t bytes[NUMBER_BYTES_MAX])
{
    const size_t size = (size_t)item->type & 0x0F;
#if FACTORY_DATA_HAS_FLOAT
    if (item->type == NVS_TYPE_FLOAT) {
        const float number = (float)item->value.f;
        memcpy(bytes, &number, size);
        return size;
    }
#endif
    memcpy(bytes, &item->value, size);
    return size;
}

static esp_err_t prove_item(const factory_data_item_t *item, const void *challenge, size_t challenge_bytes,
                            uint8_t proof[FACTORY_DATA_PROOF_BYTES])
{
    message_t message = {.size = 0};
    append_text(&message, DOMAIN);
    append_text(&message, item->namespace_name);
    append_text(&message, item->key);
    append_text(&message, factory_data_type_name(item->type));
    append(&message, challenge, challenge_bytes);
    if (item->type == NVS_TYPE_STR || item->type == NVS_TYPE_BLOB) {
        /* An empty value is a NUL, since PSA has no empty keys. To HMAC they are the same: it fills keys up with zeros. */
        const size_t size = item->value.bytes.size > 0 ? item->value.bytes.size : 1;
        return factory_data_hmac_sha256(item->value.bytes.data, size, message.bytes, message.size, proof);
    }
    uint8_t number[NUMBER_BYTES_MAX];
    const size_t size = number_bytes(item, number);
    const esp_err_t err = factory_data_hmac_sha256(number, size, message.bytes, message.size, proof);
    factory_data_wipe(number, sizeof(number));
    return err;
}

esp_err_t factory_data_prove(factory_data_handle_t handle, const char *key, nvs_type_t type, const void *challenge,
                             size_t challenge_bytes, uint8_t proof[FACTORY_DATA_PROOF_BYTES])
{
    if (handle == NULL || key == NULL || challenge == NULL || proof == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (challenge_bytes < FACTORY_DATA_CHALLENGE_BYTES_MIN || challenge_bytes > FACTORY_DATA_CHALLENGE_BYTES_MAX) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (type == NVS_TYPE_ANY) {
        const esp_err_t err = nvs_find_key(handle->nvs, key, &type);
        if (err != ESP_OK) {
            return err;
        }
    }
    factory_data_item_t item;
    factory_data_read_item(handle, key, type, MALLOC_CAP_INTERNAL | MALLOC_CAP_8BIT, &item);
    const esp_err_t err = item.error == ESP_OK ? prove_item(&item, challenge, challenge_bytes, proof) : item.error;
    factory_data_release_item(&item);
    return err;
}
