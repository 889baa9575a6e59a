/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * HMAC-SHA256 for programs on a host: the native build has no crypto library, and ESP-IDF's linux target would have to
 * build all of mbedTLS for this one function.
 * Source: FIPS 180-4, RFC 2104.
 */
#include <string.h>

#include "factory_data_private.h"

#define BLOCK_BYTES 64u
#define DIGEST_BYTES 32u

_Static_assert(DIGEST_BYTES == FACTORY_DATA_PROOF_BYTES, "a proof is one digest");

typedef struct {
    uint32_t state[8];
    uint64_t size_bytes;
    uint8_t block[BLOCK_BYTES];
} sha256_t;

static const uint32_t ROUND_CONSTANTS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate_right(uint32_t value, unsigned bits)
{
    return value >> bits | value << (32 - bits);
}

static void add_block(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64];
    for (unsigned i = 0; i < 16; i++) {
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
               block[4 * i + 3];
    }
    for (unsigned i = 16; i < 64; i++) {
        const uint32_t s0 = rotate_right(w[i - 15], 7) ^ rotate_right(w[i - 15], 18) ^ w[i - 15] >> 3;
        const uint32_t s1 = rotate_right(w[i - 2], 17) ^ rotate_right(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t v[8];
    memcpy(v, state, sizeof(v));
    for (unsigned i = 0; i < 64; i++) {
        const uint32_t s1 = rotate_right(v[4], 6) ^ rotate_right(v[4], 11) ^ rotate_right(v[4], 25);
        const uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        const uint32_t t1 = v[7] + s1 + choice + ROUND_CONSTANTS[i] + w[i];
        const uint32_t s0 = rotate_right(v[0], 2) ^ rotate_right(v[0], 13) ^ rotate_right(v[0], 22);
        const uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        memmove(v + 1, v, 7 * sizeof(*v));
        v[4] += t1;
        v[0] = t1 + s0 + majority;
    }
    for (unsigned i = 0; i < 8; i++) {
        state[i] += v[i];
    }
}

static void sha256_begin(sha256_t *hash)
{
    static const uint32_t INITIAL[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    };
    *hash = (sha256_t){0};
    memcpy(hash->state, INITIAL, sizeof(INITIAL));
}

static void sha256_add(sha256_t *hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        hash->block[hash->size_bytes++ % BLOCK_BYTES] = bytes[i];
        if (hash->size_bytes % BLOCK_BYTES == 0) {
            add_block(hash->state, hash->block);
        }
    }
}

static void sha256_end(sha256_t *hash, uint8_t digest[DIGEST_BYTES])
{
    const uint64_t size_bits = hash->size_bytes * 8;
    uint8_t length[8];
    for (unsigned i = 0; i < sizeof(length); i++) {
        length[i] = (uint8_t)(size_bits >> (56 - 8 * i));
    }
    sha256_add(hash, "\x80", 1);
    while (hash->size_bytes % BLOCK_BYTES != BLOCK_BYTES - sizeof(length)) {
        sha256_add(hash, "", 1);
    }
    sha256_add(hash, length, sizeof(length));
    for (unsigned i = 0; i < DIGEST_BYTES; i++) {
        digest[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
    }
}

static void keyed_hash(const uint8_t key[BLOCK_BYTES], uint8_t pad, const void *message, size_t message_bytes,
                       uint8_t digest[DIGEST_BYTES])
{
    sha256_t hash;
    uint8_t padded[BLOCK_BYTES];
    for (unsigned i = 0; i < BLOCK_BYTES; i++) {
        padded[i] = key[i] ^ pad;
    }
    sha256_begin(&hash);
    sha256_add(&hash, padded, sizeof(padded));
    sha256_add(&hash, message, message_bytes);
    sha256_end(&hash, digest);
}

esp_err_t factory_data_hmac_sha256(const void *key, size_t key_bytes, const void *message, size_t message_bytes,
                                   uint8_t hmac[FACTORY_DATA_PROOF_BYTES])
{
    uint8_t block[BLOCK_BYTES] = {0};
    uint8_t inner[DIGEST_BYTES];
    if (key_bytes <= BLOCK_BYTES) {
        memcpy(block, key, key_bytes);
    } else { /* RFC 2104: a key longer than a block is hashed */
        sha256_t hash;
        sha256_begin(&hash);
        sha256_add(&hash, key, key_bytes);
        sha256_end(&hash, block);
    }
    keyed_hash(block, 0x36, message, message_bytes, inner);
    keyed_hash(block, 0x5C, inner, sizeof(inner), hmac);
    return ESP_OK;
}
