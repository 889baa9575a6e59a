/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What only a chip has: MAC addresses, and eFuses.
 */
#include "esp_mac.h"
#include "factory_data.h"
#include "nvs_flash.h"
#include "unity.h"

#define KEY "mac_addr"

void test_mac_of_the_factory_data_is_the_base_mac(void);
void test_mac_that_others_may_have_is_refused(void);
void test_seal_closes_the_console_for_ever(void);

static esp_err_t apply(const char *mac)
{
    const factory_data_config_t config = FACTORY_DATA_CONFIG_DEFAULT();
    factory_data_handle_t factory = NULL;
    nvs_handle_t nvs;
    TEST_ASSERT_EQUAL(ESP_OK, nvs_open_from_partition(config.partition_label, config.namespace_name, NVS_READWRITE, &nvs));
    TEST_ASSERT_EQUAL(ESP_OK, nvs_set_str(nvs, KEY, mac));
    TEST_ASSERT_EQUAL(ESP_OK, nvs_commit(nvs));
    nvs_close(nvs);
    TEST_ASSERT_EQUAL(ESP_OK, factory_data_open(&config, &factory, NULL));
    const esp_err_t err = factory_data_apply_mac(factory, KEY);
    factory_data_close(factory);
    return err;
}

static void expect_mac(esp_mac_type_t type, uint8_t last)
{
    const uint8_t expected[6] = {0x24, 0x0a, 0xc4, 0x01, 0x02, last};
    uint8_t mac[6];
    TEST_ASSERT_EQUAL(ESP_OK, esp_read_mac(mac, type));
    TEST_ASSERT_EQUAL_HEX8_ARRAY(expected, mac, sizeof(mac));
}

void test_mac_of_the_factory_data_is_the_base_mac(void)
{
    TEST_ASSERT_EQUAL(ESP_OK, apply("24:0a:c4:01:02:04"));
    expect_mac(ESP_MAC_BASE, 0x04);
#if CONFIG_ESP_MAC_ADDR_UNIVERSE_WIFI_STA
    expect_mac(ESP_MAC_WIFI_STA, 0x04);
#endif
#if CONFIG_ESP_MAC_ADDR_UNIVERSE_WIFI_AP
    expect_mac(ESP_MAC_WIFI_SOFTAP, 0x05);
#endif
#if CONFIG_ESP_MAC_ADDR_UNIVERSE_BT && CONFIG_ESP_MAC_UNIVERSAL_MAC_ADDRESSES_FOUR
    expect_mac(ESP_MAC_BT, 0x06);
#endif
}

void test_mac_that_others_may_have_is_refused(void)
{
    TEST_ASSERT_EQUAL(ESP_ERR_INVALID_MAC, apply("25:0a:c4:01:02:04"));
    TEST_ASSERT_EQUAL(ESP_ERR_INVALID_MAC, apply("ff:ff:ff:ff:ff:ff"));
    TEST_ASSERT_EQUAL(ESP_ERR_INVALID_MAC, apply("00:00:00:00:00:00"));
    TEST_ASSERT_EQUAL(ESP_ERR_INVALID_MAC, apply("24:0a:c4:01:02:05"));
    TEST_ASSERT_EQUAL(ESP_ERR_INVALID_MAC, apply("24:0a:c4:01:02"));
    expect_mac(ESP_MAC_BASE, 0x04);
}

void test_seal_closes_the_console_for_ever(void)
{
#if CONFIG_FACTORY_DATA_SEAL_EFUSE
    TEST_ASSERT_EQUAL(ESP_OK, factory_data_seal());
    TEST_ASSERT_FALSE(factory_data_is_console_open());
    TEST_ASSERT_EQUAL(ESP_OK, factory_data_seal());
#else
    TEST_ASSERT_EQUAL(ESP_ERR_NOT_SUPPORTED, factory_data_seal());
    TEST_ASSERT_TRUE(factory_data_is_console_open());
#endif
}
