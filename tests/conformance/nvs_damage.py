"""Images to compare the native port with nvs_flash on: as they should be, used, interrupted, and damaged by seed.

Everything is determined by its seed, so that a recording of what nvs_flash answered can be compared with later.
"""

from __future__ import annotations

import dataclasses
import random
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from nvs_oracle import oracle_encode
from nvs_script import Answer, NvsScript, ProgramEndedError

from fctry.nvs import Item, ItemType
from fctry.partitions.binary import pack
from fctry.partitions.csv import read_csv
from fctry.partitions.table import PartitionTable

TABLE = read_csv(Path(__file__).parents[2] / "partitions.csv")
PARTITION = TABLE.find("fctry")
BLANK = b"\xff" * PARTITION.size_bytes
FLASH_BYTES = PARTITION.offset + PARTITION.size_bytes
PAGE_BYTES, ENTRY_BYTES, ENTRIES, FIRST_ENTRY = 4096, 32, 126, 64
TYPES = {"u8": 1, "i8": 1, "u16": 2, "i16": 2, "u32": 4, "i32": 4, "u64": 8, "i64": 8}
EQUAL_HASHES = ("first", "yjzrfx", "gfumdy", "last")  # the second and the third, in namespace 1


def article() -> list[Item]:
    return [
        Item("fctryNamespace", "serial_number", ItemType.STR, "164589345735"),
        Item("fctryNamespace", "mac_addr", ItemType.STR, "0A:0B:0C:0D:0E:0F"),
    ]


def all_types(generator: random.Random) -> list[Item]:
    items = [
        Item("numbers", f"{name}_{i}", ItemType(name), generator.randrange(1 << (8 * size - 1)))
        for name, size in TYPES.items()
        for i in range(3)
    ]
    items += [
        Item("texts", f"t{i}", ItemType.STR, "x" * generator.choice([0, 1, 31, 32, 500])) for i in range(12)
    ]
    items += [
        Item("blobs", f"b{i}", ItemType.BLOB, generator.randbytes(generator.choice([1, 31, 32, 33, 700])))
        for i in range(10)
    ]
    return items


def several_pages(generator: random.Random) -> list[Item]:
    return [
        *all_types(generator),
        Item("blobs", "long", ItemType.BLOB, generator.randbytes(5000)),
        Item("texts", "long", ItemType.STR, "y" * 1800),
        *article(),
    ]


def images() -> Iterator[tuple[str, bytes]]:
    """Undamaged images, by name."""
    generator = random.Random(0)
    size = PARTITION.size_bytes
    for name, items in (
        ("article", article()),
        ("all types", all_types(generator)),
        ("several pages", several_pages(generator)),
        ("one page full", [Item("n", f"k{i}", ItemType.U32, i) for i in range(125)]),
    ):
        yield name, oracle_encode(items, size, version=2)
    # nvs_flash takes two keys whose hashes are equal for one: the older one goes when a page is mounted.
    yield "equal hashes", oracle_encode([Item("n", key, ItemType.U32, 7) for key in EQUAL_HASHES], size)
    yield "version 1", oracle_encode([*all_types(generator), *article()], size, version=1)


def written_image(native: Path, folder: Path, commands: Iterable[str], *, power_cut_at: int = 0) -> bytes:
    """An image as it is after some time of use: erased entries, several generations of pages.

    `power_cut_at`: the write operation at which the power went, as in NvsScript.
    """
    path = folder / "written.bin"
    path.write_bytes(flash_of(BLANK, readonly=False))
    with suppress(ProgramEndedError), NvsScript(native, path, power_cut_at=power_cut_at) as script:
        script.run(commands)
    return path.read_bytes()[PARTITION.offset :]


def base_images(native: Path, folder: Path) -> dict[str, bytes]:
    """All undamaged images."""
    bases = dict(images())
    series = [list(writes(random.Random(seed), 400)) for seed in range(20)]
    for i in range(6):
        bases[f"used {i}"] = written_image(native, folder, series[i])
    generator = random.Random(1)
    for i in range(60):
        cut = generator.randrange(100, 1500) * generator.choice([1, -1])
        bases[f"interrupted {i}"] = written_image(native, folder, series[i % 20], power_cut_at=cut)
    update = ["mount fctry", "open fctry settings rw", f"set blob b {'11' * 100}", f"set blob b {'22' * 110}"]
    for i in range(10, 24):
        bases[f"updated {i}"] = written_image(native, folder, update, power_cut_at=-i)
    return bases


