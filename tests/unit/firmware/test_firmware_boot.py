"""The reference firmware, native: what it reports at boot and on its console."""

from __future__ import annotations

import base64
import dataclasses
import random
import re
from collections.abc import Iterator

import pytest

from fctry.device import Console, Deadline, compare
from fctry.device.proof import unproven
from fctry.device.report import Event, ReportCollector, format_line, item_of, parse_line
from fctry.device.seal import SEAL
from fctry.nvs import Item, ItemType, decode, encode
from fctry.partitions.table import PartitionTable
from fctry.reference import native_build
from tests.unit.firmware.conftest import SOFTWARE, Boot, Firmware, flash_of

NAMESPACE = "fctryNamespace"
ARTICLE = encode(
    [
        Item(NAMESPACE, "serial_number", ItemType.STR, "164589345735"),
        Item(NAMESPACE, "mac_addr", ItemType.STR, "0A:0B:0C:0D:0E:0F"),
    ],
    0x6000,
)
ITEMS = [
    {
        "partition": "fctry",
        "namespace": NAMESPACE,
        "key": "serial_number",
        "type": "str",
        "value": "164589345735",
    },
    {
        "partition": "fctry",
        "namespace": NAMESPACE,
        "key": "mac_addr",
        "type": "str",
        "value": "0A:0B:0C:0D:0E:0F",
    },
]


def test_boot_reports_items_in_order(boot: Boot, table: PartitionTable) -> None:
    events = boot(flash_of(table, fctry=ARTICLE)).events_until("ready")
    assert [event.name for event in events] == ["boot", "item", "item", "end", "ready"]
    assert events[0].fields == {
        "app": "fctry",
        "version": "0.1.0",
        "idf": "native (v6.1)",
        "reset": "power-on",
    }
    assert [event.fields for event in events[1:3]] == ITEMS
    assert events[3].fields == {"partition": "fctry", "items": 2}


def test_boot_prints_a_table_for_people_before_ready(boot: Boot, table: PartitionTable) -> None:
    lines = []
    for line in boot(flash_of(table, fctry=ARTICLE)).lines():
        if '"ready"' in line:
            break
        lines.append(line)
    assert "E (" in (refusal := lines.pop())  # the article's MAC address is none for a base MAC
    assert "factory_data: 'mac_addr' does not become the base MAC" in refusal
    assert lines[-3:] == [
        "Factory data: partition 'fctry', namespace 'fctryNamespace'",
        "  serial_number    str   164589345735",
        "  mac_addr         str   0A:0B:0C:0D:0E:0F",
    ]


def test_boot_leaves_the_flash_alone(boot: Boot, table: PartitionTable) -> None:
    flash = flash_of(table, fctry=ARTICLE)
    before = bytes(flash)
    firmware = boot(flash)
    firmware.events_until("ready")
    assert firmware.operations == []
    assert flash == before


LIMITS = [
    Item(NAMESPACE, f"{kind}_{name}", ItemType(kind), value)
    for kind in ("u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64")
    for name, value in (
        ("min", 0 if kind[0] == "u" else -(1 << (int(kind[1:]) - 1))),
        ("max", (1 << (int(kind[1:]) - (kind[0] == "i"))) - 1),
    )
]
STRINGS = [
    Item(NAMESPACE, "empty", ItemType.STR, ""),
    Item(NAMESPACE, "longest", ItemType.STR, "x" * 3967),
    Item(NAMESPACE, "escapes", ItemType.STR, 'tab\t quote" back\\slash line\nfeed \x01 \x7f'),
    Item(NAMESPACE, "unicode", ItemType.STR, "Grüße, 你好, 🏭"),
]


@pytest.mark.parametrize("items", [LIMITS, STRINGS], ids=["integer limits", "strings"])
def test_boot_reports_every_value_as_written(boot: Boot, table: PartitionTable, items: list[Item]) -> None:
    events = boot(flash_of(table, fctry=encode(items, 0x6000))).events_until("end")
    reported = [item_of(event) for event in events if event.name == "item"]
    assert [(item.key, item.type, item.value) for item in reported] == [
        (item.key, item.type.value, item.value) for item in items
    ]


