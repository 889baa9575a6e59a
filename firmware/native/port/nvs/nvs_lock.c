/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "nvs_lock.h"

static pthread_mutex_t s_mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

pthread_mutex_t *nvs_lock(void)
{
    (void)pthread_mutex_lock(&s_mutex);
    return &s_mutex;
}

void nvs_unlock(pthread_mutex_t *const *guard)
{
    (void)pthread_mutex_unlock(*guard);
}
