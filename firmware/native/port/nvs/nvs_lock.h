/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every function of the interface holds one lock from here to its return, as in nvs_flash.
 */
#pragma once

#include <pthread.h>

#define NVS_LOCK() __attribute__((cleanup(nvs_unlock), unused)) pthread_mutex_t *const nvs_guard = nvs_lock()

/** Take the lock, as often as a thread likes. */
pthread_mutex_t *nvs_lock(void);

/** Give it back. */
void nvs_unlock(pthread_mutex_t *const *guard);
