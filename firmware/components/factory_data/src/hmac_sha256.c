/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * HMAC-SHA256 on chips, by ESP-IDF's crypto library: mbedTLS's own interface, and from ESP-IDF v6.0 on, where that is
 * gone, PSA's.
 */
#include <string.h>

#include "esp_idf_version.h"
#include "esp_log.h"
#include "factory_data_private.h"

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0)

#include "psa/crypto.h"

static const char *TAG = "factory_data";

esp_err_t factory_data_hmac_sha256(const void *key, size_t key_bytes, const void *message, size_t message_bytes,
                                   uint8_t hmac[FACTORY_DATA_PROOF_BYTES])
{
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_HMAC);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_MESSAGE);
    psa_set_key_algorithm(&attributes, PSA_ALG_HMAC(PSA_ALG_SHA_256));

    psa_key_id_t id;
    psa_status_t status = psa_crypto_init();
    if (status == PSA_SUCCESS) {
        status = psa_import_key(&attributes, key, key_bytes, &id);
    }
    uint8_t computed[FACTORY_DATA_PROOF_BYTES];
    if (status == PSA_SUCCESS) {
        size_t length = 0;
        status = psa_mac_compute(id, PSA_ALG_HMAC(PSA_ALG_SHA_256), message, message_bytes, computed, sizeof(computed),
                                 &length);
        (void)psa_destroy_key(id);
    }
    if (status != PSA_SUCCESS) {
        ESP_LOGE(TAG, "HMAC-SHA256: PSA status %d", (int)status);
        return ESP_FAIL;
    }
    memcpy(hmac, computed, sizeof(computed));
    return ESP_OK;
}

#else

#include "mbedtls/md.h"

static const char *TAG = "factory_data";

esp_err_t factory_data_hmac_sha256(const void *key, size_t key_bytes, const void *message, size_t message_bytes,
                                   uint8_t hmac[FACTORY_DATA_PROOF_BYTES])
{
    uint8_t computed[FACTORY_DATA_PROOF_BYTES];
    const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
    const int status = mbedtls_md_hmac(sha256, key, key_bytes, message, message_bytes, computed); /* checks `sha256` */
    if (status != 0) {
        ESP_LOGE(TAG, "HMAC-SHA256: mbedTLS status -0x%x", (unsigned)-status);
        return ESP_FAIL;
    }
    memcpy(hmac, computed, sizeof(computed));
    return ESP_OK;
}

#endif
