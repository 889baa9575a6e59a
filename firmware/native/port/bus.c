/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
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

/* Go on behind what was sent or received of the pieces; false once there is nothing left. */
static bool advance(struct msghdr *message, ssize_t count)
{
    if (count < 0 && errno == EINTR) {
        return true;
    }
    if (count <= 0) {
        _exit(EXIT_SUCCESS); /* the board is gone */
    }
    size_t done = (size_t)count;
    while (message->msg_iovlen > 0 && done >= message->msg_iov->iov_len) {
        done -= message->msg_iov->iov_len;
        message->msg_iov++;
        message->msg_iovlen--;
    }
    if (message->msg_iovlen > 0) {
        message->msg_iov->iov_base = (char *)message->msg_iov->iov_base + done;
        message->msg_iov->iov_len -= done;
    }
    return message->msg_iovlen > 0;
}

/* The header and what belongs to it go together: a call for each costs the board twice the time. */
static bool transact(char op, uint32_t address, uint32_t length, const void *out, void *in, size_t in_size)
{
    request_t request = {.op = (uint8_t)op, .address = address, .length = length};
    uint8_t status = 1;
    struct iovec sent[] = {{&request, sizeof(request)}, {(void *)(uintptr_t)out, length}};
    struct iovec received[] = {{&status, sizeof(status)}, {in, in_size}};
    struct msghdr message = {.msg_iov = sent, .msg_iovlen = out == NULL ? 1 : 2};
    while (advance(&message, sendmsg(s_fd, &message, MSG_NOSIGNAL))) {
    }
    message = (struct msghdr){.msg_iov = received, .msg_iovlen = in == NULL ? 1 : 2};
    while (advance(&message, recvmsg(s_fd, &message, 0)) && status == 0) {
    }
    return status == 0;
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