def flash_of(image: bytes, *, readonly: bool) -> bytes:
    flag = dataclasses.replace(PARTITION, readonly=readonly)
    table = PartitionTable(tuple(flag if part.name == "fctry" else part for part in TABLE))
    flash = bytearray(b"\xff" * FLASH_BYTES)
    packed = pack(table)
    flash[0x8000 : 0x8000 + len(packed)] = packed
    flash[PARTITION.offset : PARTITION.offset + len(image)] = image
    return bytes(flash)


# --- damage -------------------------------------------------------------------------------------------------------


def _used_pages(image: bytearray) -> list[int]:
    pages = range(0, len(image), PAGE_BYTES)
    return [page for page in pages if image[page : page + PAGE_BYTES] != b"\xff" * PAGE_BYTES] or [0]


def _place(image: bytearray, generator: random.Random) -> int:
    """A byte in a part of a page: header, bitmap, an entry's header or its data."""
    page = generator.choice(_used_pages(image))
    bitmap = image[page + 32 : page + 64]
    written = [i for i in range(ENTRIES) if bitmap[i // 4] >> (2 * (i % 4)) & 3 != 3] or [0]
    entry = page + FIRST_ENTRY + ENTRY_BYTES * generator.choice(written)
    low, high = generator.choice(
        [(page, page + 32), (page + 32, page + 64), (entry, entry + 8), (entry, entry + 32)]
    )
    return generator.randrange(low, high)


def flip_bit(image: bytearray, generator: random.Random) -> None:
    image[_place(image, generator)] ^= 1 << generator.randrange(8)


def flip_bits(image: bytearray, generator: random.Random) -> None:
    for _ in range(generator.randint(2, 8)):
        flip_bit(image, generator)


def random_bytes(image: bytearray, generator: random.Random) -> None:
    start = _place(image, generator)
    data = generator.randbytes(generator.choice([1, 2, 4, 8, 40]))
    image[start : start + len(data)] = data[: len(image) - start]


def zeroed_range(image: bytearray, generator: random.Random) -> None:
    start = _place(image, generator)
    end = min(start + generator.choice([1, 4, 32, 200, 4096]), len(image))
    image[start:end] = bytes(end - start)


def blank_range(image: bytearray, generator: random.Random) -> None:
    start = _place(image, generator)
    end = min(start + generator.choice([4, 32, 200, 4096]), len(image))
    image[start:end] = b"\xff" * (end - start)


def cut_off_write(image: bytearray, generator: random.Random) -> None:
    """The flashing stopped somewhere: what follows is blank."""
    start = _place(image, generator)
    image[start:] = b"\xff" * (len(image) - start)


def swapped_pages(image: bytearray, generator: random.Random) -> None:
    a, b = (PAGE_BYTES * generator.randrange(len(image) // PAGE_BYTES) for _ in range(2))
    pages = image[a : a + PAGE_BYTES], image[b : b + PAGE_BYTES]
    image[b : b + PAGE_BYTES], image[a : a + PAGE_BYTES] = pages


def copied_page(image: bytearray, generator: random.Random) -> None:
    a, b = (PAGE_BYTES * generator.randrange(len(image) // PAGE_BYTES) for _ in range(2))
    image[b : b + PAGE_BYTES] = image[a : a + PAGE_BYTES]


def entry_with_right_crc(image: bytearray, generator: random.Random) -> None:
    """A wrong entry header whose CRC is right: only its consistency tells."""
    start = _place(image, generator)
    page = start - start % PAGE_BYTES
    index = max(0, (start - page - FIRST_ENTRY) // ENTRY_BYTES)
    entry = page + FIRST_ENTRY + ENTRY_BYTES * min(index, ENTRIES - 1)
    field = generator.choice([0, 1, 2, 3, *range(8, 32)])
    image[entry + field] = generator.choice([0, 1, 2, 0x21, 0x41, 0x42, 0x48, 0xFF, generator.randrange(256)])
    crc = zlib.crc32(image[entry + 8 : entry + 32], zlib.crc32(image[entry : entry + 4], 0xFFFFFFFF))
    image[entry + 4 : entry + 8] = crc.to_bytes(4, "little")


def page_with_right_crc(image: bytearray, generator: random.Random) -> None:
    """Another state, sequence number or version, with the CRC that goes with it."""
    page = generator.choice(_used_pages(image))
    if generator.random() < 0.5:
        image[page] = generator.choice([0xFE, 0xFC, 0xF8, 0xF0, 0xFF, 0x00])
    else:
        image[page + 4] = generator.randrange(4)
        image[page + 8] = generator.choice([0xFE, 0xFE, 0xFE, 0xFF, 0xFD])
    image[page + 28 : page + 32] = zlib.crc32(image[page + 4 : page + 28], 0xFFFFFFFF).to_bytes(4, "little")


DAMAGES: list[Callable[[bytearray, random.Random], None]] = [
    flip_bit,
    flip_bit,
    flip_bits,
    random_bytes,
    zeroed_range,
    blank_range,
    cut_off_write,
    swapped_pages,
    copied_page,
    entry_with_right_crc,
    page_with_right_crc,
]

# --- commands -----------------------------------------------------------------------------------------------------


def reads(keys: list[tuple[str, str, str]]) -> list[str]:
    """Mount, look at everything in every way, unmount."""
    commands = ["mount fctry", "stats fctry", "list fctry"]
    for namespace in dict.fromkeys(namespace for namespace, _, _ in keys):
        commands.append(f"open fctry {namespace} ro")
        for _, key, kind in (entry for entry in keys if entry[0] == namespace):
            commands += [f"get {kind} {key}", f"get {kind} {key}"]
        commands += ["get u8 missing", f"get u32 {keys[0][1]}", "close"]
    return [*commands, "open fctry fctryNamespace rw", "close", "list fctry", "stats fctry", "unmount fctry"]


def writes(generator: random.Random, count: int) -> Iterator[str]:
    """A random series of writes, on few keys, so that pages fill up with erased entries."""
    yield "mount fctry"
    yield "open fctry settings rw"
    for _ in range(count):
        key = f"key{generator.randrange(12)}"
        action = generator.random()
        if action < 0.04:
            yield f"open fctry space{generator.randrange(3)} rw"
        elif action < 0.05:
            yield "clear"
        elif action < 0.15:
            yield f"remove {key}"
        elif action < 0.45:
            kind = generator.choice(list(TYPES))
            yield f"set {kind} {key} {generator.randbytes(TYPES[kind]).hex()}"
        elif action < 0.7:
            size = generator.choice([0, 1, 31, 32, 100, 900, 3999])
            yield f"set str {key} " + bytes(generator.choices(range(1, 256), k=size)).hex()
        else:
            size = generator.choice([0, 1, 32, 400, 1500, 4000, 6500])
            yield f"set blob {key} {generator.randbytes(size).hex()}"
        if action > 0.97:
            yield from ("unmount fctry", "mount fctry", "open fctry settings rw")
    yield from ("list fctry", "stats fctry", "unmount fctry")


def keys_of(answers: list[Answer] | str) -> list[tuple[str, str, str]]:
    """Namespace, key and type name of each entry that `list` printed."""
    names = {0x21: "str", 0x42: "blob"} | {size + 16 * (name[0] == "i"): name for name, size in TYPES.items()}
    assert not isinstance(answers, str), answers
    keys = []
    for line in answers[1].lines:
        place, kind, *_ = line.split(" ")
        namespace, key = place.split("/")
        keys.append((namespace, key, names[int(kind, 16)]))
    return keys


def damaged(seed: int, bases: dict[str, bytes]) -> tuple[str, bytes]:
    """Label ("seed N, base, damage") and bytes of the damaged image of a seed."""
    generator = random.Random(seed)
    name = generator.choice(list(bases))
    damage = generator.choice(DAMAGES)
    image = bytearray(bases[name])
    damage(image, generator)
    return f"seed {seed}, {name}, {damage.__name__}", bytes(image[: PARTITION.size_bytes])
