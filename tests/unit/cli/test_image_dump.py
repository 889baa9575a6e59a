"""`fctry image …` on the dump of a whole flash."""

from __future__ import annotations

from pathlib import Path

import pytest

from fctry.cli.main import main
from fctry.nvs import Item, ItemType, Keys, encode, encrypt
from fctry.partitions.binary import pack
from fctry.partitions.csv import parse_csv
from fctry.partitions.options import Options

FLASH_BYTES = 4 << 20
ACTIONS = ("show", "check", "csv")


def image_of(serial: str) -> bytes:
    return encode([Item("n", "serial", ItemType.STR, serial)], 0x6000)


def dump(table_offset: int = 0x8000, *, factory: bytes = b"") -> bytearray:
    """A flash with a table, the user's partition, the factory partition behind it, and an application that is noise."""
    nvs, fctry = table_offset + 0x1000, table_offset + 0x8000
    text = f"nvs,data,nvs,{nvs:#x},0x6000\nfctry,data,nvs,{fctry:#x},0x6000,readonly\napp,app,factory,0x100000,1M\n"
    table = pack(parse_csv(text, options=Options(table_offset=table_offset)))
    flash = bytearray(b"\xff" * FLASH_BYTES)
    pieces = {table_offset: table, nvs: image_of("user's"), fctry: factory or image_of("factory's")}
    for offset, data in {**pieces, 0x1000: b"\xe9", 0x100000: b"\xe9\xaa\x50"}.items():
        flash[offset : offset + len(data)] = data
    return flash


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("dump.bin").write_bytes(dump())
    return tmp_path


@pytest.mark.parametrize("table_offset", [0x8000, 0xC000, 0x10000])
def test_factory_partition_is_read_wherever_the_table_is(
    folder: Path, capsys: pytest.CaptureFixture[str], table_offset: int
) -> None:
    Path("dump.bin").write_bytes(dump(table_offset))
    for action in ACTIONS:
        assert main(["image", action, "dump.bin"]) == 0
        captured = capsys.readouterr()
        assert "user's" not in captured.out
        assert captured.err == f"dump.bin: `fctry` at {table_offset + 0x8000:#x}, 0x6000 bytes\n"
        assert ("factory's" in captured.out) is (action != "check")
    assert main(["image", "show", "dump.bin", "--table-offset", hex(table_offset)]) == 0


def test_partition_that_is_named_is_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "show", "dump.bin", "--partition", "nvs"]) == 0
    out = capsys.readouterr().out
    assert "user's" in out
    assert "factory's" not in out
    assert main(["image", "show", "dump.bin", "--partition", "app"]) == 1
    assert "`app` is not of type data, nvs" in capsys.readouterr().err
    assert main(["image", "show", "dump.bin", "--partition", "no"]) == 1
    assert "no partition is called `no` (there are: nvs, fctry, app)" in capsys.readouterr().err
    Path("fctry.toml").write_text('partition = "nvs"\n')
    assert main(["image", "show", "dump.bin"]) == 0
    assert "user's" in capsys.readouterr().out


def test_readonly_partition_of_a_dump_may_be_full(folder: Path) -> None:
    items = [Item("n", f"k{i}", ItemType.U8, 1) for i in range(6 * 126 - 1)]
    Path("dump.bin").write_bytes(dump(factory=encode(items, 0x6000, read_only=True)))
    assert main(["image", "check", "dump.bin"]) == 0


def test_dumps_are_compared_by_their_factory_partitions(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("device.bin").write_bytes(image_of("another's"))
    assert main(["image", "diff", "dump.bin", "device.bin"]) == 1
    assert capsys.readouterr().out == "changed  n:serial  str factory's -> str another's\n"


def test_encrypted_partition_of_a_dump_is_read_with_its_keys(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = Keys.generate()
    Path("keys.bin").write_bytes(keys.to_partition())
    Path("dump.bin").write_bytes(dump(factory=encrypt(image_of("factory's"), keys)))
    assert main(["image", "show", "dump.bin", "--keys", "keys.bin"]) == 0
    assert "factory's" in capsys.readouterr().out
    assert main(["image", "decrypt", "dump.bin", "--keys", "keys.bin", "-o", "plain.bin"]) == 0
    assert Path("plain.bin").read_bytes() == image_of("factory's")


@pytest.mark.parametrize("action", ACTIONS)
def test_flash_without_a_table_is_refused_unless_it_is_said_to_be_a_partition(
    folder: Path, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    flash = dump()
    flash[0x8000:0x9000] = b"\xff" * 0x1000
    Path("dump.bin").write_bytes(flash)
    assert main(["image", action, "dump.bin"]) == 1
    captured = capsys.readouterr()
    assert "user's" not in captured.out
    assert "error: dump.bin: no partition table" in captured.err
    assert "--whole" in captured.err
    main(["image", action, "dump.bin", "--whole"])
    assert "no partition table" not in capsys.readouterr().err


def test_damaged_table_at_the_usual_place_is_not_replaced_by_another(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flash = dump()
    flash[0x200000:0x200C00] = flash[0x8000:0x8C00]
    flash[0x8000 + 4] ^= 1
    Path("dump.bin").write_bytes(flash)
    assert main(["image", "show", "dump.bin"]) == 1
    assert "MD5" in capsys.readouterr().err
    assert main(["image", "show", "dump.bin", "--table-offset", "0x200000"]) == 0


def test_several_tables_elsewhere_ask_for_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flash = dump(0xC000)
    flash[0x200000:0x200C00] = flash[0xC000:0xCC00]
    Path("dump.bin").write_bytes(flash)
    assert main(["image", "show", "dump.bin"]) == 1
    assert (
        "several partition tables: at 0xc000, 0x200000\nhint: choose one: --table-offset"
        in capsys.readouterr().err
    )


def test_dump_that_ends_before_the_partition_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("dump.bin").write_bytes(dump()[:0x12000])
    assert main(["image", "show", "dump.bin"]) == 1
    assert "dump.bin: `fctry` ends at 0x16000, the dump at 0x12000" in capsys.readouterr().err


def test_large_partition_that_is_one_is_read_as_it_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("large.bin").write_bytes(image_of("large").ljust(0x200000, b"\xff"))
    assert main(["image", "show", "large.bin"]) == 0
    captured = capsys.readouterr()
    assert "large" in captured.out
    assert captured.err == ""
