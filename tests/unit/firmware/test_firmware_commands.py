"""The console's commands, native: reading, proofs, the user's settings, reset to factory, information."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import random
import struct
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from zlib import crc32

import pytest

from fctry.device.report import Event
from fctry.nvs import Item, ItemType, decode, encode
from fctry.nvs import format as nvs_format
from fctry.partitions.table import PartitionTable
from tests.unit.firmware.conftest import Boot, Firmware, flash_of, starter
from tests.unit.firmware.torn_flash import MODELS, Torn

NAMESPACE = "fctryNamespace"
SECRETS = "secrets"
PASSWORD = "correct horse battery staple"
PRIVATE_KEY = bytes(range(100))
FACTORY = encode(
    [
        Item(NAMESPACE, "serial_number", ItemType.STR, "164589345735"),
        Item(NAMESPACE, "hw_version", ItemType.U16, 3),
        Item(NAMESPACE, "calibration", ItemType.BLOB, bytes(range(40))),
        Item(SECRETS, "password", ItemType.STR, PASSWORD),
        Item(SECRETS, "private_key", ItemType.BLOB, PRIVATE_KEY),
        Item(SECRETS, "empty", ItemType.STR, ""),
        Item(SECRETS, "number", ItemType.U32, 7),
        Item(SECRETS, "negative", ItemType.I16, -2),
        Item(SECRETS, "half", ItemType.FLOAT, 0.5),
        Item(SECRETS, "third", ItemType.DOUBLE, 1 / 3),
    ],
    0x6000,
)
CHALLENGE = bytes(range(32))


@pytest.fixture
def firmware(boot: Boot, table: PartitionTable) -> Firmware:
    running = boot(flash_of(table, fctry=FACTORY))
    running.events_until("ready")
    return running


def names(events: Sequence[Event]) -> list[str]:
    return [event.name for event in events]


def without_nul(image: bytes, text: str) -> bytes:
    """The image with the string's NUL left out of its size, all checksums right, as a faulty tool would make it."""
    data = text.encode()
    before = nvs_format.VARIABLE_DATA.pack(len(data) + 1, 0xFFFF, crc32(data + b"\0", nvs_format.CRC_SEED))
    after = nvs_format.VARIABLE_DATA.pack(len(data), 0xFFFF, crc32(data, nvs_format.CRC_SEED))
    at = image.index(before) - 24
    head, _, key, _ = nvs_format.ENTRY_HEADER.unpack_from(image, at)
    entry = nvs_format.ENTRY_HEADER.pack(head, nvs_format.entry_crc(head, key, after), key, after)
    return image[:at] + entry + image[at + len(entry) :]


def test_string_without_nul_is_no_value_in_report_and_proof_as_in_the_getter(
    boot: Boot, table: PartitionTable
) -> None:
    image = without_nul(without_nul(FACTORY, "164589345735"), PASSWORD)
    firmware = boot(flash_of(table, fctry=image))
    assert "serial_number" not in [
        event.get("key") for event in firmware.events_until("end") if event.name == "item"
    ]
    assert firmware.ask("factory-get serial_number")[0]["code"] == "ESP_ERR_NVS_INVALID_LENGTH"
    assert (
        firmware.ask(f"prove {SECRETS} password {CHALLENGE.hex()}")[0]["code"] == "ESP_ERR_NVS_INVALID_LENGTH"
    )


# --- factory-get --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "kind", "value"),
    [("serial_number", "str", "164589345735"), ("hw_version", "u16", 3)],
)
def test_factory_get_reports_a_key_with_its_type(
    firmware: Firmware, key: str, kind: str, value: str | int
) -> None:
    item, end, done = firmware.ask(f"factory-get {key}")
    assert (item.name, item["key"], item["type"], item["value"]) == ("item", key, kind, value)
    assert (end.name, end["items"]) == ("end", 1)
    assert done["result"] == "ESP_OK"


@pytest.mark.parametrize(
    "command", ["factory-get missing", "factory-get hw_version u32", "factory-get hw_version str"]
)
def test_factory_get_of_a_missing_key_or_another_type_is_an_error(firmware: Firmware, command: str) -> None:
    error, end, done = firmware.ask(command)
    assert done["result"] == "ESP_ERR_NVS_NOT_FOUND"
    assert (error.name, error["code"], error["key"]) == ("error", "ESP_ERR_NVS_NOT_FOUND", command.split()[1])
    assert (end.name, end["items"]) == ("end", 0)


