/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * HMAC-SHA256 on chips, by ESP-IDF's crypto library: mbedTLS's own interface, and from ESP-IDF v6.0 on, where that is
 * gone, PSA's.
 */
#include <string.h>

#include "esp_idf_version.h"
#include "factory_data_private.h"

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0)

#include "psa/crypto.h"

esp_err_t factory_data_hmac_sha256(const void *key, size_t key_bytes, const void *message, size_t message_bytes,
                                   uint8_t hmac[FACTORY_DATA_PROOF_BYTES])
{
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_HMAC);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_MESSAGE);
    psa_set_key_algorithm(&attributes, PSA_ALG_HMAC(PSA_ALG_SHA_256));

    psa_key_id_t id;
    if (psa_crypto_init() != PSA_SUCCESS || psa_import_key(&attributes, key, key_bytes, &id) != PSA_SUCCESS) {
        return ESP_FAIL;
    }
    uint8_t computed[FACTORY_DATA_PROOF_BYTES];
    size_t length = 0;
    const psa_status_t status = psa_mac_compute(id, PSA_ALG_HMAC(PSA_ALG_SHA_256), message, message_bytes, computed,
                                                sizeof(computed), &length);
    (void)psa_destroy_key(id);
    if (status != PSA_SUCCESS || length != sizeof(computed)) {
        return ESP_FAIL;
    }
    memcpy(hmac, computed, sizeof(computed));
    return ESP_OK;
}

#else

#include "mbedtls/md.h"

esp_err_t factory_data_hmac_sha256(const void *key, size_t key_bytes, const void *message, size_t message_bytes,
                                   uint8_t hmac[FACTORY_DATA_PROOF_BYTES])
{
    uint8_t computed[FACTORY_DATA_PROOF_BYTES];
    const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
    if (sha256 == NULL || mbedtls_md_hmac(sha256, key, key_bytes, message, message_bytes, computed) != 0) {
        return ESP_FAIL;
    }
    memcpy(hmac, computed, sizeof(computed));
    return ESP_OK;
}

#endif
