/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The user's partition: what a product's settings would be.
 */
#include "commands.h"
#include "console.h"
#include "esp_system.h"

static const factory_data_config_t USER = {
    .partition_label = NVS_DEFAULT_PART_NAME,
    .namespace_name = "user",
};

static void report_empty(void)
{
    factory_data_line_t line;
    factory_data_line_begin(&line, console_sink(), "end");
    factory_data_line_text(&line, "partition", USER.partition_label);
    factory_data_line_unsigned(&line, "items", 0);
    factory_data_line_end(&line);
}

static esp_err_t store(const char *key, const char *value, const char **where)
{
    nvs_handle_t handle;
    *where = "nvs_open";
    esp_err_t err = nvs_open(USER.namespace_name, NVS_READWRITE, &handle);
    if (err != ESP_OK) {
        return err;
    }
    *where = "nvs_set_str";
    err = nvs_set_str(handle, key, value);
    if (err == ESP_OK) {
        *where = "nvs_commit";
        err = nvs_commit(handle);
    }
    nvs_close(handle);
    return err;
}

esp_err_t command_user_set(int argc, char **argv)
{
    (void)argc;
    const char *where;
    const esp_err_t err = store(argv[1], argv[2], &where);
    if (err != ESP_OK) {
        console_answer_error(where, err, &USER, argv[1]);
    }
    return err;
}

/* Nothing has been stored before the first user-set: that is no reason to log an error. */
static bool has_settings(void)
{
    nvs_handle_t handle;
    const esp_err_t err = nvs_open(USER.namespace_name, NVS_READONLY, &handle);
    if (err == ESP_OK) {
        nvs_close(handle);
    }
    return err != ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t command_user_get(int argc, char **argv)
{
    (void)argc;
    factory_data_failure_t failure;
    factory_data_handle_t user = NULL;
    if (!has_settings()) {
        console_answer_error("nvs_open", ESP_ERR_NVS_NOT_FOUND, &USER, argv[1]);
        report_empty();
        return ESP_ERR_NVS_NOT_FOUND;
    }
    if (factory_data_open(&USER, &user, &failure) != ESP_OK) {
        factory_data_report_failure(&USER, &failure, console_sink());
        return failure.code;
    }
    const esp_err_t err = factory_data_report_key(user, argv[1], NVS_TYPE_ANY, console_sink());
    factory_data_close(user);
    return err;
}

esp_err_t command_user_list(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    factory_data_failure_t failure;
    factory_data_handle_t user = NULL;
    if (!has_settings()) {
        report_empty();
        return ESP_OK;
    }
    if (factory_data_open(&USER, &user, &failure) != ESP_OK) {
        factory_data_report_failure(&USER, &failure, console_sink());
        return failure.code;
    }
    const esp_err_t err = factory_data_report(user, console_sink());
    factory_data_close(user);
    return err;
}

esp_err_t command_factory_reset(int argc, char **argv)
{
    (void)argc;
    const esp_err_t err = factory_data_reset(USER.partition_label);
    if (err != ESP_OK) {
        console_answer_error("factory_data_reset", err, NULL, NULL);
        return err;
    }
    console_answer_done(argv[0], err);
    esp_restart();
}
