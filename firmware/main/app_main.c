/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The reference firmware: report what the factory partition holds, then serve the console.
 */
#include <stddef.h>

#include "app_info.h"
#include "boot_button.h"
#include "commands.h"
#include "console.h"
#include "esp_log.h"
#include "esp_system.h"
#include "factory_data.h"
#include "nvs_flash.h"
#include "port.h"

static const char *TAG = "fctry";

static const char *reset_reason_name(esp_reset_reason_t reason)
{
    switch (reason) {
    case ESP_RST_POWERON: return "power-on";
    case ESP_RST_EXT: return "external";
    case ESP_RST_SW: return "software";
    case ESP_RST_PANIC: return "panic";
    case ESP_RST_INT_WDT: return "interrupt-watchdog";
    case ESP_RST_TASK_WDT: return "task-watchdog";
    case ESP_RST_WDT: return "watchdog";
    case ESP_RST_DEEPSLEEP: return "deep-sleep";
    case ESP_RST_BROWNOUT: return "brownout";
    case ESP_RST_SDIO: return "sdio";
    case ESP_RST_USB: return "usb";
    case ESP_RST_JTAG: return "jtag";
    case ESP_RST_EFUSE: return "efuse";
    case ESP_RST_PWR_GLITCH: return "power-glitch";
    case ESP_RST_CPU_LOCKUP: return "cpu-lockup";
    default: return "unknown";
    }
}

static void report_boot(const factory_data_sink_t *sink)
{
    factory_data_line_t line;
    factory_data_line_begin(&line, sink, "boot");
    app_info_write(&line);
    factory_data_line_text(&line, "reset", reset_reason_name(esp_reset_reason()));
    factory_data_line_end(&line);
}

static void report_user_nvs(const factory_data_sink_t *sink, const char *event, const char *where, esp_err_t code)
{
    factory_data_line_t line;
    factory_data_line_begin(&line, sink, event);
    factory_data_line_text(&line, "where", where);
    factory_data_line_text(&line, "code", esp_err_to_name(code));
    factory_data_line_text(&line, "partition", NVS_DEFAULT_PART_NAME);
    factory_data_line_end(&line);
}

/* An `erased` line says that the user's settings are gone, and why: here, that a reset to factory was interrupted. */
static void finish_reset(const factory_data_sink_t *sink)
{
    bool was_interrupted = false;
    const esp_err_t err = factory_data_finish_reset(NVS_DEFAULT_PART_NAME, &was_interrupted);
    if (was_interrupted) {
        report_user_nvs(sink, "erased", "factory_data_finish_reset", ESP_OK);
    } else if (err != ESP_OK && err != ESP_ERR_NOT_FOUND) { /* no such partition: nvs_flash_init() says so next */
        report_user_nvs(sink, "error", "factory_data_finish_reset", err);
    }
}

/* The user's settings may be given up to get a working device; the factory data never. */
static void init_user_nvs(const factory_data_sink_t *sink)
{
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_LOGW(TAG, "nvs_flash_init: %s: erasing partition '" NVS_DEFAULT_PART_NAME "'", esp_err_to_name(err));
        report_user_nvs(sink, "erased", "nvs_flash_init", err);
        err = nvs_flash_erase();
        if (err != ESP_OK) {
            report_user_nvs(sink, "error", "nvs_flash_erase", err);
            return;
        }
        err = nvs_flash_init();
    }
    if (err != ESP_OK) {
        report_user_nvs(sink, "error", "nvs_flash_init", err);
    }
}

/* What the seed calls `mac_addr` becomes the chip's base MAC. No interface runs yet. */
static void apply_mac(void)
{
    const factory_data_config_t config = FACTORY_DATA_CONFIG_DEFAULT();
    factory_data_handle_t factory = NULL;
    if (factory_data_open(&config, &factory, NULL) == ESP_OK) {
        (void)factory_data_apply_mac(factory, "mac_addr"); /* the chip keeps its own, and the log says why */
        factory_data_close(factory);
    }
}

static void reset_by_button(void)
{
    const esp_err_t err = factory_data_reset(NVS_DEFAULT_PART_NAME);
    if (err != ESP_OK) {
        report_user_nvs(factory_data_stdout(), "error", "factory_data_reset", err);
        return;
    }
    esp_restart();
}

static void watch_boot_button(void)
{
    static boot_button_t button;
    if (button.is_finished) {
        return;
    }
    switch (boot_button_update(&button, port_is_boot_button_down(), esp_log_timestamp())) {
    case BOOT_BUTTON_PRESSED:
        ESP_LOGW(TAG, "BOOT button: hold it for %d s to reset to factory", BOOT_BUTTON_HOLD_MS / 1000);
        break;
    case BOOT_BUTTON_CANCELLED:
        ESP_LOGI(TAG, "BOOT button: let go, no reset to factory");
        break;
    case BOOT_BUTTON_HELD:
        reset_by_button();
        break;
    case BOOT_BUTTON_NOTHING:
        break;
    }
}

/* Until the device is sealed: report, and serve the console. */
static void run_console(const factory_data_sink_t *sink)
{
#if CONFIG_FACTORY_DATA_CONSOLE_NEVER
    (void)sink;
#else
    if (!factory_data_is_console_open()) {
        factory_data_line_t line;
        factory_data_line_begin(&line, sink, "sealed");
        factory_data_line_end(&line);
        return;
    }
    if (report_factory(sink) == ESP_OK) { /* whatever is wrong with the data, the application runs on */
        apply_mac();
    }
    console_run(commands_register, watch_boot_button);
#endif
}

void app_main(void); /* ESP-IDF declares it nowhere */

void app_main(void)
{
    port_init();
    const factory_data_sink_t *sink = factory_data_stdout();
    report_boot(sink);
    finish_reset(sink);
    init_user_nvs(sink);
    run_console(sink);
    apply_mac();
    for (;;) { /* nothing that is typed is answered */
        (void)port_read_byte(CONSOLE_IDLE_MS);
        watch_boot_button();
    }
}
