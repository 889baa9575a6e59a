/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    uint8_t op;
    uint8_t reserved[3];
    uint32_t address;
    uint32_t length;
} request_t;

_Static_assert(sizeof(request_t) == 12, "as it is on the wire");

static int s_fd = -1;

void bus_init(int fd)
{
    s_fd = fd;
}

static void send_all(const void *data, size_t size)
{
    const char *bytes = data;
    while (size > 0) {
        const ssize_t count = send(s_fd, bytes, size, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            _exit(EXIT_SUCCESS); /* the board is gone */
        }
        bytes += count;
        size -= (size_t)count;
    }
}

static void receive_all(void *data, size_t size)
{
    char *bytes = data;
    while (size > 0) {
        const ssize_t count = recv(s_fd, bytes, size, 0);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            _exit(EXIT_SUCCESS); /* the board is gone */
        }
        bytes += count;
        size -= (size_t)count;
    }
}

static bool transact(char op, uint32_t address, uint32_t length, const void *out, void *in, size_t in_size)
{
    const request_t request = {.op = (uint8_t)op, .address = address, .length = length};
    uint8_t status;
    send_all(&request, sizeof(request));
    if (out != NULL) {
        send_all(out, length);
    }
    receive_all(&status, sizeof(status));
    if (status != 0) {
        return false;
    }
    if (in != NULL) {
        receive_all(in, in_size);
    }
    return true;
}

bool bus_info(bus_info_t *info)
{
    return transact('I', 0, 0, NULL, info, sizeof(*info));
}

bool bus_flash_read(uint32_t address, void *data, uint32_t size)
{
    return transact('R', address, size, NULL, data, size);
}

bool bus_flash_program(uint32_t address, const void *data, uint32_t size)
{
    return transact('P', address, size, data, NULL, 0);
}

bool bus_flash_erase(uint32_t address, uint32_t size)
{
    return transact('E', address, size, NULL, NULL, 0);
}

bool bus_gpio_level(uint32_t gpio, uint8_t *level)
{
    return transact('G', gpio, 0, NULL, level, sizeof(*level));
}
