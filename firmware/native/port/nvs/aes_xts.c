/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Small rather than fast, and not hardened against timing: it runs on the host of a test.
 */
#include "aes_xts.h"

#include <stdbool.h>
#include <string.h>

#define BLOCK_BYTES 16u
#define WORD_BYTES 4u
#define KEY_BYTES 32u
#define ROUNDS 14u

_Static_assert((ROUNDS + 1) * BLOCK_BYTES == AES_SCHEDULE_BYTES, "a key for each round, and one before the first");

static uint8_t s_sbox[256];
static uint8_t s_inverse_sbox[256];

static uint8_t times_2(uint8_t value)
{
    return (uint8_t)(value << 1 ^ (value & 0x80 ? 0x1B : 0));
}

static uint8_t times(uint8_t a, uint8_t b)
{
    uint8_t product = 0;
    for (; b != 0; b >>= 1, a = times_2(a)) {
        product ^= b & 1 ? a : 0;
    }
    return product;
}

static uint8_t rotate(uint8_t value, unsigned bits)
{
    return (uint8_t)(value << bits | value >> (8 - bits));
}

/* Over the powers of 3, which are all numbers but 0: the inverse of 3^n is 3^-n, and a third is 0xF6 times. */
static void make_sboxes(void)
{
    uint8_t power = 1;
    uint8_t inverse = 1;
    do {
        power ^= times_2(power);
        inverse = times(inverse, 0xF6);
        const uint8_t substitute = (uint8_t)(inverse ^ rotate(inverse, 1) ^ rotate(inverse, 2) ^ rotate(inverse, 3) ^
                                             rotate(inverse, 4) ^ 0x63);
        s_sbox[power] = substitute;
        s_inverse_sbox[substitute] = power;
    } while (power != 1);
    s_sbox[0] = 0x63;
    s_inverse_sbox[0x63] = 0;
}

static void expand(uint8_t schedule[AES_SCHEDULE_BYTES], const uint8_t key[KEY_BYTES])
{
    uint8_t round_constant = 1;
    memcpy(schedule, key, KEY_BYTES);
    for (size_t i = KEY_BYTES; i < AES_SCHEDULE_BYTES; i += WORD_BYTES) {
        uint8_t word[WORD_BYTES];
        memcpy(word, schedule + i - WORD_BYTES, sizeof(word));
        if (i % KEY_BYTES == 0) {
            const uint8_t first = word[0];
            word[0] = (uint8_t)(s_sbox[word[1]] ^ round_constant);
            word[1] = s_sbox[word[2]];
            word[2] = s_sbox[word[3]];
            word[3] = s_sbox[first];
            round_constant = times_2(round_constant);
        } else if (i % KEY_BYTES == KEY_BYTES / 2) {
            for (size_t j = 0; j < WORD_BYTES; j++) {
                word[j] = s_sbox[word[j]];
            }
        }
        for (size_t j = 0; j < WORD_BYTES; j++) {
            schedule[i + j] = schedule[i + j - KEY_BYTES] ^ word[j];
        }
    }
}

static void xor_block(uint8_t block[BLOCK_BYTES], const uint8_t other[BLOCK_BYTES])
{
    for (size_t i = 0; i < BLOCK_BYTES; i++) {
        block[i] ^= other[i];
    }
}

/* Row r of the block, which is stored by columns, goes r columns to the left; the inverse to the right. */
static void substitute_and_shift(uint8_t block[BLOCK_BYTES], const uint8_t sbox[256], bool is_inverse)
{
    uint8_t old[BLOCK_BYTES];
    memcpy(old, block, sizeof(old));
    for (size_t i = 0; i < BLOCK_BYTES; i++) {
        const size_t from = i + WORD_BYTES * (i % WORD_BYTES) * (is_inverse ? 3 : 1);
        block[i] = sbox[old[from % BLOCK_BYTES]];
    }
}

static void mix_columns(uint8_t block[BLOCK_BYTES], const uint8_t factors[WORD_BYTES])
{
    for (size_t column = 0; column < BLOCK_BYTES; column += WORD_BYTES) {
        uint8_t old[WORD_BYTES];
        memcpy(old, block + column, sizeof(old));
        for (size_t i = 0; i < WORD_BYTES; i++) {
            uint8_t sum = 0;
            for (size_t j = 0; j < WORD_BYTES; j++) {
                sum ^= times(old[(i + j) % WORD_BYTES], factors[j]);
            }
            block[column + i] = sum;
        }
    }
}

static void encrypt_block(const uint8_t schedule[AES_SCHEDULE_BYTES], uint8_t block[BLOCK_BYTES])
{
    static const uint8_t FACTORS[WORD_BYTES] = {2, 3, 1, 1};
    xor_block(block, schedule);
    for (size_t round = 1; round <= ROUNDS; round++) {
        substitute_and_shift(block, s_sbox, false);
        if (round < ROUNDS) {
            mix_columns(block, FACTORS);
        }
        xor_block(block, schedule + round * BLOCK_BYTES);
    }
}

static void decrypt_block(const uint8_t schedule[AES_SCHEDULE_BYTES], uint8_t block[BLOCK_BYTES])
{
    static const uint8_t FACTORS[WORD_BYTES] = {14, 11, 13, 9};
    for (size_t round = ROUNDS; round >= 1; round--) {
        xor_block(block, schedule + round * BLOCK_BYTES);
        if (round < ROUNDS) {
            mix_columns(block, FACTORS);
        }
        substitute_and_shift(block, s_inverse_sbox, true);
    }
    xor_block(block, schedule);
}

void aes_xts_set_key(aes_xts_t *xts, const uint8_t key[AES_XTS_KEY_BYTES])
{
    make_sboxes();
    expand(xts->data, key);
    expand(xts->tweak, key + KEY_BYTES);
}

static void crypt_unit(const aes_xts_t *xts, uint64_t unit, uint8_t *data, size_t size,
                       void (*crypt_block)(const uint8_t *, uint8_t *))
{
    uint8_t tweak[BLOCK_BYTES] = {0};
    for (size_t i = 0; i < sizeof(unit); i++) {
        tweak[i] = (uint8_t)(unit >> 8 * i);
    }
    encrypt_block(xts->tweak, tweak);
    for (; size > 0; size -= BLOCK_BYTES, data += BLOCK_BYTES) {
        xor_block(data, tweak);
        crypt_block(xts->data, data);
        xor_block(data, tweak);
        /* The tweak of the next block: this one times x, little endian, modulo x^128 + x^7 + x^2 + x + 1. */
        const uint8_t top_bit = tweak[BLOCK_BYTES - 1] >> 7;
        for (size_t i = BLOCK_BYTES; i-- > 0;) {
            tweak[i] = (uint8_t)(tweak[i] << 1 | (i > 0 ? tweak[i - 1] >> 7 : 0));
        }
        tweak[0] ^= top_bit ? 0x87 : 0;
    }
}

void aes_xts_encrypt(const aes_xts_t *xts, uint64_t unit, void *data, size_t size)
{
    crypt_unit(xts, unit, data, size, encrypt_block);
}

void aes_xts_decrypt(const aes_xts_t *xts, uint64_t unit, void *data, size_t size)
{
    crypt_unit(xts, unit, data, size, decrypt_block);
}
