/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "console.h"
#include "esp_console.h"
#include "esp_system.h"

static esp_err_t command_restart(int argc, char **argv);
static esp_err_t command_help(int argc, char **argv);

static const struct {
    const char *name;
    const char *arguments;
    int arguments_min;
    int arguments_max;
    const char *help;
    command_t run;
} COMMANDS[] = {
    {"factory", "", 0, 0, "Report the factory data", command_factory},
    {"factory-get", "KEY [TYPE]", 1, 2, "Report one key, read as TYPE (u8 ... i64, str, blob)", command_factory_get},
    {"prove", "NAMESPACE KEY CHALLENGE [TYPE]", 3, 4, "Prove a value by HMAC-SHA256; CHALLENGE is 16 to 64 bytes in hex",
     command_prove},
#if CONFIG_FACTORY_DATA_SEAL_EFUSE
    {"seal", "forever", 1, 1, "Burn the eFuse bit that closes this console for ever, and restart", command_seal},
#endif
    {"user-set", "KEY VALUE", 2, 2, "Store a string in the user's partition", command_user_set},
    {"user-get", "KEY", 1, 1, "Report one key of the user's partition", command_user_get},
    {"user-list", "", 0, 0, "Report the user's partition", command_user_list},
    {"factory-reset", "", 0, 0, "Erase the user's partition, and only that one, and restart", command_factory_reset},
    {"info", "", 0, 0, "Report application, chip, partitions and free entries", command_info},
    {"restart", "", 0, 0, "Restart the application", command_restart},
    {"help", "", 0, 0, "This list", command_help},
};

#define COMMAND_COUNT (sizeof(COMMANDS) / sizeof(COMMANDS[0]))

static esp_err_t command_restart(int argc, char **argv)
{
    (void)argc;
    console_answer_done(argv[0], ESP_OK);
    esp_restart();
}

/* Not esp_console's own help: it does not end its answer in a report line. */
static esp_err_t command_help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        printf("  %-13s %-30s %s\n", COMMANDS[i].name, COMMANDS[i].arguments, COMMANDS[i].help);
    }
    printf("A command may end in ' #ID': the report lines that answer it carry this id.\n");
    return ESP_OK;
}

/* All commands come here, so that arguments are counted and answers are ended in one place. */
static int dispatch(int argc, char **argv)
{
    size_t i = 0;
    while (i < COMMAND_COUNT - 1 && strcmp(COMMANDS[i].name, argv[0]) != 0) {
        i++;
    }
    esp_err_t err = ESP_ERR_INVALID_ARG;
    if (argc - 1 >= COMMANDS[i].arguments_min && argc - 1 <= COMMANDS[i].arguments_max) {
        err = COMMANDS[i].run(argc, argv);
    } else {
        printf("Usage: %s %s\n", COMMANDS[i].name, COMMANDS[i].arguments);
        console_answer_error(COMMANDS[i].name, err, NULL, NULL);
    }
    console_answer_done(COMMANDS[i].name, err);
    return err;
}

void commands_register(void)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const esp_console_cmd_t command = {
            .command = COMMANDS[i].name,
            .help = COMMANDS[i].help,
            .hint = COMMANDS[i].arguments,
            .func = dispatch,
        };
        const esp_err_t err = esp_console_cmd_register(&command);
        if (err != ESP_OK) {
            console_answer_error("esp_console_cmd_register", err, NULL, NULL);
        }
    }
}
