/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * ESP-IDF's linux target: the console is stdin and stdout, the flash is the file that FCTRY_FLASH_FILE names, with
 * the partition table at its place. Without that variable ESP-IDF makes a flash of its own in a temporary file.
 */
#include "port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esp_private/partition_linux.h"

void port_init(void)
{
    const char *path = getenv("FCTRY_FLASH_FILE");
    if (path == NULL) {
        return;
    }
    esp_partition_file_mmap_ctrl_t *control = esp_partition_get_file_mmap_ctrl_input();
    if (strlen(path) >= sizeof(control->flash_file_name)) {
        fprintf(stderr, "FCTRY_FLASH_FILE is longer than %zu bytes\n", sizeof(control->flash_file_name) - 1);
        exit(EXIT_FAILURE);
    }
    strcpy(control->flash_file_name, path);
}

int port_read_byte(void)
{
    unsigned char byte;
    for (;;) {
        const ssize_t count = read(STDIN_FILENO, &byte, 1);
        if (count == 1) {
            return byte;
        }
        if (count == 0 || errno != EINTR) { /* EINTR: FreeRTOS' tick is a signal */
            exit(EXIT_SUCCESS);
        }
    }
}