@pytest.mark.parametrize("command", ["factory-get", "factory-get a u8 b", "factory-get hw_version u17"])
def test_factory_get_with_wrong_arguments_is_an_error(firmware: Firmware, command: str) -> None:
    error, done = firmware.ask(command)
    assert (error.name, error["code"]) == ("error", "ESP_ERR_INVALID_ARG")
    assert done["result"] == "ESP_ERR_INVALID_ARG"


def test_factory_get_does_not_reach_secrets(firmware: Firmware) -> None:
    error, *_ = firmware.ask("factory-get password")
    assert error["code"] == "ESP_ERR_NVS_NOT_FOUND"


# --- prove --------------------------------------------------------------------------------------------------------


def expected_proof(key: str, kind: str, stored: bytes, challenge: bytes = CHALLENGE) -> str:
    message = b"fctry proof 1\0" + f"{SECRETS}\0{key}\0{kind}\0".encode() + challenge
    return hmac.new(stored, message, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(("key", "secret"), [("password", PASSWORD.encode()), ("private_key", PRIVATE_KEY)])
@pytest.mark.parametrize("size", [16, 32, 64])
def test_proof_is_hmac_sha256_of_domain_names_and_challenge(
    firmware: Firmware, key: str, secret: bytes, size: int
) -> None:
    challenge = bytes(range(size))
    proof, done = firmware.ask(f"prove {SECRETS} {key} {challenge.hex()}")
    assert proof["hmac"] == expected_proof(key, "str" if key == "password" else "blob", secret, challenge)
    assert (proof["namespace"], proof["key"]) == (SECRETS, key)
    assert (done.name, done["command"]) == ("done", "prove")


@pytest.mark.parametrize(
    ("key", "kind", "stored"),
    [
        ("empty", "str", b""),
        ("number", "u32", bytes([7, 0, 0, 0])),
        ("negative", "i16", bytes([0xFE, 0xFF])),
        ("half", "float", struct.pack("<f", 0.5)),
        ("third", "double", struct.pack("<d", 1 / 3)),
    ],
)
@pytest.mark.parametrize("is_typed", [True, False])
def test_number_and_empty_string_are_proven(
    firmware: Firmware, key: str, kind: str, stored: bytes, is_typed: bool
) -> None:
    proof, _ = firmware.ask(f"prove {SECRETS} {key} {CHALLENGE.hex()}{f' {kind}' if is_typed else ''}")
    assert proof["hmac"] == expected_proof(key, kind, stored)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (f"{SECRETS} missing {CHALLENGE.hex()}", "ESP_ERR_NVS_NOT_FOUND"),
        (f"{SECRETS} number {CHALLENGE.hex()} u8", "ESP_ERR_NVS_NOT_FOUND"),
        (f"{SECRETS} password {CHALLENGE.hex()} blob", "ESP_ERR_NVS_NOT_FOUND"),
        (f"{SECRETS} password {CHALLENGE.hex()} u17", "ESP_ERR_INVALID_ARG"),
        (f"nowhere password {CHALLENGE.hex()}", "ESP_ERR_NVS_NOT_FOUND"),
        (f"{SECRETS} password {CHALLENGE[:15].hex()}", "ESP_ERR_INVALID_SIZE"),
        (f"{SECRETS} password {bytes(65).hex()}", "ESP_ERR_INVALID_SIZE"),
        (f"{SECRETS} password {'xy' * 16}", "ESP_ERR_INVALID_SIZE"),
        (f"{SECRETS} password", "ESP_ERR_INVALID_ARG"),
    ],
)
def test_proof_that_cannot_be_made_is_an_error(firmware: Firmware, arguments: str, code: str) -> None:
    error, done = firmware.ask(f"prove {arguments}")
    assert (error.name, error["code"]) == ("error", code)
    assert done["result"] == code


def test_neither_secrets_nor_challenges_are_ever_printed(boot: Boot, table: PartitionTable) -> None:
    firmware = boot(flash_of(table, fctry=FACTORY))
    for command in (
        "factory",
        "info",
        "help",
        f"prove {SECRETS} password {CHALLENGE.hex()}",
        f"prove {SECRETS} missing {CHALLENGE.hex()}",
        f"prove {SECRETS} password {CHALLENGE.hex()} too many",
        "restart",
    ):
        firmware.send(command)
    console = "\n".join(firmware.lines())
    assert '"command":"restart"' in console
    assert PASSWORD not in console
    assert CHALLENGE.hex() not in console
    assert SECRETS not in console.replace(f'"namespace":"{SECRETS}"', "")


# --- user-set, user-get, user-list --------------------------------------------------------------------------------


