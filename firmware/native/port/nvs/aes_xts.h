/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * XTS-AES-256 over whole blocks. Source: IEEE 1619-2007; FIPS 197 for AES.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define AES_XTS_KEY_BYTES 64 /* the key for the data, then the one for the tweak */
#define AES_SCHEDULE_BYTES 240

typedef struct {
    uint8_t data[AES_SCHEDULE_BYTES];
    uint8_t tweak[AES_SCHEDULE_BYTES];
} aes_xts_t;

/** Expand the keys. */
void aes_xts_set_key(aes_xts_t *xts, const uint8_t key[AES_XTS_KEY_BYTES]);

/** Encrypt a data unit in place. `size`: a multiple of 16. */
void aes_xts_encrypt(const aes_xts_t *xts, uint64_t unit, void *data, size_t size);

/** Decrypt a data unit in place. `size`: a multiple of 16. */
void aes_xts_decrypt(const aes_xts_t *xts, uint64_t unit, void *data, size_t size);
