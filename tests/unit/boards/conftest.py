"""A small flash for the tests of what reads and writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fctry.boards.chip.nor_flash import NorFlash

FLASH_BYTES = 1 << 20


@pytest.fixture
def flash(tmp_path: Path) -> Iterator[NorFlash]:
    """1 MiB, erased."""
    opened = NorFlash(tmp_path / "flash.bin", FLASH_BYTES)
    yield opened
    opened.close()
