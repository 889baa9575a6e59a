/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Subset of ESP-IDF's semphr.h, v5.5.5: a mutex without time-outs.
 */
#pragma once

#include "freertos/FreeRTOS.h"

typedef pthread_mutex_t *SemaphoreHandle_t;

static inline SemaphoreHandle_t xSemaphoreCreateMutexStatic(StaticSemaphore_t *memory)
{
    return pthread_mutex_init(memory, NULL) == 0 ? memory : NULL;
}

static inline int xSemaphoreTake(SemaphoreHandle_t mutex, unsigned ticks)
{
    (void)ticks;
    return pthread_mutex_lock(mutex) == 0;
}

static inline int xSemaphoreGive(SemaphoreHandle_t mutex)
{
    return pthread_mutex_unlock(mutex) == 0;
}
