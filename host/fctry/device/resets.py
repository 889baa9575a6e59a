"""EN and IO0 of a chip by RTS and DTR: resets that are over when its ROM says so, and not when a time has passed.

esptool holds EN low for 100 ms and IO0 for 50 ms more, and listens afterwards. `idf.py monitor` holds EN for 5 ms, with
every board. What the ROM prints proves that it was reset and which level of IO0 it has latched. Where it prints nothing
in time (an eFuse forbids it, a large capacitor on EN, another crystal), the caller resets as esptool does.

esptool itself takes the waits of its resets from its configuration; a simulated board needs none.

Source: esp-idf-monitor esp_idf_monitor/base/chip_specific_config.py (`reset`: MINIMAL_EN_LOW_DELAY, for every chip);
esptool 5 reset.py and loader.py, _connect_attempt; its documentation, "Configuration File".
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator

import serial
from esptool.loader import cfg
from esptool.reset import CustomReset
from serial.tools.list_ports import comports

EN_LOW_S = 0.005
ROM_S = 0.2  # from EN's rise to the ROM's last word: 10 ms for EN's capacitor, 10 for a hundred characters
_WAITS = re.compile(rb"boot:0x[0-9a-fA-F]+ .*waiting for download", re.DOTALL)
_STARTS = re.compile(rb"rst:0x[0-9a-fA-F]+ \(\w+\),boot:")
# EN low, EN high with IO0 low, IO0 high: as esptool's UnixTightReset and ClassicReset; U sets both lines at once
_TIGHT = ("U0,0|U1,1|U0,1", "U1,0", "U0,0|D0")
_CLASSIC = ("D0|R1", "D1|R0", "D0")
_AT_ONCE = {"custom_reset_sequence": "D0|R1|D1|R0|D0", "custom_hard_reset_sequence": "R1|R0"}
_ESPRESSIF = 0x303A  # the chip's own USB, which is gone during a reset
_CP2102C = (0x10C4, 0xEA64)  # takes RTS for flow control


def is_heard(port: str) -> bool:
    """Whether EN and IO0 are on the port's lines, and the ROM's words come over it: not through every USB adapter."""
    if "://" in port:
        return True
    found = next(
        ((one.vid, one.pid) for one in comports() if one.device == os.path.realpath(port)), (None, None)
    )
    return found[0] != _ESPRESSIF and found != _CP2102C


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """Let esptool reset without waits, for boards that have no capacitor on EN. What a user has configured stays."""
    added = {name: sequence for name, sequence in _AT_ONCE.items() if name not in cfg}
    cfg.update(added)
    try:
        yield
    finally:
        for name in added:
            del cfg[name]


def into_download(line: serial.Serial) -> bool:
    """Reset the chip with IO0 low. Whether it has said that it waits for download; IO0 is high again then."""
    is_tty = os.name == "posix" and isinstance(line, serial.Serial)
    hold, release, done = _TIGHT if is_tty else _CLASSIC
    CustomReset(line, hold)()
    line.reset_input_buffer()
    time.sleep(EN_LOW_S)
    CustomReset(line, release)()
    try:
        return bool(_heard(line, _WAITS))
    finally:
        CustomReset(line, done)()


def into_application(line: serial.Serial) -> bytes:
    """Reset the chip with IO0 high. What it has said since then, once its ROM has; nothing if it has not."""
    CustomReset(line, "D0|R1")()
    line.reset_input_buffer()
    time.sleep(EN_LOW_S)
    CustomReset(line, "R0")()
    return _heard(line, _STARTS)


def _heard(line: serial.Serial, words: re.Pattern[bytes]) -> bytes:
    """What comes up to these words, nothing if they do not come."""
    heard, before_s, end_s = b"", line.timeout, time.monotonic() + ROM_S
    while not words.search(heard) and (remaining_s := end_s - time.monotonic()) > 0:
        line.timeout = remaining_s
        heard += line.read(max(1, line.in_waiting))
    line.timeout = before_s
    return heard if words.search(heard) else b""
