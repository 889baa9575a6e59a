/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>

#include "factory_data_private.h"

esp_err_t factory_data_prove(factory_data_handle_t handle, const char *key, const void *challenge,
                             size_t challenge_bytes, uint8_t proof[FACTORY_DATA_PROOF_BYTES])
{
    if (handle == NULL || key == NULL || challenge == NULL || proof == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (challenge_bytes < FACTORY_DATA_CHALLENGE_BYTES_MIN || challenge_bytes > FACTORY_DATA_CHALLENGE_BYTES_MAX) {
        return ESP_ERR_INVALID_SIZE;
    }
    char *secret = NULL;
    size_t size = 0;
    esp_err_t err = factory_data_get_allocated(handle, NVS_TYPE_STR, key, &secret, &size);
    if (err == ESP_ERR_NVS_NOT_FOUND) {
        err = factory_data_get_allocated(handle, NVS_TYPE_BLOB, key, &secret, &size);
    }
    if (err != ESP_OK) {
        return err;
    }
    /* With an empty key anyone could compute the proof. */
    err = size == 0 ? ESP_ERR_INVALID_SIZE : factory_data_hmac_sha256(secret, size, challenge, challenge_bytes, proof);
    factory_data_wipe(secret, size);
    free(secret);
    return err;
}
