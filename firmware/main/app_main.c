/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The reference firmware: report what the factory partition holds, then serve the console.
 */
#include <stddef.h>

#include "console.h"
#include "esp_err.h"
#include "esp_idf_version.h"
#include "esp_log.h"
#include "esp_system.h"
#include "factory_data.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "port.h"

#if __has_include("esp_app_desc.h")
#include "esp_app_desc.h"
#define APP_NAME (esp_app_get_description()->project_name)
#define APP_VERSION (esp_app_get_description()->version)
#else /* ESP-IDF before v5.5 has no application description on its linux target */
#define APP_NAME "fctry"
#define APP_VERSION "linux"
#endif

static const char *TAG = "fctry";

static const char *reset_reason_name(esp_reset_reason_t reason)
{
    static const char *const NAMES[] = {
        [ESP_RST_UNKNOWN] = "unknown",   [ESP_RST_POWERON] = "power-on",  [ESP_RST_EXT] = "external",
        [ESP_RST_SW] = "software",       [ESP_RST_PANIC] = "panic",       [ESP_RST_INT_WDT] = "interrupt-watchdog",
        [ESP_RST_TASK_WDT] = "task-watchdog", [ESP_RST_WDT] = "watchdog", [ESP_RST_DEEPSLEEP] = "deep-sleep",
        [ESP_RST_BROWNOUT] = "brownout", [ESP_RST_SDIO] = "sdio",         [ESP_RST_USB] = "usb",
        [ESP_RST_JTAG] = "jtag",         [ESP_RST_EFUSE] = "efuse",       [ESP_RST_PWR_GLITCH] = "power-glitch",
        [ESP_RST_CPU_LOCKUP] = "cpu-lockup",
    };
    const size_t index = (size_t)reason;
    return index < sizeof(NAMES) / sizeof(NAMES[0]) ? NAMES[index] : "unknown";
}

static void report_boot(const factory_data_sink_t *sink)
{
    factory_data_line_t line;
    factory_data_line_begin(&line, sink, "boot");
    factory_data_line_text(&line, "app", APP_NAME);
    factory_data_line_text(&line, "version", APP_VERSION);
    factory_data_line_text(&line, "idf", esp_get_idf_version());
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

void app_main(void); /* ESP-IDF declares it nowhere */

void app_main(void)
{
    port_init();
    const factory_data_sink_t *sink = factory_data_stdout();
    report_boot(sink);
    init_user_nvs(sink);
    console_print_factory(sink);
    console_run();
}
