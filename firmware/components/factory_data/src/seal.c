/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "factory_data_private.h"

#if CONFIG_FACTORY_DATA_SEAL_EFUSE

#include "esp_efuse.h"

static const esp_efuse_desc_t BIT = {EFUSE_BLK3, CONFIG_FACTORY_DATA_SEAL_EFUSE_BIT, 1};
static const esp_efuse_desc_t *SEAL[] = {&BIT, NULL};

static bool is_sealed(void)
{
    return esp_efuse_read_field_bit(SEAL);
}

esp_err_t factory_data_seal(void)
{
    return is_sealed() ? ESP_OK : esp_efuse_write_field_bit(SEAL);
}

#else

#if CONFIG_FACTORY_DATA_SEAL_KEY

/* Data that cannot be read cannot be told either, so that a damaged partition is not sealed, but says what is wrong with it. */
static bool is_sealed(void)
{
    const factory_data_config_t config = {
        .partition_label = CONFIG_FACTORY_DATA_PARTITION_LABEL,
        .namespace_name = "fctry",
    };
    const char *where;
    factory_data_handle_t handle = NULL;
    if (factory_data_try_open(&config, &handle, &where) != ESP_OK) {
        return false;
    }
    const bool is_set = factory_data_get_u8_or(handle, "sealed", 0) != 0;
    factory_data_close(handle);
    return is_set;
}

#endif

esp_err_t factory_data_seal(void)
{
    return ESP_ERR_NOT_SUPPORTED;
}

#endif

bool factory_data_is_console_open(void)
{
#if CONFIG_FACTORY_DATA_CONSOLE_UNTIL_SEALED
    return !is_sealed();
#elif CONFIG_FACTORY_DATA_CONSOLE_ALWAYS
    return true;
#else
    return false;
#endif
}
