"""Chooses the board that the device suite runs on (`--board`). No assertions here: the suite is the same on all.

What the boards have in common is a serial port with EN and IO0 on RTS and DTR, so pytest-embedded's services `esp,idf`
work on each of them; this file gives them the port and the build folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock, Timeout
from pytest_embedded_serial import Serial

import fctry.serialport

if TYPE_CHECKING:
    from fctry.boards import Board, QemuBoard
    from fctry.device.flasher import Chip
    from fctry.partitions.table import Partition, PartitionTable

ROOT = Path(__file__).parent
FIRMWARE = ROOT / "firmware"
NATIVE = FIRMWARE / "native"
BOARDS = {
    "native": "a simulated chip that runs firmware/native (needs a C compiler)",
    "linux": "a simulated chip that runs the firmware as ESP-IDF builds it for its linux target",
    "qemu": "Espressif's QEMU, which runs the firmware as ESP-IDF builds it for the target",
    "usb": "a connected board",
}
ARTICLE = ROOT / "examples" / "device.csv"
APP_NAME = "fctry"
ENCRYPTED = "encrypted"  # in the native build folder: the application with NVS encryption


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fctry")
    group.addoption(
        "--board",
        choices=BOARDS,
        help="board for the device suite (default: usb with --target or --port, else native): "
        + "; ".join(f"{name}: {text}" for name, text in BOARDS.items()),
    )
    group.addoption(
        "--yes", action="store_true", help="erase a connected board whatever application it holds"
    )


def pytest_configure(config: pytest.Config) -> None:
    option = config.option
    if "qemu" in option.embedded_services:
        option.board = "qemu"
        # pytest-embedded's service leaves its process and files to the garbage collector
        config.addinivalue_line("filterwarnings", "ignore::pytest.PytestUnraisableExceptionWarning")
    elif option.board == "qemu":
        # its default of 0.05 s is too short for a stub to start in QEMU
        Serial.DEFAULT_PORT_CONFIG["timeout"] = 3.0
    elif option.board is None:
        option.board = "usb" if option.target or option.port else "native"
    if option.board == "usb" and getattr(option, "numprocesses", None):
        raise pytest.UsageError("-n is not for connected boards: each has one port, and one test at a time")
    option.embedded_services = option.embedded_services or "esp,idf"
    option.part_tool = option.part_tool or str(ROOT / "host" / "fctry" / "cli" / "part_tool.py")
    if option.board == "usb" and not option.port:
        option.port = _only_port(option.port_mac)
        option.port_mac = None  # pytest-embedded 2.9 looks for esptool 4's words
    if not option.app_path:
        option.app_path = str(NATIVE if option.board == "native" else FIRMWARE)
    config.addinivalue_line("markers", "not_on(board, reason): a case that this board cannot run")
    fctry.serialport.register()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("not_on"):
        if mark.args[0] == item.config.option.board:
            pytest.skip(f"not on the board {mark.args[0]}: {mark.kwargs['reason']}")


def pytest_report_header(config: pytest.Config) -> str:
    option = config.option
    if option.board != "usb":
        return f"board: {option.board}, {BOARDS[option.board]}"
    return (
        f"board: {option.port}. The device suite writes its boot loader, partition table and application, and erases "
        "and writes the partitions nvs and fctry."
    )


class ServedBoards:
    """The boards without a board of one worker, started when first asked for and kept until the session ends."""

    def __init__(self, new_board: Callable[[int], Board | QemuBoard]) -> None:
        self._new_board = new_board
        self._running = ExitStack()
        self._boards: list[Board | QemuBoard] = []

    def __getitem__(self, index: int) -> Board | QemuBoard:
        while len(self._boards) <= index:
            self._boards.append(self._running.enter_context(self._new_board(len(self._boards))))
        return self._boards[index]

    def close(self) -> None:
        self._running.close()


@pytest.fixture(scope="session")
def build_folder(pytestconfig: pytest.Config) -> Path:
    """The folder of the firmware's build that goes onto the board, as pytest-embedded wants it."""
    option = pytestconfig.option
    target = {"native": "native", "linux": "linux"}.get(option.board, option.target or "esp32")
    build = _find_build(Path(option.app_path), option.build_dir, target)
    return _as_flashable(build) if option.board == "linux" else build


@pytest.fixture(scope="session")
def served_boards(
    pytestconfig: pytest.Config,
    build_folder: Path,
    partition_table: PartitionTable,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ServedBoards]:
    from fctry.boards import Board, QemuBoard

    directory = tmp_path_factory.mktemp("boards")
    option = pytestconfig.option

    def new_board(index: int) -> Board | QemuBoard:
        flash, mac = directory / f"board-{index}.bin", bytes.fromhex(f"240ac4fc72{index + 1:02x}")
        if option.board == "qemu":
            return QemuBoard(flash, chip=option.target or "esp32", mac=mac)
        applications = [build_folder]
        if option.board == "native":
            applications.append(build_folder / ENCRYPTED)
        return Board(flash, applications, mac=mac, table_offset=partition_table.offset)

    boards = ServedBoards(new_board)
    yield boards
    boards.close()


