"""The component's own functions, called through ctypes over a flash file, as an application calls them."""

from __future__ import annotations

import ctypes
import dataclasses
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fctry.nvs import Item, ItemType, encode
from fctry.partitions.table import PartitionTable
from tests.unit.firmware.conftest import NATIVE, flash_of

NAMESPACE = "fctryNamespace"
ITEMS = [
    Item(NAMESPACE, "serial_number", ItemType.STR, "164589345735"),
    Item(NAMESPACE, "hw_version", ItemType.U16, 3),
    Item(NAMESPACE, "calibration", ItemType.BLOB, bytes(range(40))),
    Item("chip-factory", "dac-key", ItemType.BLOB, bytes(32)),
    Item(NAMESPACE, "last", ItemType.U8, 1),
]
OK, INVALID_ARG, INVALID_STATE, INVALID_MAC, NOT_ALLOWED = 0, 0x102, 0x103, 0x10B, 0x10D
NVS_NOT_FOUND, NVS_INVALID_HANDLE, NVS_INVALID_LENGTH = 0x1102, 0x1107, 0x110C
STR, BLOB = 0x21, 0x42
UNTOUCHED = b"\xa5" * 64
VISIT_NAMESPACE = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_void_p)
VISIT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


class Config(ctypes.Structure):
    """factory_data_config_t."""

    _fields_ = (("partition_label", ctypes.c_char_p), ("namespace_name", ctypes.c_char_p))


class Component:
    """The library of one test, with state of its own, on a flash file."""

    def __init__(self, library: Path, flash: Path) -> None:
        self.flash = flash
        self.lib = ctypes.CDLL(str(library))
        self.lib.factory_data_close.argtypes = [ctypes.c_void_p]
        assert self.lib.file_bus_open(str(flash).encode())

    def __getattr__(self, name: str) -> Callable[..., int]:
        return getattr(self.lib, name)

    def open(self, label: str = "fctry", namespace: str = NAMESPACE) -> ctypes.c_void_p:
        handle = ctypes.c_void_p()
        config = Config(label.encode(), namespace.encode())
        assert self.factory_data_open(ctypes.byref(config), ctypes.byref(handle), None) == OK
        return handle

    def get(self, getter: str, handle: ctypes.c_void_p, key: str, room: int) -> tuple[int, int, bytes]:
        """The getter's code, the size that it says, and the caller's buffer."""
        buffer, size = ctypes.create_string_buffer(UNTOUCHED, len(UNTOUCHED)), ctypes.c_size_t(room)
        code = getattr(self.lib, getter)(handle, key.encode(), buffer, ctypes.byref(size))
        return code, size.value, buffer.raw


def make(target: str) -> None:
    command = ["make", "--no-print-directory", "--silent", "-C", NATIVE, target]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def library() -> Path:
    make("library")
    return NATIVE / "build" / "library" / "factory_data.so"


@pytest.fixture
def start(library: Path, table: PartitionTable, tmp_path: Path) -> Callable[..., Component]:
    def with_flash(table: PartitionTable = table, **images: bytes) -> Component:
        flash = tmp_path / "flash.bin"
        flash.write_bytes(flash_of(table, **{"fctry": encode(ITEMS, 0x6000), **images}))
        own = shutil.copy(library, tmp_path / "factory_data.so")  # loaded anew: with no partition mounted
        return Component(own, flash)

    return with_flash


@pytest.fixture
def component(start: Callable[..., Component]) -> Component:
    return start()


def test_getter_leaves_the_default_where_there_is_no_such_key(component: Component) -> None:
    handle = component.open()
    for getter in ("factory_data_get_str", "factory_data_get_blob"):
        assert component.get(getter, handle, "missing", 64) == (NVS_NOT_FOUND, 64, UNTOUCHED)


@pytest.mark.parametrize(
    ("getter", "key", "needed"), [("str", "serial_number", 13), ("blob", "calibration", 40)]
)
def test_getter_says_how_much_room_a_value_takes(
    component: Component, getter: str, key: str, needed: int
) -> None:
    handle = component.open()
    code, size, buffer = component.get(f"factory_data_get_{getter}", handle, key, needed - 1)
    assert (code, size, buffer) == (NVS_INVALID_LENGTH, needed, UNTOUCHED)
    assert component.get(f"factory_data_get_{getter}", handle, key, size)[:2] == (OK, needed)


def test_damaged_value_is_wiped_from_the_callers_buffer(start: Callable[..., Component]) -> None:
    image = bytearray(encode(ITEMS, 0x6000))
    image[image.index(b"164589345735")] ^= 1
    component = start(fctry=bytes(image))
    code, size, buffer = component.get("factory_data_get_str", component.open(), "serial_number", 32)
    assert (code, size) == (NOT_ALLOWED, 32)
    assert buffer[:13] == bytes(13)


