"""Which ports the quick reset is for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from fctry.device import resets


@pytest.mark.parametrize(
    ("port", "is_heard"),
    [
        ("rfc2217://host:4000", True),
        ("/dev/ttyUSB0", True),  # CP2102N
        ("/dev/ttyUSB1", False),  # CP2102C: RTS is its flow control
        ("/dev/ttyACM0", False),  # the chip's own USB
        ("/dev/ttyS0", True),  # nothing is known of it: its ROM is heard, or it is not
    ],
)
def test_reset_listens_where_the_rom_can_be_heard(
    port: str, is_heard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [
        ("/dev/ttyUSB0", 0x10C4, 0xEA60),
        ("/dev/ttyUSB1", 0x10C4, 0xEA64),
        ("/dev/ttyACM0", 0x303A, 0x1001),
    ]
    listed = [SimpleNamespace(device=device, vid=vid, pid=pid) for device, vid, pid in known]
    monkeypatch.setattr(resets, "comports", lambda: listed)
    assert resets.is_heard(port) == is_heard


def test_port_is_known_by_its_other_names_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own := tmp_path / "ttyACM0").touch()
    (tmp_path / "by-id").symlink_to(own)
    listed = [SimpleNamespace(device=str(own), vid=0x303A, pid=0x1001)]
    monkeypatch.setattr(resets, "comports", lambda: listed)
    assert not resets.is_heard(str(tmp_path / "by-id"))
