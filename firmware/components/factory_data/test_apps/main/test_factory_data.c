/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Factory data as an application meets it, on whatever nvs_flash this ESP-IDF has.
 */
#include <stdlib.h>
#include <string.h>

#include "factory_data.h"
#include "nvs_flash.h"
#include "unity.h"

#define LABEL CONFIG_FACTORY_DATA_PARTITION_LABEL

void test_opens_from_cplusplus(void);
void test_mac_of_the_factory_data_is_the_base_mac(void);
void test_mac_that_others_may_have_is_refused(void);
void test_seal_closes_the_console_for_ever(void);

static const factory_data_config_t CONFIG = FACTORY_DATA_CONFIG_DEFAULT();
static const uint8_t CALIBRATION[3] = {1, 2, 3};

/* What a factory would write. */
static void write_factory_data(void)
{
    nvs_handle_t nvs;
    TEST_ASSERT_EQUAL(ESP_OK, nvs_flash_erase_partition(LABEL));
    TEST_ASSERT_EQUAL(ESP_OK, nvs_flash_init_partition(LABEL));
    TEST_ASSERT_EQUAL(ESP_OK, nvs_open_from_partition(LABEL, CONFIG.namespace_name, NVS_READWRITE, &nvs));
    TEST_ASSERT_EQUAL(ESP_OK, nvs_set_str(nvs, "serial_number", "164589345735"));
    TEST_ASSERT_EQUAL(ESP_OK, nvs_set_u32(nvs, "hw_version", 3));
    TEST_ASSERT_EQUAL(ESP_OK, nvs_set_blob(nvs, "calibration", CALIBRATION, sizeof(CALIBRATION)));
    TEST_ASSERT_EQUAL(ESP_OK, nvs_commit(nvs));
    nvs_close(nvs);
    TEST_ASSERT_EQUAL(ESP_OK, nvs_flash_deinit_partition(LABEL));
}

static factory_data_handle_t open_factory_data(void)
{
    factory_data_handle_t factory = NULL;
    TEST_ASSERT_EQUAL(ESP_OK, factory_data_open(&CONFIG, &factory, NULL));
    return factory;
}

void setUp(void)
{
}

void tearDown(void)
{
}

static void test_reads_what_was_written(void)
{
    factory_data_handle_t factory = open_factory_data();
    uint32_t hw_version = 0;
    uint8_t calibration[sizeof(CALIBRATION)];
    size_t size = sizeof(calibration);
    TEST_ASSERT_EQUAL(ESP_OK, factory_data_get_u32(factory, "hw_version", &hw_version));
    TEST_ASSERT_EQUAL(3, hw_version);
    TEST_ASSERT_EQUAL(ESP_OK, factory_data_get_blob(factory, "calibration", calibration, &size));
    TEST_ASSERT_EQUAL_MEMORY(CALIBRATION, calibration, sizeof(CALIBRATION));
    TEST_ASSERT_EQUAL(ESP_ERR_NVS_NOT_FOUND, factory_data_get_u32(factory, "missing", &hw_version));
    factory_data_close(factory);
}

static void test_says_what_is_wrong(void)
{
    const factory_data_config_t other = {"no_partition", "fctryNamespace"};
    factory_data_handle_t factory = NULL;
    factory_data_failure_t failure = {0};
    TEST_ASSERT_EQUAL(ESP_ERR_NOT_FOUND, factory_data_open(&other, &factory, &failure));
    TEST_ASSERT_NULL(factory);
    TEST_ASSERT_EQUAL(ESP_ERR_NOT_FOUND, failure.code);
    TEST_ASSERT_NOT_EMPTY(failure.hint);
}

static void count(const factory_data_item_t *item, void *context)
{
    TEST_ASSERT_EQUAL(ESP_OK, item->error);
    ++*(unsigned *)context;
}

static void test_lists_all_entries(void)
{
    unsigned entries = 0;
    factory_data_handle_t factory = open_factory_data();
    TEST_ASSERT_EQUAL(ESP_OK, factory_data_for_each(factory, count, &entries));
    TEST_ASSERT_EQUAL(3, entries);
    factory_data_close(factory);
}

static void test_reset_spares_factory_data(void)
{
    nvs_handle_t nvs;
    TEST_ASSERT_EQUAL(ESP_OK, nvs_open("settings", NVS_READWRITE, &nvs));
    TEST_ASSERT_EQUAL(ESP_OK, nvs_set_u8(nvs, "on", 1));
    TEST_ASSERT_EQUAL(ESP_OK, nvs_commit(nvs));
    nvs_close(nvs);
    TEST_ASSERT_EQUAL(ESP_ERR_INVALID_ARG, factory_data_reset(LABEL));
    TEST_ASSERT_EQUAL(ESP_OK, factory_data_reset(NVS_DEFAULT_PART_NAME));
    TEST_ASSERT_EQUAL(ESP_OK, nvs_flash_init());
    TEST_ASSERT_EQUAL(ESP_ERR_NVS_NOT_FOUND, nvs_open("settings", NVS_READONLY, &nvs));
    test_reads_what_was_written();
}

void app_main(void)
{
    TEST_ASSERT_EQUAL(ESP_OK, factory_data_finish_reset(NVS_DEFAULT_PART_NAME, NULL));
    TEST_ASSERT_EQUAL(ESP_OK, nvs_flash_init());
    write_factory_data();
    UNITY_BEGIN();
    RUN_TEST(test_reads_what_was_written);
    RUN_TEST(test_opens_from_cplusplus);
    RUN_TEST(test_says_what_is_wrong);
    RUN_TEST(test_lists_all_entries);
    RUN_TEST(test_reset_spares_factory_data);
#if !CONFIG_IDF_TARGET_LINUX
    RUN_TEST(test_mac_of_the_factory_data_is_the_base_mac);
    RUN_TEST(test_mac_that_others_may_have_is_refused);
    RUN_TEST(test_seal_closes_the_console_for_ever);
#endif
    const int failures = UNITY_END();
#if CONFIG_IDF_TARGET_LINUX
    exit(failures);
#else
    (void)failures;
#endif
}