def test_value_of_any_size_is_read_into_new_memory(component: Component) -> None:
    handle, value, size = component.open(), ctypes.c_void_p(), ctypes.c_size_t()
    out = ctypes.byref(value), ctypes.byref(size)
    assert component.factory_data_get_allocated(handle, BLOB, b"calibration", 1 << 12, *out) == OK
    assert value.value is not None
    assert ctypes.string_at(value.value, size.value + 1) == bytes(range(40)) + b"\0"
    component.factory_data_free(value, size)
    assert component.factory_data_get_allocated(handle, STR, b"missing", 1 << 12, *out) == NVS_NOT_FOUND


def test_key_is_found_with_its_type(component: Component) -> None:
    handle, kind = component.open(), ctypes.c_int()
    assert component.factory_data_find_key(handle, b"calibration", ctypes.byref(kind)) == OK
    assert kind.value == BLOB
    assert component.factory_data_find_key(handle, b"last", None) == OK
    assert component.factory_data_find_key(handle, b"dac-key", None) == NVS_NOT_FOUND


def test_namespaces_are_listed_once_each(component: Component) -> None:
    names: list[bytes] = []
    visit = VISIT_NAMESPACE(lambda name, _: names.append(name))
    assert component.factory_data_for_each_namespace(component.open(), visit, None) == OK
    assert names == [NAMESPACE.encode(), b"chip-factory"]


def test_handle_whose_partition_is_gone_is_an_error_and_no_empty_report(component: Component) -> None:
    handle, visited = component.open(), []
    assert component.nvs_flash_deinit_partition(b"fctry") == OK
    visit = VISIT(lambda *_: visited.append(None))
    visit_namespace = VISIT_NAMESPACE(lambda *_: visited.append(None))
    assert component.factory_data_for_each(handle, visit, None) == NVS_INVALID_HANDLE
    assert component.factory_data_for_each_namespace(handle, visit_namespace, None) == NVS_INVALID_HANDLE
    assert component.factory_data_find_key(handle, b"last", None) == NVS_INVALID_HANDLE
    assert component.get("factory_data_get_str", handle, "serial_number", 64)[0] == NVS_INVALID_HANDLE
    assert visited == []


# --- MAC address --------------------------------------------------------------------------------------------------

MAC = bytes.fromhex("240ac4123454")


def base_mac_of(component: Component) -> bytes:
    mac = ctypes.create_string_buffer(6)
    assert component.esp_read_mac(mac, 5) == OK  # ESP_MAC_BASE
    return mac.raw


def with_mac(start: Callable[..., Component], value: str | bytes) -> Component:
    kind = ItemType.STR if isinstance(value, str) else ItemType.BLOB
    return start(fctry=encode([Item(NAMESPACE, "mac_addr", kind, value)], 0x6000))


@pytest.mark.parametrize(
    "value", ["24:0A:C4:12:34:54", "24:0a:c4:12:34:54", "24-0a-c4-12-34-54", "240ac4123454", MAC]
)
def test_mac_of_the_seed_becomes_the_base_mac(start: Callable[..., Component], value: str | bytes) -> None:
    component = with_mac(start, value)
    assert component.factory_data_apply_mac(component.open(), b"mac_addr") == OK
    assert base_mac_of(component) == MAC


def test_locally_administered_mac_is_taken_and_warned_of(
    start: Callable[..., Component], capfd: pytest.CaptureFixture[str]
) -> None:
    component = with_mac(start, "02:00:00:00:00:04")
    assert component.factory_data_apply_mac(component.open(), b"mac_addr") == OK
    component.fflush(None)
    assert "W (" in (said := capfd.readouterr().out)
    assert "locally administered" in said


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("25:0a:c4:12:34:54", "multicast"),
        ("ff:ff:ff:ff:ff:ff", "multicast"),
        (b"\xff" * 6, "multicast"),
        ("00:00:00:00:00:00", "all zero"),
        ("24:0a:c4:12:34:55", "no multiple of"),
        ("24:0a:c4:12:34:56", "no multiple of"),
        ("24:0a:c4:12:34", "no MAC address"),
        ("24:0a:c4:12:34:5", "no MAC address"),
        ("24:0a:c4-12:34:54", "no MAC address"),
        ("24 0a c4 12 34 54", "no MAC address"),
        ("24:0a:c4:12:34:5g", "no MAC address"),
        ("+4:0a:c4:12:34:54", "no MAC address"),
        ("24:0a:c4:12:34:54:00", "no MAC address"),
        ("", "no MAC address"),
        (MAC[:5], "no MAC address"),
        (MAC + b"\0", "no MAC address"),
    ],
)
def test_mac_that_no_device_may_have_is_refused_with_the_reason(
    start: Callable[..., Component], capfd: pytest.CaptureFixture[str], value: str | bytes, fault: str
) -> None:
    component = with_mac(start, value)
    own = base_mac_of(component)
    assert component.factory_data_apply_mac(component.open(), b"mac_addr") == INVALID_MAC
    assert base_mac_of(component) == own
    component.fflush(None)
    assert fault in capfd.readouterr().out


