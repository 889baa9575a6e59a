/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The bus over a flash file instead of a board, for nvs_script and stress, where FCTRY_FLASH_FILE names the file, and for the
 * component as a library. It is mapped, so that whoever runs the program sees every change at once, and can make changes of its own while
 * nothing is mounted.
 *
 * FCTRY_POWER_CUT_AT: the number of the program or erase operation, counted from 1, half of which is done before the
 * process ends with status 3; with a minus sign, nothing of it is done.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus.h"

#define POWER_CUT_STATUS 3

void app_main(void) __attribute__((weak)); /* a library has none */
bool file_bus_open(const char *path);

static uint8_t *s_flash;
static uint32_t s_flash_bytes;
static _Atomic long s_operations;
static long s_power_cut_at;

static bool is_inside(uint32_t address, uint32_t size)
{
    return address <= s_flash_bytes && size <= s_flash_bytes - address;
}

/* How much of an operation on `size` bytes is done. */
static uint32_t begin_operation(uint32_t size)
{
    const long operation = ++s_operations;
    return operation == s_power_cut_at ? size / 2 : operation == -s_power_cut_at ? 0 : size;
}

static void end_operation(void)
{
    if (s_operations == labs(s_power_cut_at)) {
        _exit(POWER_CUT_STATUS);
    }
}

bool bus_info(bus_info_t *info)
{
    *info = (bus_info_t){.reset_reason = 1, .flash_bytes = s_flash_bytes};
    return true;
}

bool bus_flash_read(uint32_t address, void *data, uint32_t size)
{
    if (!is_inside(address, size)) {
        return false;
    }
    memcpy(data, s_flash + address, size);
    return true;
}

bool bus_flash_program(uint32_t address, const void *data, uint32_t size)
{
    if (!is_inside(address, size)) {
        return false;
    }
    const uint8_t *bytes = data;
    const uint32_t done = begin_operation(size);
    for (uint32_t i = 0; i < done; i++) {
        s_flash[address + i] &= bytes[i];
    }
    end_operation();
    return true;
}

bool bus_flash_erase(uint32_t address, uint32_t size)
{
    if (!is_inside(address, size)) {
        return false;
    }
    memset(s_flash + address, 0xFF, begin_operation(size));
    end_operation();
    return true;
}

bool bus_gpio_level(uint32_t gpio, uint8_t *level)
{
    (void)gpio;
    (void)level;
    return false;
}

bool file_bus_open(const char *path)
{
    const int fd = open(path, O_RDWR);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        return false;
    }
    s_flash_bytes = (uint32_t)status.st_size;
    s_flash = mmap(NULL, s_flash_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    return s_flash != MAP_FAILED;
}

int main(void)
{
    const char *path = getenv("FCTRY_FLASH_FILE");
    const char *power_cut_at = getenv("FCTRY_POWER_CUT_AT");
    if (path == NULL || !file_bus_open(path)) {
        perror("FCTRY_FLASH_FILE");
        return EXIT_FAILURE;
    }
    s_power_cut_at = power_cut_at == NULL ? 0 : strtol(power_cut_at, NULL, 10);
    app_main();
    return EXIT_SUCCESS;
}
