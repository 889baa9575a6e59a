/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Chips: the console on a UART or on the USB-Serial-JTAG peripheral. Its driver is installed, since without one the
 * console polls the hardware's FIFO and loses what does not fit into it.
 */
#include "port.h"

#include <stdio.h>

#include "esp_err.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "sdkconfig.h"

#if CONFIG_ESP_CONSOLE_USB_SERIAL_JTAG
#include "driver/usb_serial_jtag.h"
#include "driver/usb_serial_jtag_vfs.h"
#elif CONFIG_ESP_CONSOLE_UART
#include "driver/uart.h"
#include "driver/uart_vfs.h"
#endif

#define RX_BUFFER_BYTES 1024 /* a whole command line, however busy the application is */

static const char *TAG = "console";

static esp_err_t install_driver(void)
{
#if CONFIG_ESP_CONSOLE_USB_SERIAL_JTAG
    usb_serial_jtag_driver_config_t config = {.tx_buffer_size = 256, .rx_buffer_size = RX_BUFFER_BYTES};
    const esp_err_t err = usb_serial_jtag_driver_install(&config);
    if (err == ESP_OK) {
        usb_serial_jtag_vfs_use_driver();
    }
    return err;
#elif CONFIG_ESP_CONSOLE_UART
    /* No transmit buffer: what was printed is out when printf returns, so that esp_restart() cuts nothing off. */
    const esp_err_t err = uart_driver_install(CONFIG_ESP_CONSOLE_UART_NUM, RX_BUFFER_BYTES, 0, 0, NULL, 0);
    if (err == ESP_OK) {
        uart_vfs_dev_use_driver(CONFIG_ESP_CONSOLE_UART_NUM);
    }
    return err;
#else
    return ESP_ERR_NOT_SUPPORTED;
#endif
}

void port_init(void)
{
    (void)setvbuf(stdin, NULL, _IONBF, 0);
    const esp_err_t err = install_driver();
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "no console driver: %s", esp_err_to_name(err));
    }
}

int port_read_byte(void)
{
    int byte;
    while ((byte = getc(stdin)) == EOF) {
        clearerr(stdin);
        vTaskDelay(1); /* a console without a driver does not wait */
    }
    return byte;
}
