"""The board that the tests of devices run on: registered when one was chosen (`--board`).

What the boards have in common is a serial port with EN and IO0 on RTS and DTR, so pytest-embedded's services `esp,idf`
work on each of them; these fixtures, which stand in front of its own, give them the port and the build folder.
"""

from __future__ import annotations

import contextlib
import inspect
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import fctry.serialport
from fctry.pytest_plugin import BOARDS

if TYPE_CHECKING:
    from fctry.boards import Fault
    from fctry.boards.served_board import ServedBoard
    from fctry.project import Project

PART_TOOL = Path(fctry.__file__).parent / "cli" / "part_tool.py"
DEVICE_FIXTURES = {"dut", "serial", "app"}
"""Fixtures of pytest-embedded's with a device behind them."""
LOADED_ONCE = ["pytest_embedded.dut_factory"]
"""What Python loads once for all processes that are forked in a session."""


def choose(config: pytest.Config) -> None:
    """Give pytest-embedded's options the values that the board needs, where none were given. Raises UsageError."""
    option = config.option
    board = option.fctry_board
    if board == "qemu" and not option.embedded_services:
        from pytest_embedded_serial import Serial

        # its default of 0.05 s is too short for a stub to start in QEMU
        Serial.DEFAULT_PORT_CONFIG["timeout"] = 3.0
    if board == "linux":
        option.target = None  # `linux` is what the firmware is built for: it runs on a simulated esp32
    if board == "usb":
        if getattr(option, "numprocesses", None):
            raise pytest.UsageError(
                "-n is not for connected boards: each has one port, and one test at a time"
            )
        if not option.port:
            from fctry.pytest_plugin import connected

            option.port = connected.only_port(option.port_mac)
            option.port_mac = None  # pytest-embedded 2.9 looks for esptool 4's words
    option.embedded_services = option.embedded_services or "esp,idf"
    if board in ("native", "linux"):  # they start with an empty flash
        for services in option.embedded_services.split("|"):
            if not {"esp", "idf"} <= {*services.split(",")}:
                raise pytest.UsageError(
                    f"--board {board} needs the services esp,idf: `--embedded-services {services}` can be left out"
                )
    option.part_tool = option.part_tool or str(PART_TOOL)
    fctry.serialport.register()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spare tests that ask for nothing of pytest-embedded's the forty fixtures that it has for every test."""
    import pytest_embedded.plugin

    embedded = vars(pytest_embedded.plugin).keys()
    functions = [item for item in items if isinstance(item, pytest.Function)]
    names = [embedded & {*item.fixturenames} for item in functions]
    of_every_test: dict[Path, set[str]] = {}  # by folder, whose conftest.py may override some
    for item, own in zip(functions, names, strict=True):
        of_every_test[item.path.parent] = of_every_test.get(item.path.parent, own) & own
    for item, own in zip(functions, names, strict=True):
        if own != of_every_test[item.path.parent] or not DEVICE_FIXTURES.isdisjoint(own):
            continue
        asked = {name for mark in item.iter_markers("usefixtures") for name in mark.args}
        if embedded.isdisjoint(asked) and embedded.isdisjoint(_parameters(item.function)):
            item.fixturenames[:] = [name for name in item.fixturenames if name not in own]


