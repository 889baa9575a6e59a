/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What differs between a chip, ESP-IDF's linux target and the native build: one port_*.c each.
 */
#pragma once

/** Prepare stdin and stdout, and on a host the flash. Call it before anything else. */
void port_init(void);

/** The next byte from the console, 0 to 255. Waits for it as long as it takes. */
int port_read_byte(void);
