"""Chooses the board that the device suite runs on (`--board`). No assertions here: the suite is the same on all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from serial.tools import list_ports

import fctry.serialport
from fctry.boards import Board

ROOT = Path(__file__).parent
NATIVE_BUILD = ROOT / "firmware" / "native" / "build"
BOARDS = ("native", "usb")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("fctry").addoption(
        "--board",
        choices=BOARDS,
        help="board for the device suite: native (default; needs a C compiler), or usb (a connected board; "
        "the default with --target or --port)",
    )


def pytest_configure(config: pytest.Config) -> None:
    option = config.option
    if option.board is None:
        option.board = "usb" if option.target or option.port else "native"
    option.embedded_services = option.embedded_services or "esp,idf"
    option.part_tool = option.part_tool or str(ROOT / "host" / "fctry" / "cli" / "part_tool.py")
    if option.board == "native":
        option.app_path = option.app_path or str(NATIVE_BUILD.parent)
    else:
        option.app_path = option.app_path or str(ROOT / "firmware")
        if not option.port and not _connected_ports():
            raise pytest.UsageError(
                "no board is connected (esptool finds no serial port). Connect one, or name its port: --port PORT; "
                "without a board: --board native (or plain `pytest`)."
            )
    fctry.serialport.register()


class NativeBoards:
    """The simulated boards of one worker, started when first asked for and kept until the session ends."""

    def __init__(self, directory: Path, build: Path) -> None:
        self._directory = directory
        self._build = build
        self._running = ExitStack()
        self._boards: list[Board] = []

    def __getitem__(self, index: int) -> Board:
        while len(self._boards) <= index:
            flash = self._directory / f"board-{len(self._boards)}.bin"
            self._boards.append(self._running.enter_context(Board(flash, [self._build])))
        return self._boards[index]

    def close(self) -> None:
        self._running.close()


@pytest.fixture(scope="session")
def native_boards(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NativeBoards]:
    build = Path(pytestconfig.option.app_path, pytestconfig.option.build_dir or "build")
    if not (build / "flasher_args.json").is_file():
        pytest.fail(f"{build} is not built: run `make native` (needs a C compiler)", pytrace=False)
    boards = NativeBoards(tmp_path_factory.mktemp("boards"), build)
    yield boards
    boards.close()


@pytest.fixture
def port(request: pytest.FixtureRequest, count: None) -> str | tuple[str | None, ...] | None:
    """Overrides pytest-embedded's fixture: on the native board, ports of boards that are made for this worker."""
    option = request.config.option
    devices = (
        request.node.callspec.params.get("count", option.count)
        if hasattr(request.node, "callspec")
        else option.count
    )
    if option.port or option.board != "native":
        given = (option.port or "").split("|")
        if len(given) < devices:
            pytest.skip(f"needs {devices} boards: --port {'|'.join('PORT' for _ in range(devices))}")
        return option.port if devices == 1 else tuple(given)
    boards = request.getfixturevalue("native_boards")
    urls = tuple(boards[index].url for index in range(devices))
    return urls if devices > 1 else urls[0]


def _connected_ports() -> list[str]:
    return [port.device for port in list_ports.comports() if port.vid is not None]
