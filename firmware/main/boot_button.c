/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "boot_button.h"

boot_button_event_t boot_button_update(boot_button_t *button, bool is_down, uint32_t now_ms)
{
    if (button->is_finished) {
        return BOOT_BUTTON_NOTHING;
    }
    if (!button->is_watched) {
        button->is_watched = true;
        button->watched_since_ms = now_ms;
    }
    if (!button->is_down) {
        if (now_ms - button->watched_since_ms > BOOT_BUTTON_WINDOW_MS) {
            button->is_finished = true;
        } else if (is_down) {
            button->is_down = true;
            button->down_since_ms = now_ms;
            return BOOT_BUTTON_PRESSED;
        }
        return BOOT_BUTTON_NOTHING;
    }
    if (!is_down) {
        button->is_finished = true;
        return BOOT_BUTTON_CANCELLED;
    }
    if (now_ms - button->down_since_ms >= BOOT_BUTTON_HOLD_MS) {
        button->is_finished = true;
        return BOOT_BUTTON_HELD;
    }
    return BOOT_BUTTON_NOTHING;
}
