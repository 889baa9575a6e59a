/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "factory_data_private.h"

static bool is_word(const char *word, size_t length, const char *text)
{
    return strlen(text) == length && memcmp(word, text, length) == 0;
}

bool factory_data_is_secret(const char *namespace_name, const char *key)
{
    char whole[NVS_NS_NAME_MAX_SIZE + NVS_KEY_NAME_MAX_SIZE];
    (void)snprintf(whole, sizeof(whole), "%s:%s", namespace_name, key);
    const char *word = CONFIG_FACTORY_DATA_SECRET_KEYS;
    while (*word != '\0') {
        const size_t length = strcspn(word, ",");
        if (is_word(word, length, key) || is_word(word, length, whole)) {
            return true;
        }
        word += length + (word[length] == ',');
    }
    return false;
}
