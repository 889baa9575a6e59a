/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The native firmware's entry: `fctry.elf --bus FD`, started by the simulated board. stdin and stdout are UART0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "bus.h"

void app_main(void);

/* A UART's console ends lines in CR LF, as ESP-IDF's does by default. */
static ssize_t write_uart(void *cookie, const char *bytes, size_t size)
{
    (void)cookie;
    char buffer[2 * BUFSIZ];
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n') {
            buffer[length++] = '\r';
        }
        buffer[length++] = bytes[i];
        if (length >= sizeof(buffer) - 2 || i + 1 == size) {
            for (size_t done = 0; done < length;) {
                const ssize_t count = write(STDOUT_FILENO, buffer + done, length - done);
                if (count < 0) {
                    return 0; /* the board is gone; the next read says so */
                }
                done += (size_t)count;
            }
            length = 0;
        }
    }
    return (ssize_t)size;
}

static void init_stdout(void)
{
    const cookie_io_functions_t functions = {.write = write_uart};
    FILE *uart = fopencookie(NULL, "w", functions);
    if (uart == NULL) {
        perror("fopencookie");
        exit(EXIT_FAILURE);
    }
    (void)setvbuf(uart, NULL, _IOLBF, BUFSIZ);
    stdout = uart;
}

int main(int argc, char **argv)
{
    if (argc != 3 || strcmp(argv[1], "--bus") != 0) {
        fprintf(stderr, "usage: %s --bus FD\nThis is firmware; start it with: fctry board --app DIR\n", argv[0]);
        return 2;
    }
    bus_init(atoi(argv[2]));
    init_stdout();
    app_main();
    return EXIT_FAILURE; /* app_main does not return; if it does, the board says that the firmware crashed */
}
