/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The bus: how the firmware reaches the hardware of the simulated board, which is another process. The firmware is the
 * master: it sends a request over a socket and waits for the answer.
 *
 * Request, little endian: op (1 byte), 3 bytes of zero, address (4), length (4); for a program request, the bytes follow.
 * Answer: status (1 byte: 0 done, 1 refused), and what was asked for. If the board is gone, the process ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t mac[6];
    uint8_t reset_reason; /* an esp_reset_reason_t */
    uint8_t table_sector; /* where the partition table is; 0: at 0x8000 */
    uint32_t flash_bytes;
} bus_info_t;

_Static_assert(sizeof(bus_info_t) == 12, "as it is on the wire");

/** Use the connected socket `fd`. */
void bus_init(int fd);

/* Each returns false if the board refused: out of range, or misaligned. Nothing was done then. */
bool bus_info(bus_info_t *info);
bool bus_flash_read(uint32_t address, void *data, uint32_t size);
bool bus_flash_program(uint32_t address, const void *data, uint32_t size);
bool bus_flash_erase(uint32_t address, uint32_t size);
bool bus_gpio_level(uint32_t gpio, uint8_t *level);
