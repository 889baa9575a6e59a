/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Chips: the console on a UART or on the USB-Serial-JTAG peripheral. Its driver is installed, since without one the
 * console polls the hardware's FIFO and loses what does not fit into it.
 */
#include "port.h"

#include <stdio.h>

#include "esp_err.h"
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

static void install_driver(void)
{
#if CONFIG_ESP_CONSOLE_USB_SERIAL_JTAG
    usb_serial_jtag_driver_config_t config = {.tx_buffer_size = 256, .rx_buffer_size = RX_BUFFER_BYTES};
    ESP_ERROR_CHECK_WITHOUT_ABORT(usb_serial_jtag_driver_install(&config));
    usb_serial_jtag_vfs_use_driver();
#elif CONFIG_ESP_CONSOLE_UART
    /* No transmit buffer: what was printed is out when printf returns, so that esp_restart() cuts nothing off. */
    ESP_ERROR_CHECK_WITHOUT_ABORT(uart_driver_install(CONFIG_ESP_CONSOLE_UART_NUM, RX_BUFFER_BYTES, 0, 0, NULL, 0));
    uart_vfs_dev_use_driver(CONFIG_ESP_CONSOLE_UART_NUM);
#endif
}

void port_init(void)
{
    (void)setvbuf(stdin, NULL, _IONBF, 0);
    install_driver();
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
