/*
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MD5_BYTES 16

/** MD5 (RFC 1321) of `size` bytes. */
void md5(const void *data, size_t size, uint8_t digest[MD5_BYTES]);
