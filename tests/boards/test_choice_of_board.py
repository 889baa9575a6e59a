"""The plugin chooses the board: what a person gets who asks for one, as a process of its own."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from fctry.boards import Board
from fctry.boards.chip.app_image import AppDescription, pack
from fctry.device import flasher
from fctry.errors import InputError
from fctry.partitions import binary
from fctry.partitions.csv import read_csv
from fctry.partitions.table import TABLE_OFFSET
from fctry.pytest_plugin import boards, builds, connected
from tests.boards.kit import ANYWHERE
from tests.pytest_server import RunPytest

ROOT = Path(__file__).parents[2]
NATIVE_BUILD = ROOT / "firmware" / "native" / "build"
PLUGINS = ("-p", "no:cacheprovider", "-p", "pytest_embedded.plugin", "-p", "fctry.pytest_plugin")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_suite(run_pytest: RunPytest) -> Run:
    """Runs a test of the device suite."""
    test = "tests/device/test_factory_keys.py::test_article_keys_are_read_back"
    return partial(run_pytest, test, *PLUGINS, "-p", "pytest_timeout", cwd=ROOT)


@pytest.fixture
def connected_board(tmp_path: Path) -> Iterator[Board]:
    """A simulated board in the place of one that is connected by USB."""
    with Board(tmp_path / "board.bin", [NATIVE_BUILD]) as board:
        yield board


def test_no_board_connected_ends_at_once_with_the_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fctry.serialport.find_ports", list)
    with pytest.raises(pytest.UsageError, match=r"no board is connected.*--port PORT.*--board native"):
        connected.only_port(None)


def test_connected_board_is_tested_and_the_suite_says_what_it_erases(
    run_suite: Run, connected_board: Board
) -> None:
    done = run_suite(
        "--target", "esp32", "--port", connected_board.url, "--app-path", str(NATIVE_BUILD.parent)
    )
    assert done.returncode == 0, done.stdout
    assert f"board: {connected_board.url}. The tests write its boot loader" in done.stdout
    assert "1 passed" in done.stdout


def test_connected_board_with_another_application_is_not_touched_without_force(
    run_suite: Run, connected_board: Board
) -> None:
    table = read_csv(ROOT / "partitions.csv")
    other = pack(AppDescription("thermostat", "1", "v5.5", hashlib.sha256(b"").digest()))
    with flasher.connect(connected_board.url) as chip:
        chip.write(ANYWHERE, [(TABLE_OFFSET, binary.pack(table)), (table.find("factory").offset, other)])
    before = connected_board.flash.read(0, connected_board.flash.size_bytes)

    arguments = ("--port", connected_board.url, "--app-path", str(NATIVE_BUILD.parent))
    done = run_suite(*arguments)
    assert done.returncode != 0
    assert "holds another application: thermostat" in done.stdout + done.stderr
    assert connected_board.flash.read(0, connected_board.flash.size_bytes) == before

    assert run_suite(*arguments, "--fctry-force").returncode == 0


def test_connected_board_with_data_but_no_table_is_not_touched_without_force(
    run_suite: Run, connected_board: Board
) -> None:
    data = b"customer data behind a table elsewhere"
    with flasher.connect(connected_board.url) as chip:
        chip.write(ANYWHERE, [(0x10000, data)])
    done = run_suite("--port", connected_board.url, "--app-path", str(NATIVE_BUILD.parent))
    assert done.returncode != 0
    assert "holds another application: no partition table at 0x8000, but data" in done.stdout + done.stderr
    assert connected_board.flash.read(0x10000, len(data)) == data


def test_board_is_found_by_its_mac_behind_a_port_that_has_none(
    run_suite: Run, connected_board: Board, tmp_path: Path
) -> None:
    (tmp_path / "ports.py").write_text(
        "import fctry.serialport\n"
        "from fctry.serialport.find import FoundPort\n"
        f"ports = ['rfc2217://127.0.0.1:1', {connected_board.url!r}]\n"
        "fctry.serialport.find_ports = lambda: [FoundPort(port, 'adapter', '') for port in ports]\n"
    )
    arguments = ["--target", "esp32", "--app-path", str(NATIVE_BUILD.parent), "-p", "ports"]
    done = run_suite(*arguments, "--port-mac", connected_board.mac.hex("-").upper(), PYTHONPATH=str(tmp_path))
    assert "1 passed" in done.stdout, done.stdout + done.stderr

    done = run_suite(*arguments, "--port-mac", "24:0a:c4:00:00:99", PYTHONPATH=str(tmp_path))
    assert done.returncode != 0
    assert "no board with the MAC address 24:0a:c4:00:00:99" in done.stderr


def test_port_that_is_missing_is_said_once_with_its_remedy(run_suite: Run) -> None:
    done = run_suite("--target", "esp32", "--port", "/dev/ttyFCTRY0", "--app-path", str(NATIVE_BUILD.parent))
    assert done.returncode != 0
    said = "could not open port /dev/ttyFCTRY0: No such file or directory"
    assert f"{said}\nconnect the board" in done.stdout
    assert "SerialException" not in done.stdout


def test_table_that_is_missing_is_said_with_its_remedy_and_nothing_of_the_library(
    tmp_path: Path, run_pytest: RunPytest
) -> None:
    (tmp_path / "test_lamp.py").write_text("def test_lamp(partition_table): pass\n")
    done = run_pytest(*PLUGINS, "--board", "native", tmp_path, cwd=tmp_path)
    said = "partitions.csv: there is no partition table\n`fctry init"
    assert said in done.stdout
    assert "functools" not in done.stdout


def test_connected_boards_are_not_shared_by_workers() -> None:
    option = SimpleNamespace(fctry_board="usb", numprocesses=2, embedded_services="")
    with pytest.raises(pytest.UsageError, match="-n is not for connected boards"):
        boards.choose(cast(pytest.Config, SimpleNamespace(option=option)))


@pytest.mark.parametrize("services", ["esp", "serial,idf", "esp,idf|serial"])
def test_services_that_a_simulated_board_cannot_do_with_are_refused(services: str) -> None:
    option = SimpleNamespace(fctry_board="native", embedded_services=services)
    with pytest.raises(pytest.UsageError, match="--board native needs the services esp,idf"):
        boards.choose(cast(pytest.Config, SimpleNamespace(option=option)))


def test_port_is_locked_under_each_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "by-id").symlink_to(tmp_path / "ttyUSB0")
    assert len({connected.lock_of(str(tmp_path / name)).lock_file for name in ("by-id", "ttyUSB0")}) == 1


def test_linux_as_a_target_is_the_board_linux(run_suite: Run, tmp_path: Path) -> None:
    build = tmp_path / "build"  # in the place of one by ESP-IDF
    for part in ("config", "partition_table"):
        shutil.copytree(NATIVE_BUILD / part, build / part)
    shutil.copy(NATIVE_BUILD / "fctry.elf", build)
    (build / "config" / "sdkconfig.json").write_text('{"IDF_TARGET": "linux"}')
    said = {"app_elf": "fctry.elf", "project_version": "1", "git_revision": "v5.5.5"}
    (build / "project_description.json").write_text(json.dumps(said))
    done = run_suite("--target", "linux", "--app-path", str(tmp_path))
    assert "board: linux" in done.stdout
    assert "1 passed" in done.stdout, done.stdout


def test_of_several_devices_the_first_is_tested(run_suite: Run) -> None:
    done = run_suite("--count", "2")
    assert "1 passed" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("board", "remedy"), [("native", "without --app-path"), ("linux", "idf.py --preview")]
)
def test_build_that_is_missing_is_named_with_its_remedy(tmp_path: Path, board: str, remedy: str) -> None:
    with pytest.raises(InputError, match="no build") as caught:
        builds.find(tmp_path, None, board, "esp32")
    assert remedy in caught.value.hint
