"""The product's own tests at the station, on firmware that is not there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fctry.device import Console, FakeConsole
from fctry.errors import DeviceError, InputError
from fctry.nvs.factory_image import FactoryImage
from fctry.nvs.item import Item, ItemType
from fctry.partitions.csv import read_csv
from fctry.provision import product_tests
from fctry.provision.product_tests import check_tests, run_tests
from fctry.provision.run import Run

TABLE = read_csv(Path(__file__).parents[3] / "partitions.csv")
PASSWORD = "hunter2-hunter2"
ITEMS = (
    Item("fctryNamespace", "serial_number", ItemType.STR, "SN1"),
    Item("secrets", "password", ItemType.STR, PASSWORD, is_secret=True),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "conftest.py").write_text(
        "import pytest\n@pytest.fixture\ndef vbat(factory_device):\n    return 3.31\n"
    )
    return tmp_path


def run_of(folder: Path, text: str) -> Run:
    (folder / "test_product.py").write_text(text)
    run = Run(
        cast(Any, SimpleNamespace()), TABLE, TABLE.find("fctry"), FactoryImage(b"", ITEMS), tests=folder
    )
    run.console, run.public = Console(FakeConsole(ITEMS)), {"serial_number": "SN1"}
    return run


def test_tests_ask_the_device_and_what_they_measure_is_kept(folder: Path) -> None:
    run = run_of(
        folder,
        "import pytest\n"
        "def test_name(factory_device):\n"
        "    said = factory_device.ask('factory').report('fctry')\n"
        "    assert said.values()['fctryNamespace', 'serial_number'] == factory_device.public['serial_number']\n"
        "def test_supply(vbat, measure):\n"
        "    measure('vbat', vbat, 'V', low=3.2, high=3.4)\n"
        "    measure('turns', 3)\n"
        "@pytest.mark.skip(reason='no radio')\n"
        "def test_radio(): pass\n",
    )
    assert run_tests(run) == "3 tests, 2 measurements"
    name, supply, radio = run.cases
    assert (name.name, name.outcome, supply.outcome) == ("test_product.py::test_name", "passed", "passed")
    assert [str(one) for one in supply.measurements] == ["vbat 3.31 V (low 3.2, high 3.4)", "turns 3"]
    assert (radio.outcome, radio.error) == ("skipped", "no radio")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("measure('v', 3.5, 'V', high=3.4); measure('i', 1.0, 'A')", "v 3.5 V (high 3.4)"),
        ("measure('v', 3.1, low=3.2)", "v 3.1 (low 3.2)"),
        ("measure('v', float('nan'))", "ValueError: v is nan, no number"),
        ("measure('v', 3.3, low=3.4, high=3.2)", "v can never be within its limits: low 3.4, high 3.2"),
        ("measure('v', 3.3, low=float('nan'))", "v can never be within its limits: low nan, high None"),
        ("assert 1 == 2", "assert 1 == 2"),
        ("import time; time.sleep(5)", "not done within 0.2 s"),
    ],
)
def test_device_fails_with_its_tests(
    folder: Path, body: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product_tests, "TEST_TIMEOUT_S", 0.2)
    run = run_of(folder, f"def test_it(measure):\n    {body}\ndef test_other(): pass\n")
    with pytest.raises(DeviceError, match="1 of 2 tests failed: test_product") as caught:
        run_tests(run)
    assert said in caught.value.message
    failed, other = run.cases
    assert (failed.outcome, other.outcome) == ("failed", "passed")
    assert len(failed.measurements) == (2 if "; measure" in body else int("3.1" in body))


def test_secret_that_a_test_shows_is_not_in_the_record(folder: Path) -> None:
    run = run_of(folder, f"def test_it():\n    assert '{PASSWORD}' == 'x'\n")
    with pytest.raises(DeviceError) as caught:
        run_tests(run)
    assert PASSWORD not in f"{caught.value}{run.cases}"
    assert "(secret)" in run.cases[0].error


def test_surroundings_of_the_folder_do_not_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    inner = folder / "line"
    inner.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (folder / "conftest.py").write_text("raise OSError('of another project')\n")
    run = run_of(inner, "def test_it(factory_device): pass\n")
    assert run_tests(run) == "1 tests, 0 measurements"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no tests in it"),
        ("def test_it(:\n", "SyntaxError"),
        ("import no_such_module\n", "no_such_module"),
    ],
)
def test_tests_that_cannot_be_run_are_refused_before_a_device_is_tried(
    folder: Path, text: str, said: str
) -> None:
    (folder / "test_product.py").write_text(text)
    with pytest.raises(InputError, match=said):
        check_tests(folder)


def test_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        check_tests(tmp_path / "none")
