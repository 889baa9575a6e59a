"""The native port's NVS against a recording of Espressif's nvs_flash: the same answers and the same flash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance.compare_nvs_flash import digests

RECORDING = json.loads((Path(__file__).parent / "data" / "nvs_flash_v5.5.5.json").read_text())


@pytest.fixture(scope="module")
def found(native_build: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the native port does in the recorded cases."""
    program = native_build / "nvs_script"
    folder = tmp_path_factory.mktemp("native_against_nvs_flash")
    return digests(program, program, folder, range(*RECORDING["seeds"]), RECORDING["series"])


@pytest.mark.parametrize("kind", ["readonly", "writable", "series"])
def test_native_does_what_nvs_flash_did(found: dict[str, str], kind: str) -> None:
    recorded = {label: digest for label, digest in RECORDING["digests"].items() if label.startswith(kind)}
    assert len(recorded) >= 20
    assert [label for label, digest in recorded.items() if found.get(label) != digest] == []
