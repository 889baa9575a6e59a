/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"

#include "factory_data_private.h"

static StaticSemaphore_t s_memory;
static SemaphoreHandle_t s_lock;

/* Before any task runs. */
static void __attribute__((constructor)) make_lock(void)
{
    s_lock = xSemaphoreCreateMutexStatic(&s_memory);
}

void factory_data_lock(void)
{
    (void)xSemaphoreTake(s_lock, portMAX_DELAY);
}

void factory_data_unlock(void)
{
    (void)xSemaphoreGive(s_lock);
}