@pytest.fixture
def encrypted_application(pytestconfig: pytest.Config, build_folder: Path) -> bytes:
    """The application image that is configured for encrypted partitions."""
    reasons = {
        "linux": "ESP-IDF's linux target has no NVS encryption",
        "qemu": "the keys need flash encryption or an HMAC key in the eFuses",
        "usb": "the keys need flash encryption or an HMAC key in the eFuses, for ever",
    }
    if reason := reasons.get(pytestconfig.option.board):
        pytest.skip(reason)
    return (build_folder / ENCRYPTED / f"{APP_NAME}.bin").read_bytes()


@pytest.fixture(scope="session")
def preloaded_factory_image(pytestconfig: pytest.Config, factory_partition: Partition) -> bytes | None:
    """Overrides the plugin's fixture: the article's image, for pytest-embedded's service `qemu`."""
    if "qemu" not in pytestconfig.option.embedded_services:
        return None
    from fctry import nvs

    sheet = nvs.read_sheet(ARTICLE)
    return nvs.make_image(sheet, factory_partition.size_bytes, read_only=factory_partition.readonly).data


@pytest.fixture
def qemu_image_path(
    pytestconfig: pytest.Config,
    build_folder: Path,
    factory_partition: Partition,
    preloaded_factory_image: bytes | None,
    tmp_path: Path,
) -> str | None:
    """Overrides pytest-embedded's fixture: a flash of its own for each test, with the article's factory partition."""
    from fctry.partitions.flasher_args import read_flasher_args

    if preloaded_factory_image is None:
        return pytestconfig.option.qemu_image_path
    flash = bytearray(b"\xff" * 4 * 1024 * 1024)
    writes = read_flasher_args(build_folder).writes()
    for address, data in [*writes, (factory_partition.offset, preloaded_factory_image)]:
        flash[address : address + len(data)] = data
    path = tmp_path / "flash.bin"
    path.write_bytes(flash)
    return str(path)


@pytest.fixture
def skip_regenerate_image(pytestconfig: pytest.Config) -> bool:
    """Overrides pytest-embedded's fixture: `qemu_image_path` has made the image."""
    return "qemu" in pytestconfig.option.embedded_services


@pytest.fixture(scope="session")
def usb_ports(pytestconfig: pytest.Config, partition_table: PartitionTable) -> Iterator[list[str]]:
    """The ports of the connected boards, locked for this process, with nothing on them that is not ours."""
    ports = pytestconfig.option.port.split("|")
    with ExitStack() as stack:
        for port in ports:
            try:
                stack.enter_context(_lock_of(port).acquire(timeout=0))
            except (Timeout, OSError):
                pytest.exit(f"{port} is in use by another run of this suite", returncode=1)
            if not pytestconfig.option.yes:
                _refuse_foreign_application(port, partition_table)
        yield ports