def test_user_settings_are_stored_and_listed(firmware: Firmware) -> None:
    assert firmware.ask("user-list")[-2]["items"] == 0
    assert names(firmware.ask("user-set wifi home")) == ["done"]
    assert names(firmware.ask('user-set greeting "hello  world"')) == ["done"]
    assert firmware.ask("user-get greeting")[0]["value"] == "hello  world"
    assert [(event["key"], event["value"]) for event in firmware.ask("user-list")[:-2]] == [
        ("wifi", "home"),
        ("greeting", "hello  world"),
    ]


def test_user_settings_outlive_a_restart_and_are_fctry_readable(boot: Boot, table: PartitionTable) -> None:
    flash = flash_of(table, fctry=FACTORY)
    first = boot(flash)
    first.events_until("ready")
    first.ask("user-set wifi home")
    first.ask("restart")
    first.wait()
    second = boot(flash)
    second.events_until("ready")
    assert second.ask("user-get wifi")[0]["value"] == "home"
    nvs = table.find("nvs")
    assert decode(bytes(flash[nvs.offset : nvs.offset + nvs.size_bytes])) == [
        Item("user", "wifi", ItemType.STR, "home")
    ]


def test_user_get_of_a_missing_key_is_an_error(firmware: Firmware) -> None:
    assert firmware.ask("user-get wifi")[0]["code"] == "ESP_ERR_NVS_NOT_FOUND"
    firmware.ask("user-set other value")
    error, end, _ = firmware.ask("user-get wifi")
    assert (error["code"], error["partition"], error["key"], end["items"]) == (
        "ESP_ERR_NVS_NOT_FOUND",
        "nvs",
        "wifi",
        0,
    )


def test_user_set_into_a_full_partition_is_an_error_and_the_rest_stays(firmware: Firmware) -> None:
    codes = []
    for i in range(40):
        codes.append(firmware.ask(f"user-set key{i} {'x' * 900}")[-1]["result"])
    assert codes[0] == "ESP_OK"
    assert codes[-1] == "ESP_ERR_NVS_NOT_ENOUGH_SPACE"
    stored = [event for event in firmware.ask("user-list") if event.name == "item"]
    assert len(stored) == codes.index("ESP_ERR_NVS_NOT_ENOUGH_SPACE")


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (
            encode(
                [Item("user", f"k{i}", ItemType.BLOB, bytes(1984)) for i in range(11)], 0x6000, read_only=True
            ),
            "ESP_ERR_NVS_NO_FREE_PAGES",
        ),
        # a page header of version 3: state, sequence number 0, 0xFD, padding, CRC
        (
            bytes.fromhex("feffffff00000000fd" + "ff" * 19 + "4e601316"),
            "ESP_ERR_NVS_NEW_VERSION_FOUND",
        ),
    ],
    ids=["no free page", "newer version"],
)
def test_unusable_user_partition_is_erased_and_factory_data_stays(
    boot: Boot, table: PartitionTable, image: bytes, code: str
) -> None:
    flash = flash_of(table, nvs=image, fctry=FACTORY)
    firmware = boot(flash)
    events = firmware.events_until("ready")
    erased = next(event for event in events if event.name == "erased")
    assert erased.fields == {"where": "nvs_flash_init", "code": code, "partition": "nvs"}
    assert "error" not in names(events)
    assert names(firmware.ask("user-set a b")) == ["done"]
    fctry = table.find("fctry")
    assert flash[fctry.offset : fctry.offset + len(FACTORY)] == FACTORY


# --- factory-reset ------------------------------------------------------------------------------------------------


def settings_of(boot: Boot, flash: bytearray) -> list[str]:
    """What a fresh start lists as the user's settings."""
    firmware = boot(flash)
    firmware.events_until("ready")
    return listed(firmware)


def listed(firmware: Firmware) -> list[str]:
    return [event["key"] for event in firmware.ask("user-list") if event.name == "item"]


@pytest.fixture(scope="module")
def stored_settings(native_build: Path, table: PartitionTable) -> bytes:
    """A flash in which a firmware has stored twelve settings."""
    flash = flash_of(table, fctry=FACTORY)
    with ExitStack() as stack:
        firmware = starter(native_build, stack)(flash)
        firmware.events_until("ready")
        for i in range(12):
            firmware.ask(f"user-set key{i} {'x' * 900}")
    return bytes(flash)


def outside_of_nvs(table: PartitionTable, flash: bytearray) -> bytes:
    nvs = table.find("nvs")
    return bytes(flash[: nvs.offset] + flash[nvs.offset + nvs.size_bytes :])


