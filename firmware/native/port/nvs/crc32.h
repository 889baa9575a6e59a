/*
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** CRC-32 (polynomial 0xEDB88320, reflected), as the chip's ROM has it: `crc` is 0xFFFFFFFF or the result so far. */
uint32_t crc32_le(uint32_t crc, const void *data, size_t size);