def test_values_neither_forge_report_lines_nor_move_the_cursor(boot: Boot, table: PartitionTable) -> None:
    forged = format_line(
        {"event": "item", "partition": "fctry", "namespace": NAMESPACE, "key": "k", "type": "u8", "value": 7}
    )
    text = f"1\n{forged}\r\x1b[31m\x7f\u009b é"
    items = [Item(NAMESPACE, "serial_number", ItemType.STR, text), Item(NAMESPACE, "a\x1bb", ItemType.U8, 1)]
    firmware = boot(flash_of(table, fctry=encode(items, 0x6000)))
    lines = []
    for line in firmware.lines():
        lines.append(line)
        if '"ready"' in line:
            break
    reported = [event for line in lines if (event := parse_line(line)) and event.name == "item"]
    assert [event["value"] for event in reported] == [text, 1]
    shown = [line for line in lines if not line.startswith("@fctry ")]
    assert not [line for line in shown if re.search("[\x00-\x1f\x7f\x80-\x9f]", line)]
    assert "  serial_number    str   1\\x0A@fctry" in "\n".join(shown)
    assert any(line.endswith("\\x0D\\x1B[31m\\x7F\\xC2\\x9B é") for line in shown)


def test_erased_partition_is_an_error_by_name_and_the_firmware_runs_on(
    boot: Boot, table: PartitionTable
) -> None:
    firmware = boot(flash_of(table))
    events = firmware.events_until("ready")
    assert [event.name for event in events] == ["boot", "error", "end", "ready"]
    assert events[1].fields == {
        "where": "nvs_open_from_partition",
        "code": "ESP_ERR_NVS_NOT_FOUND",
        "partition": "fctry",
        "namespace": NAMESPACE,
    }
    assert firmware.ask("help")[-1].name == "done"


def test_missing_partition_is_an_error_by_name(boot: Boot, table: PartitionTable) -> None:
    without = PartitionTable(tuple(part for part in table if part.name != "fctry"))
    events = boot(flash_of(without)).events_until("end")
    assert [event["code"] for event in events if event.name == "error"] == ["ESP_ERR_NOT_FOUND"]


def test_damaged_partition_table_is_an_error_by_name(boot: Boot, table: PartitionTable) -> None:
    flash = flash_of(table, fctry=ARTICLE)
    flash[0x8004] ^= 1
    events = boot(flash).events_until("ready")
    errors = [(event["where"], event["code"]) for event in events if event.name == "error"]
    assert errors == [
        ("nvs_flash_init", "ESP_ERR_NOT_FOUND"),
        ("nvs_flash_init_partition", "ESP_ERR_NOT_FOUND"),
    ]


def test_factory_command_answers_with_its_id(boot: Boot, table: PartitionTable) -> None:
    firmware = boot(flash_of(table, fctry=ARTICLE))
    firmware.events_until("ready")
    answer = firmware.ask("factory")
    collector = ReportCollector("fctry")
    *_, report, nothing = [collector.feed(event) for event in answer]
    assert nothing is None
    assert answer[-1].fields == {"id": "ask", "command": "factory", "result": "ESP_OK"}
    assert [item.value for item in report.items] == ["164589345735", "0A:0B:0C:0D:0E:0F"]
    assert {event["id"] for event in answer} == {"ask"}


@pytest.mark.parametrize("line_end", ["", "\r"], ids=["LF", "CR LF"])
def test_line_ends_of_all_kinds_are_understood(boot: Boot, table: PartitionTable, line_end: str) -> None:
    firmware = boot(flash_of(table))
    firmware.events_until("ready")
    firmware.send("help #a" + line_end)
    assert firmware.events_until("done")[-1].fields == {"id": "a", "command": "help", "result": "ESP_OK"}


def test_unknown_command_is_an_error(boot: Boot, table: PartitionTable) -> None:
    firmware = boot(flash_of(table))
    firmware.events_until("ready")
    error, done = firmware.ask("bogus")
    assert (error.name, error["code"]) == ("error", "ESP_ERR_NOT_FOUND")
    assert done.fields == {"id": "ask", "result": "ESP_ERR_NOT_FOUND"}


def test_overlong_line_is_refused_and_the_next_one_works(boot: Boot, table: PartitionTable) -> None:
    firmware = boot(flash_of(table))
    firmware.events_until("ready")
    firmware.send("help " + "x" * 5000)
    assert firmware.events_until("error")[-1]["code"] == "ESP_ERR_INVALID_SIZE"
    assert firmware.ask("help")[-1].name == "done"


def test_malformed_id_is_part_of_the_command(boot: Boot, table: PartitionTable) -> None:
    firmware = boot(flash_of(table))
    firmware.events_until("ready")
    firmware.send("help #not/an/id")
    assert firmware.events_until("error")[-1].fields == {"where": "help", "code": "ESP_ERR_INVALID_ARG"}


