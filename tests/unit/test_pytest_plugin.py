"""Which layout the fixtures use."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from fctry.pytest_plugin.fixtures import pytest_report_header, settings_of

LAYOUT = "fctry,data,nvs,0x10000,0x6000,readonly\n"


@pytest.mark.parametrize("argument", ["product/tests/test_a.py::test_b", "product/tests", "product"])
def test_layout_is_the_one_around_the_tests_wherever_the_root_is(tmp_path: Path, argument: str) -> None:
    for folder in ("product/tests", "firmware"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "product/tests/test_a.py").write_text("")
    for folder in ("product", "firmware", "."):
        (tmp_path / folder / "partitions.csv").write_text(LAYOUT)
    config = SimpleNamespace(
        args=[argument],
        invocation_params=SimpleNamespace(dir=tmp_path),
        rootpath=tmp_path,
        getoption=lambda name: None,
        option=SimpleNamespace(fctry_board="native"),
    )
    layout = tmp_path / "product" / "partitions.csv"
    assert settings_of(cast(pytest.Config, config)).partitions.resolve() == layout.resolve()
    assert str(layout) in (pytest_report_header(cast(pytest.Config, config)) or "")
