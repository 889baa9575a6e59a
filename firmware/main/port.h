/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What differs between a chip, ESP-IDF's linux target and the native build: one port_*.c each.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PORT_NO_BYTE (-1)

/** Prepare the console, and on a host the flash. Call it before anything else. */
void port_init(void);

/** The next byte from the console, 0 to 255, or PORT_NO_BYTE if none comes within `timeout_ms`. */
int port_read_byte(uint32_t timeout_ms);

/** Whether the BOOT button is held down; false where there is none. */
bool port_is_boot_button_down(void);

/** The chip's MAC address as its eFuses have it, or the base MAC that was made of it. Returns false where there is none. */
bool port_read_mac(bool is_base, uint8_t mac[6]);