def test_restart_ends_the_process_as_a_software_reset(boot: Boot, table: PartitionTable) -> None:
    firmware = boot(flash_of(table))
    firmware.events_until("ready")
    assert firmware.ask("restart")[-1].name == "done"
    assert firmware.wait() == 0
    events = boot(flash_of(table), reset_reason=SOFTWARE).events_until("boot")
    assert events[-1]["reset"] == "software"


def test_end_of_stdin_ends_the_process(boot: Boot, table: PartitionTable) -> None:
    firmware = boot(flash_of(table))
    firmware.events_until("ready")
    firmware.close_stdin()
    assert firmware.wait() == 0


def writable(table: PartitionTable) -> PartitionTable:
    return PartitionTable(tuple(dataclasses.replace(part, readonly=False) for part in table))


ENTRY = 64  # offset of the first entry in a page
NAMESPACE_ENTRY, SERIAL_ENTRY, SERIAL_DATA = ENTRY, ENTRY + 32, ENTRY + 64
OPEN_NOT_FOUND = ("nvs_open_from_partition", "ESP_ERR_NVS_NOT_FOUND")
INIT_NOT_ALLOWED = ("nvs_flash_init_partition", "ESP_ERR_NOT_ALLOWED")
# Where the bit is -> what the firmware says without the flag `readonly`, what with it. As nvs_flash v5.5.5 does.
DAMAGE = {
    "namespace entry": (NAMESPACE_ENTRY + 10, [OPEN_NOT_FOUND], [INIT_NOT_ALLOWED]),
    "key's entry": (SERIAL_ENTRY + 10, ["mac_addr"], [INIT_NOT_ALLOWED]),
    "string's data": (
        SERIAL_DATA + 3,
        [("nvs_get_str", "ESP_ERR_NVS_NOT_FOUND"), "mac_addr"],
        [("nvs_get_str", "ESP_ERR_NOT_ALLOWED"), "mac_addr"],
    ),
    "page state": (1, [OPEN_NOT_FOUND], [INIT_NOT_ALLOWED]),
    "page sequence number": (5, [OPEN_NOT_FOUND], [INIT_NOT_ALLOWED]),
    "page CRC": (30, [OPEN_NOT_FOUND], [INIT_NOT_ALLOWED]),
    "entry state bitmap": (32, [OPEN_NOT_FOUND], [INIT_NOT_ALLOWED]),
}


def said(events: list[Event]) -> list[str | tuple[str, str]]:
    return [
        event["key"] if event.name == "item" else (event["where"], event["code"])
        for event in events
        if event.name in ("item", "error")
    ]


@pytest.mark.parametrize("where", DAMAGE)
def test_flipped_bit_is_reported_as_nvs_flash_does(boot: Boot, table: PartitionTable, where: str) -> None:
    offset, without_flag, with_flag = DAMAGE[where]
    image = bytearray(ARTICLE)
    image[offset] ^= 1
    firmware = boot(flash_of(table, fctry=bytes(image)))
    assert said(firmware.events_until("end")) == with_flag
    assert firmware.operations == []
    assert said(firmware.ask("factory")) == with_flag, "the second report says the same as the first"

    firmware = boot(flash_of(writable(table), fctry=bytes(image)))
    assert said(firmware.events_until("end")) == without_flag
    assert firmware.operations != []


def test_large_blob_is_reported_in_lines_between_which_others_can_print(
    boot: Boot, table: PartitionTable
) -> None:
    blob = random.Random(1).randbytes(10_000)
    firmware = boot(flash_of(table, fctry=encode([Item(NAMESPACE, "cert", ItemType.BLOB, blob)], 0x6000)))
    collector = ReportCollector("fctry")
    for line in firmware.lines():
        assert len(line) < 2300  # 0.2 s at 115,200 baud
        event = parse_line(line)
        report = collector.feed(event) if event is not None else None
        if report is not None:
            break
    assert report is not None
    assert report.values() == {(NAMESPACE, "cert"): blob}


def test_mac_of_the_seed_is_the_base_mac_before_the_console_is_ready(
    boot: Boot, table: PartitionTable
) -> None:
    image = encode([Item(NAMESPACE, "mac_addr", ItemType.STR, "24:0A:C4:00:00:08")], 0x6000)
    firmware = boot(flash_of(table, fctry=image))
    firmware.events_until("ready")
    info = firmware.ask("info")[0]
    assert (info["mac"], info["base_mac"]) == ("24:0a:c4:12:34:56", "24:0a:c4:00:00:08")


# --- the console that is closed ------------------------------------------------------------------------------------

