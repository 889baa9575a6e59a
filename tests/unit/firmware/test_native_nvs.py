"""The native port's NVS: what fctry.nvs writes it reads, and the other way round; a power cut loses nothing."""

from __future__ import annotations

import dataclasses
import math
import random
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from fctry.nvs import Item, ItemType, Keys, check, decode, decrypt, encode, encrypt
from fctry.nvs.format import ENTRIES_OFFSET, ENTRY_HEADER, ENTRY_SIZE_BYTES, entry_crc
from fctry.partitions.table import Partition, PartitionTable
from tests.conformance.nvs_oracle import oracle_encode
from tests.unit.firmware.conftest import flash_of
from tests.unit.firmware.nvs_script import POWER_CUT_STATUS, NvsScript, ProgramEndedError

TYPES = {"u8": 1, "i8": 1, "u16": 2, "i16": 2, "u32": 4, "i32": 4, "u64": 8, "i64": 8}
KEYS = Keys(bytes(range(32)), bytes(range(32, 64)))
OTHER_KEYS = Keys(KEYS.tweak, KEYS.encryption)
NVS_BYTES = 0x6000


class Flash:
    """A flash file, and the programs that run on it."""

    def __init__(self, program: Path, path: Path, table: PartitionTable) -> None:
        self._program = program
        self._path = path
        self._table = table
        self.write()

    def write(self, **images: bytes) -> None:
        """Make the file anew, with images by partition name."""
        self._path.write_bytes(flash_of(self._table, **images))

    def partition(self, name: str) -> bytes:
        """A partition's content."""
        partition = self._table.find(name)
        return self._path.read_bytes()[partition.offset :][: partition.size_bytes]

    def script(self, *commands: str, power_cut_at: int = 0) -> list[str]:
        """Run commands in a new process; their lines and error names."""
        with NvsScript(self._program, self._path, power_cut_at=power_cut_at) as script:
            return [text for answer in script.run(commands) for text in (*answer.lines, answer.code)]

    def values(self, label: str, keys: Keys | None = None, then: Sequence[str] = ()) -> dict[str, str]:
        """What `list` shows: error or hex value, by namespace/key. The commands `then` must succeed."""
        said = self.script(mount(label, keys), f"list {label}", *then)
        mounted, *lines, _ = said[: len(said) - len(then)]
        assert mounted == "ESP_OK"
        assert set(said[len(said) - len(then) :]) <= {"ESP_OK"}
        entries = (line.split(" ") for line in lines)
        return {place: value if code == "ESP_OK" else code for place, _, code, value in entries}


@pytest.fixture
def flash(native_build: Path, tmp_path: Path, table: PartitionTable) -> Flash:
    return Flash(native_build / "nvs_script", tmp_path / "flash.bin", table)


def mount(label: str, keys: Keys | None = None) -> str:
    """The command that mounts a partition."""
    return f"mount-encrypted {label} {(keys.encryption + keys.tweak).hex()}" if keys else f"mount {label}"


def hex_of(item: Item) -> str:
    if isinstance(item.value, str):
        return (item.value.encode() + b"\0").hex()
    if isinstance(item.value, bytes):
        return item.value.hex()
    if isinstance(item.value, float):
        return struct.pack("<f" if item.type is ItemType.FLOAT else "<d", item.value).hex()
    size = TYPES[item.type.value]
    return (int(item.value) % (1 << (8 * size))).to_bytes(size, "little").hex()


def numbers() -> list[Item]:
    return [
        Item("numbers", f"{kind}_{name}", ItemType(kind), value)
        for kind, size in TYPES.items()
        for name, value in (
            ("low", 0 if kind[0] == "u" else -(1 << (8 * size - 1))),
            ("high", (1 << (8 * size - (kind[0] == "i"))) - 1),
        )
    ]


def fractions() -> list[Item]:
    return [
        Item("fractions", f"{kind.value}_{index}", kind, value)
        for kind in (ItemType.FLOAT, ItemType.DOUBLE)
        for index, value in enumerate((0.0, -0.5, 1.5, math.inf, 2.0**-126))
    ]