def test_factory_reset_erases_the_settings_and_nothing_else(
    boot: Boot, table: PartitionTable, stored_settings: bytes
) -> None:
    flash = bytearray(stored_settings)
    before = outside_of_nvs(table, flash)
    firmware = boot(flash)
    firmware.events_until("ready")
    assert names(firmware.ask("factory-reset")) == ["done"]
    assert firmware.wait() == 0, "it restarts"
    nvs = table.find("nvs")
    assert flash[nvs.offset : nvs.offset + nvs.size_bytes] == b"\xff" * nvs.size_bytes
    assert outside_of_nvs(table, flash) == before
    assert settings_of(boot, flash) == []


def test_power_cut_at_any_point_of_a_reset_leaves_all_settings_or_none(
    boot: Boot, table: PartitionTable, stored_settings: bytes
) -> None:
    settings = bytearray(stored_settings)
    before = outside_of_nvs(table, settings)
    keys = settings_of(boot, settings)
    outcomes = []
    for power_cut_at in itertools.count(1):
        flash = bytearray(settings)
        firmware = boot(flash, power_cut_at=power_cut_at)
        firmware.events_until("ready")
        firmware.send("factory-reset")
        for _ in firmware.lines():
            pass
        if firmware.wait() == 0:
            break  # the reset was done before that operation
        outcomes.append(settings_of(boot, flash))
        assert outcomes[-1] in (keys, [])
        assert outside_of_nvs(table, flash) == before
    assert len(outcomes) == 7, "mark, five sectors, the mark's sector"
    assert outcomes[1:] == [[]] * 6, "once the mark is there, the next start finishes the reset"


def test_interrupted_reset_is_reported_at_the_next_start(boot: Boot, stored_settings: bytes) -> None:
    flash = bytearray(stored_settings)
    firmware = boot(flash, power_cut_at=3)
    firmware.events_until("ready")
    firmware.send("factory-reset")
    firmware.wait()
    events = boot(flash).events_until("ready")
    assert [event["where"] for event in events if event.name == "erased"] == ["factory_data_finish_reset"]


def zeroed(sector: bytes) -> bytes:
    return bytes(len(sector))


def zeroed_in_its_header(sector: bytes) -> bytes:
    return bytes(32) + sector[32:]


def noisy(sector: bytes) -> bytes:
    return random.Random(1).randbytes(len(sector))


def with_first_byte(value: int) -> Callable[[bytes], bytes]:
    return lambda sector: bytes([sector[0] & value]) + sector[1:]


@pytest.mark.parametrize(
    "torn", [zeroed, zeroed_in_its_header, noisy, *map(with_first_byte, (0x00, 0x5C, 0xF0))]
)
def test_first_sector_that_an_erase_of_nvs_left_torn_is_no_mark(
    boot: Boot, table: PartitionTable, stored_settings: bytes, torn: Callable[[bytes], bytes]
) -> None:
    nvs = table.find("nvs")
    start = bytearray(stored_settings)
    keys = settings_of(boot, start)
    words = "\n".join(f"user-set key{i % 12} {i:03}{'y' * 960} #a{i}" for i in range(60)) + "\nrestart"
    whole = boot(bytearray(start))
    whole.events_until("ready")
    whole.send(words)
    assert whole.wait() == 0
    cut_at = 1 + whole.operations.index(("E", nvs.offset, 4096))

    def model(before: bytes, after: bytes, draw: random.Random) -> bytes:
        return torn(before)

    flash = bytearray(start)
    firmware = boot(flash, power_cut_at=cut_at, torn=(model, model))
    firmware.events_until("ready")
    firmware.send(words)
    assert firmware.wait() != 0
    events = boot(flash).events_until("ready")
    assert not [event for event in events if event.name == "erased"]
    assert set(settings_of(boot, flash)) >= set(keys)


@pytest.fixture(scope="module")
def full_pages(native_build: Path, stored_settings: bytes) -> bytes:
    """Settings whose next change needs a page to be moved."""
    flash = bytearray(stored_settings)
    with ExitStack() as stack:
        firmware = starter(native_build, stack)(flash)
        firmware.events_until("ready")
        for i in range(10):
            firmware.ask(f"user-set short{i % 4} {i:03}{'y' * 695}")
    return bytes(flash)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model[0].__name__}, {model[1].__name__}")
