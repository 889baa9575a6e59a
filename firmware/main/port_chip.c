/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Chips: the console on a UART or on the USB-Serial-JTAG peripheral. Its driver is installed, since without one the
 * console polls the hardware's FIFO and loses what does not fit into it.
 */
#include "port.h"

#include "driver/gpio.h"
#include "esp_err.h"
#include "esp_log.h"
#include "esp_mac.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "sdkconfig.h"

#define HAS_USB (CONFIG_ESP_CONSOLE_USB_SERIAL_JTAG && !CONFIG_FACTORY_DATA_CONSOLE_NEVER)
#define HAS_UART (CONFIG_ESP_CONSOLE_UART && !CONFIG_FACTORY_DATA_CONSOLE_NEVER)

#if HAS_USB
#include "driver/usb_serial_jtag.h"
#include "driver/usb_serial_jtag_vfs.h"
#include "esp_system.h"
#elif HAS_UART
#include "driver/uart.h"
#include "driver/uart_vfs.h"
#endif

#define RX_BUFFER_BYTES 1024 /* a whole command line, however busy the application is */
#define TX_BUFFER_BYTES 256
#define TX_DRAIN_MS 100

static const char *TAG = "console";
static bool s_has_driver;

#if HAS_USB

/* What was printed waits in the driver's buffer until the host asks for it. */
static void drain(void)
{
    vTaskDelay(pdMS_TO_TICKS(TX_DRAIN_MS));
}

static esp_err_t install_driver(void)
{
    usb_serial_jtag_driver_config_t config = {.tx_buffer_size = TX_BUFFER_BYTES, .rx_buffer_size = RX_BUFFER_BYTES};
    const esp_err_t err = usb_serial_jtag_driver_install(&config);
    if (err != ESP_OK) {
        return err;
    }
    usb_serial_jtag_vfs_use_driver();
    return esp_register_shutdown_handler(drain);
}

static int read_bytes(uint8_t *byte, TickType_t ticks)
{
    return usb_serial_jtag_read_bytes(byte, 1, ticks);
}

#elif HAS_UART

static esp_err_t install_driver(void)
{
    /* No transmit buffer: what was printed is out when printf returns, so that esp_restart() cuts nothing off. */
    const esp_err_t err = uart_driver_install(CONFIG_ESP_CONSOLE_UART_NUM, RX_BUFFER_BYTES, 0, 0, NULL, 0);
    if (err == ESP_OK) {
        uart_vfs_dev_use_driver(CONFIG_ESP_CONSOLE_UART_NUM);
    }
    return err;
}

static int read_bytes(uint8_t *byte, TickType_t ticks)
{
    return uart_read_bytes(CONFIG_ESP_CONSOLE_UART_NUM, byte, 1, ticks);
}

#else

#if !CONFIG_FACTORY_DATA_CONSOLE_NEVER
static esp_err_t install_driver(void)
{
    return ESP_ERR_NOT_SUPPORTED; /* CONFIG_ESP_CONSOLE_NONE, _USB_CDC: the report at boot is all there is */
}
#endif

static int read_bytes(uint8_t *byte, TickType_t ticks)
{
    (void)byte;
    (void)ticks;
    return 0;
}

#endif

static void init_boot_button(void)
{
#if CONFIG_FCTRY_BOOT_BUTTON_GPIO >= 0
    const gpio_config_t config = {
        .pin_bit_mask = 1ULL << CONFIG_FCTRY_BOOT_BUTTON_GPIO,
        .mode = GPIO_MODE_INPUT,
        .pull_up_en = GPIO_PULLUP_ENABLE,
    };
    const esp_err_t err = gpio_config(&config);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "no BOOT button: %s", esp_err_to_name(err));
    }
#endif
}

void port_init(void)
{
#if !CONFIG_FACTORY_DATA_CONSOLE_NEVER
    const esp_err_t err = install_driver();
    s_has_driver = err == ESP_OK;
    if (!s_has_driver) {
        ESP_LOGE(TAG, "no console driver: %s", esp_err_to_name(err));
    }
#endif
    init_boot_button();
}

int port_read_byte(uint32_t timeout_ms)
{
    uint8_t byte;
    const TickType_t ticks = pdMS_TO_TICKS(timeout_ms) > 0 ? pdMS_TO_TICKS(timeout_ms) : 1;
    if (!s_has_driver) {
        vTaskDelay(ticks);
        return PORT_NO_BYTE;
    }
    return read_bytes(&byte, ticks) == 1 ? byte : PORT_NO_BYTE;
}

bool port_is_boot_button_down(void)
{
#if CONFIG_FCTRY_BOOT_BUTTON_GPIO >= 0
    return gpio_get_level(CONFIG_FCTRY_BOOT_BUTTON_GPIO) == 0;
#else
    return false;
#endif
}

bool port_read_mac(bool is_base, uint8_t mac[6])
{
    return esp_read_mac(mac, is_base ? ESP_MAC_BASE : ESP_MAC_EFUSE_FACTORY) == ESP_OK; /* both have 6 bytes */
}