def texts() -> list[Item]:
    return [Item("texts", f"t{size}", ItemType.STR, "x" * size) for size in (0, 1, 30, 31, 32, 33, 1000)]


def blobs(sizes: tuple[int, ...]) -> list[Item]:
    return [Item("blobs", f"b{size}", ItemType.BLOB, random.Random(size).randbytes(size)) for size in sizes]


SMALL = (0, 1, 31, 32, 33, 1900)
OVER_PAGES = (4000, 4001, 4400)


@pytest.mark.parametrize("sizes", [SMALL, OVER_PAGES], ids=["in a page", "over pages"])
def test_native_reads_what_fctry_encodes_as_version_2(flash: Flash, sizes: tuple[int, ...]) -> None:
    items = numbers() + fractions() + texts() + blobs(sizes)
    flash.write(fctry=encode(items, NVS_BYTES))
    assert flash.values("fctry") == {f"{item.namespace}/{item.key}": hex_of(item) for item in items}


def test_native_reads_what_fctry_encodes_as_version_1(flash: Flash) -> None:
    items = numbers() + texts() + blobs(SMALL)
    flash.write(fctry=encode(items, NVS_BYTES, version=1))
    shown = [item for item in items if item.type is not ItemType.BLOB]
    assert flash.values("fctry") == {f"{item.namespace}/{item.key}": hex_of(item) for item in shown}
    gets = [f"get blob {item.key}" for item in items if item.type is ItemType.BLOB]
    _, _, *answers = flash.script("mount fctry", "open fctry blobs ro", *gets)
    assert answers[::2] == [hex_of(item) for item in items if item.type is ItemType.BLOB]
    assert set(answers[1::2]) == {"ESP_OK"}


def sets(items: list[Item]) -> list[str]:
    """The commands that write items."""
    commands = []
    for namespace in dict.fromkeys(item.namespace for item in items):
        commands.append(f"open nvs {namespace} rw")
        for item in (item for item in items if item.namespace == namespace):
            value = hex_of(item)[:-2] if item.type is ItemType.STR else hex_of(item)
            commands.append(f"set {item.type.value} {item.key} {value}")
    return commands


def test_fctry_decodes_what_native_writes(flash: Flash) -> None:
    items = numbers() + fractions() + texts() + blobs(SMALL + OVER_PAGES)
    assert set(flash.script("mount nvs", *sets(items))) == {"ESP_OK"}
    assert {(item.namespace, item.key, item.type, item.value) for item in decode(flash.partition("nvs"))} == {
        (item.namespace, item.key, item.type, item.value) for item in items
    }


def test_native_writes_the_same_bytes_as_fctry_encodes(flash: Flash) -> None:
    items = numbers() + fractions() + texts() + blobs(SMALL + OVER_PAGES)
    flash.script("mount nvs", *sets(items))
    assert flash.partition("nvs") == encode(items, NVS_BYTES)


def test_native_stores_no_nan(flash: Flash) -> None:
    nan = struct.pack("<d", math.nan).hex()
    assert flash.script("mount nvs", "open nvs n rw", f"set double x {nan}")[-1] == "ESP_ERR_INVALID_ARG"


@pytest.mark.parametrize("version", [1, 2])
def test_native_reads_what_fctry_encrypts(flash: Flash, version: int) -> None:
    items = numbers() + texts() + blobs(SMALL + OVER_PAGES if version == 2 else ())
    flash.write(fctry=encrypt(encode(items, NVS_BYTES, version=version), KEYS))
    assert flash.values("fctry", KEYS) == {f"{item.namespace}/{item.key}": hex_of(item) for item in items}


def test_native_reads_what_espressifs_generator_encrypts(flash: Flash) -> None:
    items = numbers() + texts() + blobs(OVER_PAGES)
    flash.write(fctry=oracle_encode(items, NVS_BYTES, keys=KEYS))
    assert flash.values("fctry", KEYS) == {f"{item.namespace}/{item.key}": hex_of(item) for item in items}


