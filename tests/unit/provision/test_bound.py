"""How long a try may take at most."""

from __future__ import annotations

from fctry.provision.bound import bound_s


def seconds(
    app_bytes: int = 0, *, baud: int = 460800, report_timeout_s: float = 15.0, tests_s: float = 0.0
) -> float:
    return bound_s(app_bytes, 0x6000, baud=baud, report_timeout_s=report_timeout_s, tests_s=tests_s)


def test_bound_holds_what_each_part_waits_for() -> None:
    # two connections, 72 commands and 3 blocks of three attempts, 48 KiB, three starts of the firmware
    assert round(seconds()) == round(60 + 72 * 3 + 3 * 3 * 3 + 48 / 1024 * 64 + 3 * 49152 * 10 / 460800 + 45)
    assert seconds(tests_s=60.0) == seconds() + 60
    assert seconds(1 << 20) > seconds() + 64 * 9
    assert seconds(1 << 20, baud=115200) > seconds(1 << 20) + 3 * 10 * (1 << 20) / 115200 / 2