def test_reset_ends_whatever_a_power_cut_leaves(
    boot: Boot, stored_settings: bytes, model: tuple[Torn, Torn]
) -> None:
    settings = bytearray(stored_settings)
    keys = settings_of(boot, settings)
    for power_cut_at in itertools.count(1):
        flash = bytearray(settings)
        firmware = boot(flash, power_cut_at=power_cut_at, torn=model, seed=power_cut_at)
        firmware.events_until("ready")
        firmware.send("factory-reset")
        for _ in firmware.lines():
            pass
        if firmware.wait() == 0:
            break
        assert settings_of(boot, flash) in ([keys, []] if power_cut_at == 1 else [[]])
    assert power_cut_at > 7


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model[0].__name__}, {model[1].__name__}")
def test_no_power_cut_while_settings_are_stored_is_taken_for_a_reset(
    boot: Boot, full_pages: bytes, model: tuple[Torn, Torn]
) -> None:
    keys = settings_of(boot, bytearray(full_pages))
    cuts = erases = 0
    for power_cut_at in itertools.count(1):
        flash = bytearray(full_pages)
        firmware = boot(flash, power_cut_at=power_cut_at, torn=model, seed=power_cut_at)
        firmware.events_until("ready")
        firmware.send(f"user-set short2 {'z' * 700} #a\nuser-set short3 {'z' * 700} #b\nrestart")
        for _ in firmware.lines():
            pass
        erases += firmware.operations[-1][0] == "E"
        if firmware.wait() == 0:
            break
        cuts += 1
        firmware = boot(flash)
        events = firmware.events_until("ready")
        assert not [event for event in events if event.name == "erased"], power_cut_at
        left = listed(firmware)
        assert len(left) >= len(keys) - 5, f"{power_cut_at}: more than the sector that was torn is gone"
    assert cuts > 10
    assert erases


def test_power_cut_while_finishing_a_reset_is_survived_too(boot: Boot, stored_settings: bytes) -> None:
    settings = bytearray(stored_settings)
    firmware = boot(settings, power_cut_at=4)
    firmware.events_until("ready")
    firmware.send("factory-reset")
    firmware.wait()
    for power_cut_at in range(1, 8):
        flash = bytearray(settings)
        for _ in boot(flash, power_cut_at=power_cut_at).lines():
            if '"ready"' in _:
                break
        assert settings_of(boot, flash) == []


def test_boot_button_held_for_five_seconds_resets_to_factory(boot: Boot, stored_settings: bytes) -> None:
    flash = bytearray(stored_settings)
    firmware = boot(flash, boot_button_down=True)
    console = []
    for line in firmware.lines():
        console.append(line)
    assert any("hold it for 5 s" in line for line in console)
    assert firmware.wait() == 0
    assert settings_of(boot, flash) == []


def test_boot_button_let_go_cancels(boot: Boot, stored_settings: bytes) -> None:
    flash = bytearray(stored_settings)
    keys = settings_of(boot, flash)
    firmware = boot(flash, boot_button_down=True)
    for line in firmware.lines():
        if "hold it for 5 s" in line:
            firmware.boot_button_down = False
        if "no reset to factory" in line:
            break
    assert [event["key"] for event in firmware.ask("user-list")[:-2]] == keys


# --- info ---------------------------------------------------------------------------------------------------------


def test_info_reports_application_chip_partitions_and_entries(
    firmware: Firmware, table: PartitionTable
) -> None:
    events = firmware.ask("info")
    info, *partitions = events[: 1 + len(table.partitions)]
    assert info.fields == {
        "id": "ask",
        "app": "fctry",
        "version": "0.1.0",
        "idf": "native (v6.1)",
        "target": "esp32",
        "mac": "24:0a:c4:12:34:56",
        "base_mac": "24:0a:c4:12:34:56",
    }
    assert [
        (part["label"], part["type"], part["subtype"], part["offset"], part["size"], part["readonly"])
        for part in partitions
    ] == [(part.name, part.type, part.subtype, part.offset, part.size_bytes, part.readonly) for part in table]
    entries = {event["partition"]: event for event in events if event.name == "entries"}
    assert entries["nvs"]["used"] == 0
    assert entries["nvs"]["free"] == entries["nvs"]["total"] == 756
    assert entries["fctry"]["namespaces"] == 2
    assert events[-1].name == "done"


def test_info_of_an_erased_factory_partition_is_an_error_line_in_it(
    boot: Boot, table: PartitionTable
) -> None:
    firmware = boot(flash_of(table))
    firmware.events_until("ready")
    events = firmware.ask("info")
    assert [event["code"] for event in events if event.name == "error"] == ["ESP_ERR_NVS_NOT_FOUND"]
    assert events[-1].name == "done"


def test_help_lists_every_command(firmware: Firmware) -> None:
    firmware.send("help")
    lines = list(itertools.takewhile(lambda line: '"done"' not in line, firmware.lines()))
    commands = [
        "factory",
        "factory-get",
        "prove",
        "user-set",
        "user-get",
        "user-list",
        "factory-reset",
        "info",
        "restart",
        "help",
    ]
    assert [line.split()[0] for line in lines[:-1]] == commands