def test_native_encrypts_the_same_bytes_as_fctry(flash: Flash) -> None:
    items = numbers() + texts() + blobs(SMALL + OVER_PAGES)
    flash.script(mount("nvs", KEYS), *sets(items))
    assert flash.partition("nvs") == encrypt(encode(items, NVS_BYTES), KEYS)


def test_native_moves_encrypted_entries_to_another_page(flash: Flash) -> None:
    writes = [f"set u32 counter {number:08x}" for number in range(700)]
    flash.script(mount("nvs", KEYS), "open nvs app rw", "set str kept 616263", *writes)
    plain = decrypt(flash.partition("nvs"), KEYS)
    assert {item.key: item.value for item in decode(plain)} == {"kept": "abc", "counter": 0xBB020000}
    assert check(plain) == []


@pytest.mark.parametrize("keys", [None, OTHER_KEYS], ids=["without keys", "with other keys"])
def test_encrypted_partition_is_neither_read_nor_changed(flash: Flash, keys: Keys | None) -> None:
    image = encrypt(encode(texts(), NVS_BYTES), KEYS)
    flash.write(fctry=image)
    assert flash.script(mount("fctry", keys)) == ["ESP_ERR_NOT_ALLOWED"]
    assert flash.partition("fctry") == image


@pytest.mark.parametrize("seed", range(6))
def test_native_and_fctry_agree_after_many_writes(flash: Flash, seed: int) -> None:
    generator = random.Random(seed)
    expected: dict[str, Item] = {}
    commands = ["mount nvs", "open nvs settings rw"]
    for _ in range(600):
        key = f"key{generator.randrange(9)}"
        if generator.random() < 0.1:
            commands.append(f"remove {key}")
            expected.pop(key, None)
            continue
        value: str | bytes | int = generator.choice(
            [
                generator.randbytes(generator.choice([0, 5, 100, 1200])),
                "x" * generator.choice([0, 40, 800]),
                generator.randrange(1 << 32),
            ]
        )
        kind = {str: ItemType.STR, bytes: ItemType.BLOB, int: ItemType.U32}[type(value)]
        expected[key] = Item("settings", key, kind, value)
        commands += sets([expected[key]])[1:]
        if generator.random() < 0.02:
            commands += ["unmount nvs", "mount nvs", "open nvs settings rw"]
    assert set(flash.script(*commands)) <= {"ESP_OK", "ESP_ERR_NVS_NOT_FOUND"}
    assert flash.values("nvs") == {f"settings/{key}": hex_of(item) for key, item in expected.items()}
    assert {item.key: item.value for item in decode(flash.partition("nvs"))} == {
        key: item.value for key, item in expected.items()
    }


OLD = [
    Item("settings", "number", ItemType.U32, 1),
    Item("settings", "text", ItemType.STR, "old" * 20),
    Item("settings", "blob", ItemType.BLOB, b"old" * 900),
]
NEW = [
    Item("settings", "number", ItemType.U32, 2),
    Item("settings", "text", ItemType.STR, "new" * 30),
    Item("settings", "blob", ItemType.BLOB, b"new" * 1500),
]


def filled(flash: Flash, fillings: int) -> bytes:
    """A partition with OLD in it, at some point of its pages' turnover."""
    flash.write()
    fill = [f"set str filler {bytes([65 + i % 26] * 900).hex()}" for i in range(fillings)]
    flash.script("mount nvs", *sets(OLD), *fill)
    return flash.partition("nvs")


@pytest.mark.parametrize("fillings", [0, 2, 14, 17, 18, 19])
def test_power_cut_at_any_operation_leaves_the_old_value_or_the_new_one(flash: Flash, fillings: int) -> None:
    image = filled(flash, fillings)
    old = {f"settings/{item.key}": hex_of(item) for item in OLD}
    new = {f"settings/{item.key}": hex_of(item) for item in NEW}
    power_cut_at = 0
    while True:
        power_cut_at += 1
        flash.write(nvs=image)
        try:
            flash.script("mount nvs", *sets(NEW), power_cut_at=power_cut_at)
        except ProgramEndedError as end:
            if end.status != POWER_CUT_STATUS:
                raise
        else:
            break  # all operations were done
        found = flash.values("nvs", then=["unmount nvs", "mount nvs", *sets(NEW)])
        for place, value in old.items():
            assert found[place] in (value, new[place]), (power_cut_at, place)
        assert flash.values("nvs").items() >= new.items()
    assert power_cut_at > 12


