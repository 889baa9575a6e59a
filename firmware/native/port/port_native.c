/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * main/port.h for the native build.
 */
#include "port.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void port_init(void)
{
}

int port_read_byte(void)
{
    unsigned char byte;
    ssize_t count;
    do {
        count = read(STDIN_FILENO, &byte, 1);
    } while (count < 0 && errno == EINTR);
    if (count != 1) {
        _exit(EXIT_SUCCESS); /* the board is gone */
    }
    return byte;
}
