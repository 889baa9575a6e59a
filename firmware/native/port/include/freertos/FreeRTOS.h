/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Subset of ESP-IDF's FreeRTOS.h, v5.5.5.
 */
#pragma once

#include <pthread.h>

typedef pthread_mutex_t StaticSemaphore_t;

#define portMAX_DELAY 0xFFFFFFFFu