def test_power_cut_between_chunk_and_index_loses_a_blob_as_in_nvs_flash(flash: Flash) -> None:
    """nvs_flash v5.5.5 takes the new chunk, last on its page, for a duplicate of the old one, and erases that."""
    flash.script("mount nvs", "open nvs n rw", "set blob b " + "11" * 100)
    image = flash.partition("nvs")
    survived = {}
    for power_cut_at in range(-9, 0):
        flash.write(nvs=image)
        with pytest.raises(ProgramEndedError):
            flash.script("mount nvs", "open nvs n rw", "set blob b " + "22" * 110, power_cut_at=power_cut_at)
        survived[-power_cut_at] = flash.values("nvs").get("n/b", "")[:2]
    index_written = 7
    assert survived == {n: "" if n == index_written else "11" if n <= 8 else "22" for n in survived}


def test_errors_of_names_sizes_and_modes_are_those_of_nvs_flash(flash: Flash) -> None:
    answers = flash.script(
        "mount nowhere",
        "open nvs settings rw",
        "mount nvs",
        "mount fctry",
        "open other settings rw",
        "open nvs settings ro",
        "open fctry settings rw",
        "open nvs sixteen_letters_ rw",
        "open nvs settings rw",
        "set u8 sixteen_letters_ 01",
        "set str long " + "41" * 4000,
        "set str longest " + "41" * 3999,
        "set blob huge " + "41" * 20001,
        "get u8 missing",
        "set u8 number 07",
        "get u16 number",
        "get str number",
        "open nvs settings ro",
        "set u8 number 08",
        "remove number",
        "get u8 number",
    )
    assert answers == [
        "ESP_ERR_NOT_FOUND",
        "ESP_ERR_NVS_NOT_INITIALIZED",
        "ESP_OK",
        "ESP_OK",
        "ESP_ERR_NVS_PART_NOT_FOUND",
        "ESP_ERR_NVS_NOT_FOUND",
        "ESP_ERR_NOT_ALLOWED",
        "ESP_ERR_NVS_KEY_TOO_LONG",
        "ESP_OK",
        "ESP_ERR_NVS_KEY_TOO_LONG",
        "ESP_ERR_NVS_VALUE_TOO_LONG",
        "ESP_OK",
        "ESP_ERR_NVS_VALUE_TOO_LONG",
        "ESP_ERR_NVS_NOT_FOUND",
        "ESP_OK",
        "ESP_ERR_NVS_NOT_FOUND",
        "ESP_ERR_NVS_NOT_FOUND",
        "ESP_OK",
        "ESP_ERR_NVS_READ_ONLY",
        "ESP_ERR_NVS_READ_ONLY",
        "07",
        "ESP_OK",
    ]


def test_full_partition_refuses_a_value_and_keeps_the_others(flash: Flash) -> None:
    commands = [f"set str key{i} {'41' * 3000}" for i in range(6)]
    answers = flash.script("mount nvs", "open nvs settings rw", *commands)
    assert answers == ["ESP_OK"] * 7 + ["ESP_ERR_NVS_NOT_ENOUGH_SPACE"]
    assert sorted(flash.values("nvs")) == [f"settings/key{i}" for i in range(5)]


def test_statistics_count_as_nvs_flash_does(flash: Flash) -> None:
    answers = flash.script("mount nvs", "open nvs settings rw", "set u8 a 01", "set str b 4142", "stats nvs")
    assert answers[-2] == "used 4 free 752 available 626 total 756 namespaces 1"


def page_with_version(version: int) -> bytes:
    header = bytes([0xFE, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, version]) + b"\xff" * 19
    return header + zlib.crc32(header[4:], 0xFFFFFFFF).to_bytes(4, "little")


