/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * ESP-IDF's linux target: the console is stdin and stdout, the flash is the file that FCTRY_FLASH_FILE names, with
 * the partition table at its place. Without that variable ESP-IDF makes a flash of its own in a temporary file.
 */
#include "port.h"

#include <poll.h>
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

int port_read_byte(uint32_t timeout_ms)
{
    static unsigned char buffer[4096];
    static size_t begin;
    static size_t end;
    struct pollfd console = {.fd = STDIN_FILENO, .events = POLLIN};
    if (begin < end) {
        return buffer[begin++];
    }
    if (poll(&console, 1, (int)timeout_ms) <= 0) { /* nothing came, or FreeRTOS' tick, which is a signal */
        return PORT_NO_BYTE;
    }
    const ssize_t count = read(STDIN_FILENO, buffer, sizeof(buffer));
    if (count == 0) {
        exit(EXIT_SUCCESS); /* whoever started the program is gone */
    }
    if (count < 0) {
        return PORT_NO_BYTE;
    }
    begin = 1;
    end = (size_t)count;
    return buffer[0];
}

bool port_is_boot_button_down(void)
{
    return false;
}

bool port_read_mac(bool is_base, uint8_t mac[6])
{
    (void)is_base;
    (void)mac;
    return false;
}
