/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Frameworks such as Arduino start NVS before the application has a say. The linker makes their nvs_flash_init() this one
 * (--wrap, in CMakeLists.txt).
 */
#include "factory_data.h"
#include "nvs_flash.h"

#if CONFIG_FACTORY_DATA_FINISH_RESET_FIRST
esp_err_t __real_nvs_flash_init(void);
esp_err_t __wrap_nvs_flash_init(void);

esp_err_t __wrap_nvs_flash_init(void)
{
    const esp_err_t err = factory_data_finish_reset(NVS_DEFAULT_PART_NAME, NULL);
    return err == ESP_OK ? __real_nvs_flash_init() : err;
}
#endif