def damaged(seed: int) -> bytes:
    """A full partition of four pages with bytes cut out of it, flipped or zeroed."""
    draw = random.Random(seed)
    count = draw.choice([30, 41 * 2 + draw.randrange(1, 40)])
    texts = [Item("n", f"k{i}", ItemType.STR, "x" * draw.choice([60, 60, 20, 28])) for i in range(count)]
    image = bytearray(encode(texts, 0x4000))
    for _ in range(draw.randrange(1, 4)):
        page, at, size = draw.randrange(3) * 4096, 64 + draw.randrange(4000), draw.choice([1, 2, 8, 24, 32])
        content = image[page : page + 4096]
        kind = draw.randrange(3)
        if kind == 0:
            content = content[:at] + content[at + size :] + b"\xff" * size
        elif kind == 1:
            content[at] ^= 1 << draw.randrange(8)
        else:
            content[at : at + size] = bytes(size)
        image[page : page + 4096] = content[:4096]
    return bytes(image)


@pytest.mark.parametrize("seed", [88, 139, 348, *range(20)])  # the first three went in a circle
@pytest.mark.timeout(20)
def test_damaged_partition_comes_to_an_end(native_build: Path, tmp_path: Path, seed: int) -> None:
    table = PartitionTable((Partition("nvs", 1, 2, 0x10000, 0x4000),))
    flash = Flash(native_build / "nvs_script", tmp_path / "flash.bin", table)
    flash.write(nvs=damaged(seed))
    writes = [f"set str a{i} {'79' * (60 + i % 5)}00" for i in range(120)]
    said = flash.script("mount nvs", "open nvs n rw", *writes, f"set blob b {'41' * 2000}")
    assert len(said) == 123
    assert len(flash.script("mount nvs", "list nvs")) >= 2


def test_newer_version_is_refused_until_erased(flash: Flash) -> None:
    flash.write(nvs=page_with_version(0xFD))
    assert flash.script("mount nvs", "erase nvs", "mount nvs") == [
        "ESP_ERR_NVS_NEW_VERSION_FOUND",
        "ESP_OK",
        "ESP_OK",
    ]


def test_partition_without_an_empty_page_is_refused_unless_readonly(
    flash: Flash, table: PartitionTable
) -> None:
    items = [Item("n", f"k{i}", ItemType.BLOB, bytes(1984)) for i in range(11)]
    image = encode(items, NVS_BYTES, read_only=True)
    flash.write(nvs=image, fctry=image)
    assert image[-4096:] != b"\xff" * 4096
    assert flash.script("mount nvs", "mount fctry") == ["ESP_ERR_NVS_NO_FREE_PAGES", "ESP_OK"]


def test_keys_of_equal_hash_lose_the_older_one_as_in_nvs_flash(
    native_build: Path, tmp_path: Path, table: PartitionTable
) -> None:
    writable = PartitionTable(tuple(dataclasses.replace(part, readonly=False) for part in table))
    flash = Flash(native_build / "nvs_script", tmp_path / "flash.bin", writable)
    # Both are 0x5df94d in namespace 1; found by trying.
    commands = ["open nvs n rw", "set u8 yjzrfx 01", "set u8 gfumdy 02", "list nvs"]
    assert "n/yjzrfx 01 ESP_OK 01" in flash.script("mount nvs", *commands)
    assert flash.values("nvs") == {"n/gfumdy": "02"}


@pytest.mark.parametrize(("entry", "found"), [(0, "07"), (1, "ESP_ERR_NVS_NOT_FOUND")])
def test_bytes_behind_a_name_hide_a_key_and_no_namespace(flash: Flash, entry: int, found: str) -> None:
    image = bytearray(encode([Item("n", "key", ItemType.U8, 7)], 0x6000))
    at = ENTRIES_OFFSET + entry * ENTRY_SIZE_BYTES
    head, _, key, data = ENTRY_HEADER.unpack_from(image, at)
    key = key[:5] + b"tail" + key[9:]
    ENTRY_HEADER.pack_into(image, at, head, entry_crc(head, key, data), key, data)
    flash.write(fctry=bytes(image))
    assert flash.values("fctry") == {"n/key": found}