def test_device_without_a_mac_in_its_seed_keeps_its_own(component: Component) -> None:
    assert component.factory_data_apply_mac(component.open(), b"mac_addr") == NVS_NOT_FOUND


# --- beside others ------------------------------------------------------------------------------------------------


def test_partition_that_somebody_else_uses_stays_mounted(component: Component) -> None:
    theirs, value = ctypes.c_uint32(), ctypes.c_uint16()
    component.factory_data_close(component.open())
    opened = component.nvs_open_from_partition(b"fctry", NAMESPACE.encode(), 0, ctypes.byref(theirs))
    assert opened == OK  # as an SDK does, which takes it for mounted from then on
    component.factory_data_close(component.open())
    assert component.nvs_get_u16(theirs, b"hw_version", ctypes.byref(value)) == OK
    assert value.value == 3


def test_unmounted_partition_is_read_anew(component: Component) -> None:
    component.factory_data_close(component.open())
    with component.flash.open("r+b") as flash:
        flash.seek(0x10000)
        flash.write(encode([Item(NAMESPACE, "other", ItemType.U8, 1)], 0x6000))
    handle = component.open()
    assert component.factory_data_find_key(handle, b"other", None) == NVS_NOT_FOUND
    assert component.factory_data_unmount(b"fctry") == INVALID_STATE
    component.factory_data_close(handle)
    assert component.factory_data_unmount(b"fctry") == OK
    assert component.factory_data_find_key(component.open(), b"other", None) == OK
    assert component.factory_data_unmount(b"nowhere") == OK


def two_factory_partitions(table: PartitionTable) -> PartitionTable:
    """The table with another partition of factory data, which nothing protects but the component."""
    (fctry,) = (part for part in table if part.name == "fctry")
    half = fctry.size_bytes // 2
    calibration = dataclasses.replace(
        fctry, name="cal", offset=fctry.offset + half, size_bytes=half, readonly=False
    )
    fctry = dataclasses.replace(fctry, size_bytes=half)
    return PartitionTable(
        tuple(one for part in table for one in ([fctry, calibration] if part.name == "fctry" else [part]))
    )


def test_reset_spares_every_partition_that_was_opened_as_factory_data(
    start: Callable[..., Component], table: PartitionTable
) -> None:
    image = encode(ITEMS, 0x3000)
    component = start(two_factory_partitions(table), fctry=image, cal=image)
    component.factory_data_close(component.open("cal"))
    before = component.flash.read_bytes()
    assert component.factory_data_reset(b"cal") == INVALID_ARG
    assert component.factory_data_reset(b"fctry") == INVALID_ARG
    assert component.flash.read_bytes() == before


def test_reset_is_refused_before_anything_is_unmounted(
    start: Callable[..., Component], table: PartitionTable
) -> None:
    settings = encode([Item("user", "wifi", ItemType.STR, "home")], 0x6000)
    readonly = PartitionTable(
        tuple(dataclasses.replace(part, readonly=part.readonly or part.name == "nvs") for part in table)
    )
    component, theirs, size = start(readonly, nvs=settings), ctypes.c_uint32(), ctypes.c_size_t()
    assert component.nvs_flash_init_partition(b"nvs") == OK
    assert component.nvs_open_from_partition(b"nvs", b"user", 0, ctypes.byref(theirs)) == OK
    assert component.factory_data_reset(b"nvs") == NOT_ALLOWED
    assert component.nvs_get_str(theirs, b"wifi", None, ctypes.byref(size)) == OK


def test_settings_that_are_being_read_are_not_reset(start: Callable[..., Component]) -> None:
    settings = encode([Item("user", "wifi", ItemType.STR, "home")], 0x6000)
    component = start(nvs=settings)
    handle = component.open("nvs", "user")
    assert component.factory_data_reset(b"nvs") == INVALID_STATE
    assert component.factory_data_find_key(handle, b"wifi", None) == OK
    component.factory_data_close(handle)
    assert component.factory_data_reset(b"nvs") == OK
    assert component.flash.read_bytes()[0x9000:0xF000] == b"\xff" * 0x6000


def test_two_tasks_open_close_and_reset_without_a_race(table: PartitionTable, tmp_path: Path) -> None:
    make("stress")
    flash = tmp_path / "flash.bin"
    flash.write_bytes(flash_of(table, fctry=encode(ITEMS, 0x6000)))
    environment = os.environ | {"FCTRY_FLASH_FILE": str(flash), "FCTRY_ROUNDS": "200"}
    stress = NATIVE / "build" / "stress" / "stress"
    done = subprocess.run([stress], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout[-500:]
    assert done.stdout.endswith("200 rounds\n")
