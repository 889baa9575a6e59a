#!/usr/bin/env python3
"""Fuzz the readers of what users, builds and devices give, guided by coverage: no exception but the project's own.

Needs atheris (`pip install atheris`), which is no dependency of the tests: it is not there for every Python.

    python tests/conformance/fuzz_inputs.py TARGET CORPUS_FOLDER -max_total_time=300 -timeout=10 -rss_limit_mb=2048

TARGET is a name in `TARGETS`. The corpus folder is made, and filled with sound inputs, when it is empty.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import redirect_stderr, suppress
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET
from zlib import crc32

import atheris

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "host"))
with atheris.instrument_imports(include=["fctry"]):
    from fctry.cli.image.dump import Where, partition_in
    from fctry.device.report import ReportCollector, ReportedItem, format_line, item_of, parse_line
    from fctry.errors import FctryError
    from fctry.identity.csv_spec import read_csv_spec
    from fctry.identity.label.drawing import LabelTemplate
    from fctry.identity.label.drawing import draw as draw_label
    from fctry.identity.label.svg import svg as label_svg
    from fctry.identity.spec_check import check as check_spec
    from fctry.identity.spec_file import read_spec
    from fctry.nvs import Item, ItemType, check, decode, encode, format_csv
    from fctry.nvs.contents import read
    from fctry.nvs.csv import read_sheet
    from fctry.nvs.format import CRC, CRC_SEED, ENTRY_HEADER, PAGE_SIZE_BYTES, entry_crc
    from fctry.nvs.picture import svg as nvs_svg
    from fctry.nvs.values import read_erased_items, read_items
    from fctry.partitions.binary import pack, unpack
    from fctry.partitions.checker import check as check_layout
    from fctry.partitions.csv import format_csv as format_table
    from fctry.partitions.csv import parse_csv
    from fctry.partitions.flasher_args import read_flasher_args
    from fctry.partitions.layout import layout_of_csv, parse_layout
    from fctry.partitions.options import Options
    from fctry.partitions.picture.flashmap import flash_map
    from fctry.partitions.picture.svg import draw as draw_layout
    from fctry.partitions.rule import Evidence
    from fctry.partitions.sdkconfig import find_sdkconfig, read_sdkconfig
    from fctry.settings import find_settings

PAGES_MAX = 4
LAYOUT = (ROOT / "partitions.csv").read_text()
FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))


def written(data: bytes, name: str) -> Path:
    """The input as a file, in a folder that nothing else is in."""
    path = FOLDER / name
    path.write_bytes(data)
    return path


def repaired(image: bytes) -> bytes:
    """The image with the crc of every page header and of every entry made right."""
    result = bytearray(image)
    for page in range(0, len(image), PAGE_SIZE_BYTES):
        result[page + 28 : page + 32] = CRC.pack(crc32(result[page + 4 : page + 28], CRC_SEED))
        for offset in range(page + 64, page + PAGE_SIZE_BYTES, 32):
            head, _, key, data = ENTRY_HEADER.unpack_from(result, offset)
            if set(head) != {0xFF}:
                ENTRY_HEADER.pack_into(result, offset, head, entry_crc(head, key, data), key, data)
    return bytes(result)


def image(data: bytes) -> None:
    """The first byte says whether the crcs are repaired: without that no mutation would ever get past them."""
    mode, image = data[:1], data[1 : 1 + PAGES_MAX * PAGE_SIZE_BYTES]
    if mode and mode[0] & 1:
        image = repaired(image.ljust(-(-len(image) // PAGE_SIZE_BYTES) * PAGE_SIZE_BYTES, b"\xff"))
    findings = check(image, read_only=bool(mode and mode[0] & 2))
    try:
        contents = read(image)
    except FctryError:
        assert findings
        return
    items = [item for item, _ in read_items(contents)]
    read_erased_items(contents)
    nvs_svg(contents.pages, "fuzz")
    with suppress(FctryError):
        format_csv(items, contents.namespaces.values(), "fuzz")
    with suppress(FctryError):
        strict = decode(image)
        again = encode(strict, PAGES_MAX * 2 * PAGE_SIZE_BYTES, read_only=True)
        assert repr(decode(again)) == repr(strict)  # NaN is not equal to itself, its repr is


def nvs_csv(data: bytes) -> None:
    sheet = read_sheet(written(data, "device.csv"))
    image = encode(sheet.items, 0x10000, namespaces=sheet.namespaces)
    assert repr(sorted(map(repr, decode(image)))) == repr(sorted(map(repr, sheet.items)))


def batch_csv(data: bytes) -> None:
    config, _, values = data.partition(b"\0")
    spec, devices = read_csv_spec(written(config, "config.csv"), written(values, "values.csv"))
    devices.check()
    check_spec(spec)


def partition_csv(data: bytes) -> None:
    layout = layout_of_csv(data, options=Options(flash_size_bytes=4 << 20))
    check_layout(layout)
    with suppress(FctryError):
        ET.fromstring(draw_layout(flash_map(layout, bootloader_offset=0x1000)))
    table = parse_csv(data.decode("utf-8", "replace"))
    binary = pack(table)
    read = unpack(binary)  # long names are cut
    if not all(one.name.isprintable() and one.name.isascii() for one in table):
        return  # and may be cut within a character, or at a NUL
    assert pack(read) == binary
    with suppress(FctryError):
        assert pack(parse_csv(format_table(read), options=Options(idf=(5, 3)))) == binary


def sdkconfig(data: bytes) -> None:
    path = written(data, "sdkconfig.defaults")
    written(LAYOUT.encode(), "partitions.csv")
    config = read_sdkconfig(path)
    find_sdkconfig(FOLDER / "partitions.csv")
    check_layout(parse_layout(LAYOUT, options=config.options(Options())), Evidence(sdkconfig=config))


def sdkconfig_json(data: bytes) -> None:
    config = read_sdkconfig(written(data, "sdkconfig.json"))
    check_layout(parse_layout(LAYOUT, options=config.options(Options())), Evidence(sdkconfig=config))


def flasher_args(data: bytes) -> None:
    build = read_flasher_args(written(data, "flasher_args.json"))
    check_layout(parse_layout(LAYOUT), Evidence(build=build))
    build.writes()


def report(data: bytes) -> None:
    collector = ReportCollector("fctry")
    for line in data.split(b"\n"):
        with suppress(FctryError, UnicodeDecodeError, json.JSONDecodeError, RecursionError, AttributeError):
            if line.startswith(b"{"):
                line = format_line(json.loads(line)).encode("utf-8", "surrogatepass")
        with suppress(json.JSONDecodeError, RecursionError, ValueError):
            if (event := parse_line(line)) is not None:
                with suppress(FctryError):
                    assert isinstance(item_of(event), ReportedItem)
                if done := collector.feed(event):
                    assert done.is_complete
                    done.values(), done.codes


def pictures(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    name, _, other = text.partition("\n")
    with suppress(FctryError):
        layout = parse_layout(f'"{name}", data, nvs, 0x9000, 0x6000\n')
        ET.fromstring(draw_layout(flash_map(layout, bootloader_offset=0x1000)))
    with suppress(FctryError):
        template = LabelTemplate(("{name}", "{other}"), "https://example.com/{name}")
        ET.fromstring(label_svg(draw_label(template.fill({"name": name, "other": other}), template)))
    with suppress(FctryError):
        image = encode([Item(name, other, ItemType.STR, text)], 0x3000)
        ET.fromstring(nvs_svg(read(image).pages, name))
    with suppress(FctryError):
        ET.fromstring(nvs_svg(read(data.ljust(0x1000, b"\xff")[:0x1000]).pages, text))


def dump(data: bytes) -> None:
    head, sectors = data[:1], data[1:]
    flash = bytearray(b"\xff" * 0x10000)
    flash[0x8000 : 0x8000 + len(sectors[:0xC00])] = sectors[:0xC00]
    flash[0x9000 : 0x9000 + len(sectors[0xC00:])] = sectors[0xC00:]
    where = Where(None if head < b"\x80" else "nvs", None if head[:1] < b"\x40" else 0x8000, False)
    image, _ = partition_in("dump.bin", bytes(flash[:0x10000]), where)
    read(image)


def spec(data: bytes) -> None:
    check_spec(read_spec(written(data, "factory.toml")))


def settings(data: bytes) -> None:
    written(data, "fctry.toml")
    find_settings(folder=FOLDER)


TARGETS = {
    one.__name__: one
    for one in (
        *(image, nvs_csv, batch_csv, partition_csv, sdkconfig, sdkconfig_json, flasher_args),
        *(report, pictures, dump, spec, settings),
    )
}


def seeds(target: str) -> list[bytes]:
    """Sound inputs."""
    image = encode([Item("n", "key", ItemType.STR, "text"), Item("n", "b", ItemType.BLOB, bytes(50))], 0x3000)
    device = (
        b"key,type,encoding,value\nn,namespace,,\ns,data,string,text\nu,data,u64,0xFF\nb,data,hex2bin,0a0b\n"
    )
    item = {"event": "item", "partition": "fctry", "namespace": "n", "key": "k", "type": "u8", "value": 7}
    end = {"event": "end", "partition": "fctry", "items": 1}
    begin = {"event": "begin", "partition": "fctry"}
    args = {
        "flash_settings": {"flash_size": "4MB"},
        "flash_files": {"0x8000": "partition_table/partition-table.bin"},
        "app": {"offset": "0x10000", "file": "app.bin", "encrypted": "false"},
    }
    items = [
        Item("n", "number", ItemType.U32, 7),
        Item("n", "fraction", ItemType.DOUBLE, 0.5),
        Item("n", "text", ItemType.STR, "text" * 20),
        Item("m", "blob", ItemType.BLOB, bytes(5000)),
        Item("m", "last", ItemType.I8, -1),
    ]
    images = [encode(items, 0x3000), encode(items[:3], 0x3000, version=1)]
    return {
        "image": [bytes([mode]) + one for mode in range(4) for one in images],
        "nvs_csv": [
            device,
            b"\xef\xbb\xbf" + device.replace(b"\n", b"\r\n"),
            device.replace(b"string,", b"base64,"),
        ],
        "batch_csv": [b"key,type,encoding,value\nn,namespace,,\ns,data,string\n\0id,s\n1,a\n2,b\n"],
        "partition_csv": [
            LAYOUT.encode(),
            *(one.read_bytes() for one in (ROOT / "tests/data").rglob("*.csv")),
        ],
        "sdkconfig": [(ROOT / "sdkconfig.defaults").read_bytes(), b"CONFIG_ESPTOOLPY_FLASHSIZE_16MB=y\n"],
        "sdkconfig_json": [
            b'{"PARTITION_TABLE_OFFSET": 36864, "IDF_TARGET": "esp32", "NVS_ENCRYPTION": true}'
        ],
        "flasher_args": [json.dumps(args).encode()],
        "report": [b"\n".join(json.dumps(one).encode() for one in (begin, item, end))],
        "pictures": [b"name\nother", "n\u00e9\u202e\n<&>".encode()],
        "dump": [
            one + pack(parse_csv(LAYOUT))[:0xC00].ljust(0xC00, b"\xff") + image
            for one in (b"a", b"\x90", b"0")
        ],
        "spec": [one.read_bytes() for one in ROOT.rglob("*.toml") if b"[fields" in one.read_bytes()],
        "settings": [b'partition = "fctry"\ntable-offset = 0xC000\nflash-size = "4MB"\n'],
    }[target]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("corpus", type=Path)
    args, others = parser.parse_known_args()
    args.corpus.mkdir(parents=True, exist_ok=True)
    if not any(args.corpus.iterdir()):
        for number, seed in enumerate(seeds(args.target)):
            (args.corpus / f"seed-{number}").write_bytes(seed)

    def one_input(data: bytes) -> None:
        with suppress(FctryError), redirect_stderr(StringIO()):
            TARGETS[args.target](data)

    atheris.Setup([sys.argv[0], str(args.corpus), "-max_len=20000", *others], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
