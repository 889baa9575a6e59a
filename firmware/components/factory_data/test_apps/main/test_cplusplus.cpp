/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The headers in C++: compiled with all warnings, and called.
 */
#include "factory_data.h"
#include "unity.h"

extern "C" void test_opens_from_cplusplus(void)
{
    const factory_data_config_t config = FACTORY_DATA_CONFIG_DEFAULT();
    factory_data_handle_t factory = nullptr;
    TEST_ASSERT_EQUAL(ESP_OK, factory_data_open(&config, &factory, nullptr));
    char serial_number[16];
    size_t size = sizeof(serial_number);
    TEST_ASSERT_EQUAL(ESP_OK, factory_data_get_str(factory, "serial_number", serial_number, &size));
    TEST_ASSERT_EQUAL_STRING("164589345735", serial_number);
    factory_data_close(factory);
}
