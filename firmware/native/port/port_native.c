/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * main/port.h for the native build.
 */
#include "port.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "bus.h"
#include "esp_mac.h"
#include "sdkconfig.h"

void port_init(void)
{
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
    if (poll(&console, 1, (int)timeout_ms) <= 0) {
        return PORT_NO_BYTE;
    }
    const ssize_t count = read(STDIN_FILENO, buffer, sizeof(buffer));
    if (count == 0) {
        _exit(EXIT_SUCCESS); /* the board is gone */
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
    uint8_t level;
    return bus_gpio_level(CONFIG_FCTRY_BOOT_BUTTON_GPIO, &level) && level == 0;
}

bool port_read_mac(bool is_base, uint8_t mac[6])
{
    return esp_read_mac(mac, is_base ? ESP_MAC_BASE : ESP_MAC_EFUSE_FACTORY) == ESP_OK;
}