@cache  # a parametrized function has many items
def _parameters(function: Callable[..., object]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("not_on"):
        if mark.args[0] == item.config.option.fctry_board:
            pytest.skip(f"not on the board {mark.args[0]}: {mark.kwargs['reason']}")


def pytest_report_header(config: pytest.Config) -> str:
    option = config.option
    if option.fctry_board != "usb":
        return f"board: {option.fctry_board}, {BOARDS[option.fctry_board]}"
    return (
        f"board: {option.port}. The tests write its boot loader, partition table and application, and erase and write "
        "its partitions with settings and factory data."
    )


class StartedBoards:
    """The boards without a board of one worker, started when first asked for and kept until the session ends."""

    def __init__(self, new_board: Callable[[int], ServedBoard]) -> None:
        self._new_board = new_board
        self._running = ExitStack()
        self._boards: list[ServedBoard] = []

    def __getitem__(self, index: int) -> ServedBoard:
        while len(self._boards) <= index:
            self._boards.append(self._running.enter_context(self._new_board(len(self._boards))))
        return self._boards[index]

    def close(self) -> None:
        self._running.close()


@pytest.fixture(scope="session")
def fctry_build_folder(pytestconfig: pytest.Config, factory_project: Project) -> Path:
    """The folder of the firmware's build that goes onto the board, as pytest-embedded wants it."""
    from fctry.pytest_plugin import builds

    option = pytestconfig.option
    chip = option.target or "esp32"
    if option.fctry_board == "native" and not option.app_path:
        from fctry.reference.native_build import build, recipe_of

        return build(recipe_of(factory_project, chip=chip))
    folder = Path(option.app_path or factory_project.settings.partitions.parent)
    return builds.find(folder, option.build_dir, option.fctry_board, chip)


@pytest.fixture(scope="session")
def fctry_applications(fctry_build_folder: Path) -> list[Path]:
    """Build folders whose application a simulated board runs when it is flashed; to be overridden for more."""
    return [fctry_build_folder]


@pytest.fixture(scope="session")
def fctry_faults() -> Sequence[Fault]:
    """What goes wrong on the native boards, as `fctry.boards.read_plan` reads it; to be overridden."""
    return ()


@pytest.fixture(scope="session")
def fctry_boards(
    pytestconfig: pytest.Config,
    fctry_faults: Sequence[Fault],
    fctry_applications: list[Path],
    factory_project: Project,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[StartedBoards]:
    """The boards without a board, by number."""
    from fctry.boards import Board, QemuBoard
    from fctry.boards.board import DEFAULT_FLASH_BYTES
    from fctry.partitions.flasher_args import read_flasher_args

    directory = tmp_path_factory.mktemp("boards")
    option = pytestconfig.option
    chip = option.target or "esp32"
    size = read_flasher_args(fctry_applications[0]).flash_size_bytes or DEFAULT_FLASH_BYTES

    def new_board(index: int) -> ServedBoard:
        flash, mac = directory / f"board-{index}.bin", bytes.fromhex(f"240ac4fc72{index + 1:02x}")
        if option.fctry_board == "qemu":
            return QemuBoard(flash, chip=chip, mac=mac, flash_size_bytes=max(size, DEFAULT_FLASH_BYTES))
        return Board(
            flash,
            fctry_applications,
            chip=chip,
            flash_size_bytes=max(size, DEFAULT_FLASH_BYTES),
            mac=mac,
            table_offset=factory_project.table.offset,
            faults=fctry_faults,
        )

    boards = StartedBoards(new_board)
    yield boards
    boards.close()


@pytest.fixture(scope="session")
def fctry_ports(
    pytestconfig: pytest.Config, fctry_build_folder: Path, factory_project: Project
) -> Iterator[list[str]]:
    """The ports of the connected boards, locked for this process, with nothing on them that is not ours."""
    from fctry.pytest_plugin import builds, connected

    name = builds.name_of(fctry_build_folder)
    ports = pytestconfig.option.port.split("|")
    with ExitStack() as stack:
        for port in ports:
            connected.lock(port, stack)
            if not pytestconfig.option.fctry_force:
                connected.refuse_foreign_application(port, name, factory_project.table)
        yield ports


# -- in front of pytest-embedded's fixtures, which every test has, even one without a device


@pytest.fixture
def fctry_device_count(request: pytest.FixtureRequest) -> int:
    """How many devices the test wants: pytest-embedded's `count`, an option or a parameter of the test."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    return int(parameters.get("count", request.config.option.count))


@pytest.fixture
def build_dir(
    request: pytest.FixtureRequest, build_dir: str | tuple[str, ...] | None, fctry_device_count: int
) -> str | tuple[str, ...] | None:
    """The same build for each device."""
    if not _has_device(request):
        return build_dir
    folder = str(request.getfixturevalue("fctry_build_folder"))
    return folder if fctry_device_count == 1 else (folder,) * fctry_device_count


@pytest.fixture
def port(
    request: pytest.FixtureRequest, port: str | tuple[str, ...] | None, fctry_device_count: int
) -> str | tuple[str, ...] | None:
    """One port, or one for each device."""
    if not _has_device(request) or "esp" not in request.config.option.embedded_services.split(","):
        return port
    if request.config.option.fctry_board == "usb":
        ports = request.getfixturevalue("fctry_ports")
        if len(ports) < fctry_device_count:
            pytest.skip(
                f"needs {fctry_device_count} boards: --port {'|'.join(['PORT'] * fctry_device_count)}"
            )
    else:
        boards = request.getfixturevalue("fctry_boards")
        ports = [boards[index].url for index in range(fctry_device_count)]
        if request.config.option.fctry_board != "qemu":
            request.getfixturevalue("_fctry_resets_at_once")
    return ports[0] if fctry_device_count == 1 else tuple(ports[:fctry_device_count])


@pytest.fixture
def _fctry_resets_at_once() -> Iterator[None]:
    """A quarter of a second less for each reset that pytest-embedded lets esptool do."""
    from fctry.device import resets

    with resets.at_once():
        yield


@pytest.fixture
def qemu_image_path(
    request: pytest.FixtureRequest,
    qemu_image_path: str | None,
    preloaded_factory_image: bytes | None,
) -> str | None:
    """For the service `qemu`: a flash of its own for each test, with a factory partition that is preloaded."""
    if preloaded_factory_image is None or not _has_device(request):
        return qemu_image_path
    from fctry.partitions.flasher_args import read_flasher_args

    build: Path = request.getfixturevalue("fctry_build_folder")
    project: Project = request.getfixturevalue("factory_project")
    flash = bytearray(b"\xff" * 4 * 1024 * 1024)
    writes = read_flasher_args(build).writes()
    for address, data in [*writes, (project.factory_partition.offset, preloaded_factory_image)]:
        flash[address : address + len(data)] = data
    path: Path = request.getfixturevalue("tmp_path") / "flash.bin"
    path.write_bytes(flash)
    return str(path)


@pytest.fixture
def skip_regenerate_image(
    skip_regenerate_image: bool | None, preloaded_factory_image: bytes | None
) -> bool | None:
    """`qemu_image_path` has made the image."""
    return skip_regenerate_image if preloaded_factory_image is None else True


@pytest.fixture(scope="session")
def session_root_logdir(
    pytestconfig: pytest.Config, session_root_logdir: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Logs go where pytest clears up by itself, unless `--root-logdir` names a folder."""
    named = pytestconfig.option.root_logdir
    return session_root_logdir if named else str(tmp_path_factory.mktemp("logs"))


@pytest.fixture(scope="session")
def cache_dir(
    request: pytest.FixtureRequest, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The cache of ports and targets: of no use from one session to the next, as served boards have new ports."""
    if pytestconfig.option.cache_dir or pytestconfig.option.fctry_board == "usb":
        return str(request.getfixturevalue("cache_dir"))
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session", autouse=True)
def _fctry_forked_listeners() -> Iterator[None]:
    """A tenth of a second less for each device: pytest-embedded loads a Python for the process that writes its log."""
    import pytest_embedded.dut_factory

    with pytest.MonkeyPatch.context() as patch:
        if "forkserver" in multiprocessing.get_all_start_methods():
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(LOADED_ONCE)
            patch.setattr(pytest_embedded.dut_factory, "_ctx", context, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def _fctry_guard(_mp_manager: Any) -> Iterator[None]:
    """Ends pytest-embedded's server when this process is gone, whatever ended it; its listeners end with it.

    The folders of their sockets, which multiprocessing removes at the end of a process that ends by itself, go too.
    """
    from multiprocessing import util

    from fctry.boards.cpu.guardian import Guardian

    folders = {Path(util.get_temp_dir())}
    if isinstance(_mp_manager.address, str):
        folders.add(Path(_mp_manager.address).parent)
    folders = {folder for folder in folders if folder.name.startswith("pymp-")}
    guardians = [Guardian(child.pid, folders) for child in multiprocessing.active_children() if child.pid]
    yield
    with contextlib.suppress(OSError):
        for guardian in guardians:
            guardian.dismiss()


def _has_device(request: pytest.FixtureRequest) -> bool:
    return not DEVICE_FIXTURES.isdisjoint(request.fixturenames)
