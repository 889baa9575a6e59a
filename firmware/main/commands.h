/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The console's commands. Each answers through console_sink(); the `done` line at the end comes from commands.c. Below this
 * lies the console, which is handed commands_register().
 */
#pragma once

#include "factory_data.h"

/** Register all commands. */
void commands_register(void);

/** A command. @return ESP_OK, or the code of an error that it has answered */
typedef esp_err_t (*command_t)(int argc, char **argv);

/* By the file that has them: */

/* commands_factory.c */
esp_err_t command_factory(int argc, char **argv);
esp_err_t command_factory_get(int argc, char **argv);
esp_err_t command_prove(int argc, char **argv);
#if CONFIG_FACTORY_DATA_SEAL_EFUSE
esp_err_t command_seal(int argc, char **argv);
#endif

/* commands_user.c */
esp_err_t command_user_set(int argc, char **argv);
esp_err_t command_user_get(int argc, char **argv);
esp_err_t command_user_list(int argc, char **argv);
esp_err_t command_factory_reset(int argc, char **argv);

/* commands_info.c */
esp_err_t command_info(int argc, char **argv);

/** Open factory data, mounted anew: what is in flash now, whatever has been read before. As factory_data_open(). */
esp_err_t open_factory(const factory_data_config_t *config, factory_data_handle_t *factory,
                       factory_data_failure_t *failure);

/** Report the factory data, for machines and, as a table, for people. @return why it could not be opened, or ESP_OK */
esp_err_t report_factory(const factory_data_sink_t *sink);