@pytest.fixture
def cut_power_at(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`NorFlash.cut_power_at` of the first board."""
    if request.config.option.board != "native":
        pytest.skip("only the native board can cut the power at a given operation of the flash")
    boards: ServedBoards = request.getfixturevalue("served_boards")
    return boards[0].flash.cut_power_at


@pytest.fixture
def device_count(request: pytest.FixtureRequest) -> int:
    """How many devices the test wants: pytest-embedded's `count`, an option or a parameter of the test."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    return int(parameters.get("count", request.config.option.count))


@pytest.fixture
def build_dir(build_folder: Path, device_count: int) -> str | tuple[str, ...]:
    """Overrides pytest-embedded's fixture: the same build for each device."""
    return str(build_folder) if device_count == 1 else (str(build_folder),) * device_count


@pytest.fixture
def port(request: pytest.FixtureRequest, device_count: int) -> str | tuple[str, ...] | None:
    """Overrides pytest-embedded's fixture: one port, or one for each device."""
    if "qemu" in request.config.option.embedded_services:
        return None
    if request.config.option.board == "usb":
        ports = request.getfixturevalue("usb_ports")
        if len(ports) < device_count:
            pytest.skip(f"needs {device_count} boards: --port {'|'.join(['PORT'] * device_count)}")
    else:
        boards = request.getfixturevalue("served_boards")
        ports = [boards[index].url for index in range(device_count)]
    return ports[0] if device_count == 1 else tuple(ports[:device_count])


def _lock_of(port: str) -> FileLock:
    """The lock of a port, the same under each of its names."""
    name = hashlib.sha256(os.path.realpath(port).encode() if "://" not in port else port.encode()).hexdigest()
    return FileLock(Path(tempfile.gettempdir(), f"fctry-{name[:16]}.lock"), mode=0o666)


def _only_port(mac: str | None) -> str:
    """The port of the connected board. With several, the one whose chip has this MAC address."""
    from fctry.device import flasher
    from fctry.errors import FctryError

    ports = [found.device for found in fctry.serialport.find_ports()]
    if not ports:
        raise pytest.UsageError(
            "no board is connected: no serial port with a USB adapter of an ESP board was found. Connect one, or name "
            "its port (--port PORT); without a board: --board native (or plain `pytest`)."
        )
    if mac:
        for port in ports:
            # a port that is in use, or has no chip of Espressif's behind it, is not the one
            with suppress(FctryError, Timeout, OSError), _lock_of(port).acquire(timeout=0):
                with flasher.connect(port) as chip:
                    found = chip.mac()
                if found == mac.lower().replace("-", ":"):
                    return port
        raise pytest.UsageError(f"no board with the MAC address {mac} at {', '.join(ports)}")
    if len(ports) > 1:
        raise pytest.UsageError(
            f"several boards are connected: --port {' or --port '.join(ports)}, or --port-mac MAC"
        )
    return ports[0]


def _find_build(app_path: Path, build_dir: str | None, target: str) -> Path:
    """The build folder for a target: the one that was named, else `build` or `build_TARGET`, built if need be."""
    if target == "native":
        build = app_path / (build_dir or "build")
        if not all((folder / "flasher_args.json").is_file() for folder in (build, build / ENCRYPTED)):
            pytest.fail(f"{build} is not built: make native (needs a C compiler)", pytrace=False)
        return build
    own = app_path / f"build_{target}"
    candidates = [app_path / build_dir] if build_dir else [app_path / "build", own]
    if build := _built(candidates, target):
        return build
    command = [
        "idf.py",
        "-B",
        str(own),
        f"-DSDKCONFIG={own / 'sdkconfig'}",
        f"-DIDF_TARGET={target}",
        "build",
    ]
    if target == "linux":
        command.insert(1, "--preview")
    if build_dir or not shutil.which("idf.py"):
        pytest.fail(
            f"no build of the firmware for {target} in {' or '.join(map(str, candidates))}. With an ESP-IDF of yours "
            f"(`. $IDF_PATH/export.sh`), in {app_path}: {' '.join(command)}",
            pytrace=False,
        )
    with FileLock(own.with_suffix(".lock")):
        if not _built([own], target) and subprocess.run(command, cwd=app_path).returncode != 0:
            pytest.fail(
                f"the build of the firmware failed, in {app_path}: {' '.join(command)}", pytrace=False
            )
    return own


def _built(candidates: list[Path], target: str) -> Path | None:
    """The first of the folders with a finished build for the target: its configuration is there long before."""
    for build in candidates:
        config, program = build / "config" / "sdkconfig.json", build / f"{APP_NAME}.elf"
        if program.is_file() and config.is_file() and json.loads(config.read_text())["IDF_TARGET"] == target:
            return build
    return None


def _as_flashable(build: Path) -> Path:
    """A folder with what the simulated chip needs of a build for ESP-IDF's linux target, which has only an ELF."""
    folder = build / "board"
    with FileLock(build / "board.lock"):
        folder.mkdir(exist_ok=True)
        program = folder / f"{APP_NAME}.elf"
        copy = Path(shutil.copy(build / program.name, folder / "copy"))
        copy.replace(program)  # a board of another process may be running it
        version = (FIRMWARE / "version.txt").read_text().strip()
        subprocess.run([sys.executable, NATIVE / "pack.py", "--version", version, folder], check=True)
    return folder


def _refuse_foreign_application(port: str, table: PartitionTable) -> None:
    """End the session when what the suite overwrites of the board's flash is neither blank nor this project's."""
    from fctry.device import flasher

    with flasher.connect(port) as chip:
        names = _applications(chip, max(entry.end for entry in table)) - {APP_NAME}
    if names:
        pytest.exit(
            f"the board at {port} holds another application: {', '.join(sorted(names))}. The suite would overwrite it "
            "and erase its data: --yes if that is meant",
            returncode=1,
        )


def _applications(chip: Chip, end: int) -> set[str]:
    """The names of the applications in a board's flash, as its own partition table places them.

    Without a table, everything before the address `end` counts.
    """
    from fctry.boards.chip.app_image import AppDescription
    from fctry.errors import FormatError
    from fctry.partitions import binary
    from fctry.partitions.table import APP, TABLE_OFFSET

    raw = chip.read(TABLE_OFFSET, binary.TABLE_BYTES)
    if is_erased(raw):
        return set() if chip.is_erased(0, end) else {f"no partition table at {TABLE_OFFSET:#x}, but data"}
    try:
        offsets = [entry.offset for entry in binary.unpack(raw) if entry.type == APP]
    except FormatError:
        return {"no valid partition table"}
    names = set()
    for offset in offsets:
        description = chip.read(offset + 0x20, 0x100)  # behind the headers of image and first segment
        if not is_erased(description):
            try:
                names.add(AppDescription.unpack(description).project_name)
            except FormatError:
                names.add("one without a description")
    return names


def is_erased(data: bytes) -> bool:
    return data.count(0xFF) == len(data)