CLOSED_BY_SEAL = ["boot", "sealed"]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, CLOSED_BY_SEAL),
        ({"CONFIG_FACTORY_DATA_CONSOLE_ALWAYS": "1"}, ["boot", "item", "item", "end", "ready"]),
        ({"CONFIG_FACTORY_DATA_CONSOLE_NEVER": "1"}, ["boot"]),
    ],
    ids=["until sealed", "always", "never"],
)
def test_sealed_device_says_what_it_was_built_for(
    table: PartitionTable, config: dict[str, str], says: list[str]
) -> None:
    image = encode([*decode(ARTICLE), SEAL], 0x6000)
    build = native_build.build(native_build.Recipe(table, config))
    with Firmware(build / "fctry.elf", flash_of(table, fctry=image)) as firmware:
        firmware.send("factory #1")
        firmware.send("info #2")
        firmware.send("restart #3")
        firmware.close_stdin()  # ends the process, unless a command has
        events = [event for event in firmware.events() if "id" not in event.fields]
    assert [event.name for event in events] == says


@pytest.mark.parametrize(
    "seal", [Item("fctry", "sealed", ItemType.U8, 0), Item("fctry", "other", ItemType.U8, 1)]
)
def test_device_without_the_seal_is_open(boot: Boot, table: PartitionTable, seal: Item) -> None:
    firmware = boot(flash_of(table, fctry=encode([*decode(ARTICLE), seal], 0x6000)))
    assert firmware.events_until("ready")[-1].name == "ready"


# --- several namespaces, secrecy by key ----------------------------------------------------------------------------

DAC_KEY = bytes(range(100, 132))
MATTER = [
    Item(NAMESPACE, "serial_number", ItemType.STR, "164589345735"),
    Item("chip-factory", "discriminator", ItemType.U32, 3840),
    Item("chip-factory", "product-label", ItemType.STR, ""),
    Item("chip-factory", "dac-key", ItemType.BLOB, DAC_KEY),
    Item("elsewhere", "number", ItemType.I64, -1),
]


class FirmwareWire:
    """The native firmware as a wire for `Console`."""

    def __init__(self, firmware: Firmware) -> None:
        self.firmware = firmware
        self.heard: list[str] = []

    def send(self, data: bytes) -> None:
        self.firmware.send(data.decode().removesuffix("\n"))

    def lines(self, deadline: Deadline) -> Iterator[bytes]:
        for line in self.firmware.lines():
            self.heard.append(line)
            yield line.encode(errors="surrogateescape")


@pytest.mark.parametrize("more", ["chip-factory", "", "nowhere,,chip-factory"])
def test_namespace_with_a_private_key_is_verified_whole_and_the_key_never_shown(
    table: PartitionTable, more: str
) -> None:
    build = native_build.build(
        native_build.Recipe(table, {"CONFIG_FACTORY_DATA_MORE_NAMESPACES": f'"{more}"'})
    )
    flash = flash_of(table, fctry=encode(MATTER, 0x6000))
    with Firmware(build / "fctry.elf", flash) as firmware:
        wire = FirmwareWire(firmware)
        console, deadline = Console(wire), Deadline.after(20)
        report = console.report("fctry", deadline)
        proof = compare(MATTER, report, console.prove(unproven(MATTER, report), deadline))
    assert all(row.is_equal for row in proof.comparisons)
    assert proof.is_proven is ("nowhere" not in more)
    said = {item.key for item in report.items}
    assert said == ({"serial_number", "discriminator", "product-label"} if more else {"serial_number"})
    assert base64.b64encode(DAC_KEY).decode() not in "\n".join(wire.heard)


@pytest.mark.parametrize(
    ("keys", "shown"),
    [("a", {"ab", "b"}), (f"b,{NAMESPACE}:ab", {"a"}), ("other:a,ba,", {"a", "ab", "b"})],
)
def test_key_is_secret_as_menuconfig_says(table: PartitionTable, keys: str, shown: set[str]) -> None:
    items = [Item(NAMESPACE, key, ItemType.STR, f"<{key}>") for key in ("a", "ab", "b")]
    build = native_build.build(native_build.Recipe(table, {"CONFIG_FACTORY_DATA_SECRET_KEYS": f'"{keys}"'}))
    with Firmware(build / "fctry.elf", flash_of(table, fctry=encode(items, 0x6000))) as firmware:
        for item in items:
            firmware.send(f"factory-get {item.key} str")
        firmware.send("restart")
        lines = list(firmware.lines())
    assert {item.key for item in items if any(f"<{item.key}>" in line for line in lines)} == shown
    hidden = {event["key"] for event in filter(None, map(parse_line, lines)) if event.name == "secret"}
    assert hidden == {item.key for item in items} - shown
