/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * When holding the BOOT button means "reset to factory": it must be pressed soon after the start and then held without
 * a break. Letting go cancels. Pure logic: time and level come in, events come out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BOOT_BUTTON_WINDOW_MS 3000 /* after the first look at it; later presses are the application's */
#define BOOT_BUTTON_HOLD_MS 5000

typedef enum {
    BOOT_BUTTON_NOTHING,
    BOOT_BUTTON_PRESSED,   /* the five seconds have begun */
    BOOT_BUTTON_CANCELLED, /* let go too early */
    BOOT_BUTTON_HELD,      /* do it; reported once */
} boot_button_event_t;

typedef struct {
    bool is_watched; /* it has been looked at, for the first time at `watched_since_ms` */
    bool is_down;
    bool is_finished; /* cancelled, held or too late: nothing is reported any more */
    uint32_t watched_since_ms;
    uint32_t down_since_ms;
} boot_button_t;

/** Take the button's state at `now_ms`, of any clock. Between two calls it is taken to stay as it is. */
boot_button_event_t boot_button_update(boot_button_t *button, bool is_down, uint32_t now_ms);
