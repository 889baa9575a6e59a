from __future__ import annotations

import subprocess
import sys

import pytest

from fctry import partitions


def test_public_names_are_these() -> None:
    """Others build on them: a name that goes or changes its meaning is a new major version."""
    assert partitions.__all__ == [
        "Evidence",
        "Layout",
        "Options",
        "Partition",
        "PartitionTable",
        "check",
        "format_csv",
        "open_layout",
        "pack",
        "parse_csv",
        "parse_layout",
        "read_csv",
        "read_sdkconfig",
        "unpack",
    ]
    assert all(callable(getattr(partitions, name)) for name in partitions.__all__)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        partitions.nothing  # noqa: B018


def test_reading_a_binary_loads_no_rules() -> None:
    code = "import sys; from fctry.partitions import unpack; print([m for m in sys.modules if '.rules' in m])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )
