"""Where Espressif's tools go wrong, and what is done here instead: one test, or more, for each fault.

Each shows the fault itself where the tool can be installed (esp-idf-nvs-partition-gen 0.3.0): a version in which it is
mended fails here. mfg_gen.py and nvs_tool.py come with ESP-IDF v5.5.5 only: of theirs, our side is tested.
"""

from __future__ import annotations

import random
import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.conformance.nvs_oracle import generator, oracle_build, oracle_encode

from fctry.cli.main import main
from fctry.errors import InputError
from fctry.nvs import Item, ItemType, check, decode, encode, read_csv
from fctry.nvs.format import entry_hash

HEADER = "key,type,encoding,value\n"
BEGIN = HEADER + "n,namespace,,\n"


def csv(folder: Path, text: str, name: str = "device.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def oracle(folder: Path, text: str, size_bytes: int = 0x6000) -> bytes:
    return oracle_build([csv(folder, text)], folder / "oracle.bin", size_bytes)


def codes(image: bytes) -> set[str]:
    return {finding.code for finding in check(image)}


@pytest.mark.parametrize("length", [3968, 3999])
def test_fault_1_strings_of_3968_to_3999_bytes_crash_it(length: int) -> None:
    items = [Item("n", "k", ItemType.STR, "x" * length)]
    with pytest.raises(generator.PageFullError):
        oracle_encode(items, 0x6000)
    assert decode(encode(items, 0x6000)) == items


def test_fault_2_mfg_gen_writes_a_wrong_value_when_an_earlier_cell_equals_a_keys_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FCTRY_STATE", str(tmp_path / "state"))
    common = csv(tmp_path, BEGIN + "serial,data,string,\nmac_addr,data,string,\n")
    values = csv(tmp_path, "serial,mac_addr\nmac_addr,0A:0B\n", "values.csv")
    assert main(["batch", str(common), str(values), "-o", str(tmp_path / "out"), "--size", "0x3000"]) == 0
    items = decode((tmp_path / "out" / "00001.bin").read_bytes())
    assert [item.value for item in items] == ["mac_addr", "0A:0B"]


def test_fault_3_lines_of_a_quoted_value_that_begin_with_a_hash_are_dropped(tmp_path: Path) -> None:
    text = BEGIN + 'k,data,string,"one\n#two\nthree"\n'
    assert decode(oracle(tmp_path, text))[0].value == "one\nthree"
    assert read_csv(csv(tmp_path, text))[0].value == "one\n#two\nthree"


def test_fault_4_key_length_counts_characters(tmp_path: Path) -> None:
    text = BEGIN + "{},data,u8,1\n"
    assert codes(oracle(tmp_path, text.format("é" * 12))) != set()
    with pytest.raises(InputError, match="24 bytes long"):
        read_csv(csv(tmp_path, text.format("é" * 12)))
    items = read_csv(csv(tmp_path, text.format("é" * 7)))
    assert decode(encode(items, 0x3000)) == items


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (
            HEADER + "".join(f"n{i},namespace,,\nk,data,u8,1\n" for i in range(255)),
            "nvs-namespace-number",
            "namespace 'n254' is number 255",
        ),
        (BEGIN + "k,data,u8,1\nk,data,u8,2\n", "nvs-duplicate-key", "duplicate key 'k'"),
        (BEGIN + "k,date,u8,1\n", None, "unknown type 'date'"),
        (BEGIN + ",data,u8,1\n", "nvs-key-empty", "empty key"),
        (
            HEADER + "k,data,u8,1\nn,namespace,,\nl,data,u8,1\n",
            "nvs-namespace-duplicate",
            "key 'k' before any namespace",
        ),
    ],
    ids=["namespace 255", "duplicate key", "unknown type", "empty key", "data before any namespace"],
)
def test_fault_5_accepted_without_a_word(tmp_path: Path, text: str, code: str | None, message: str) -> None:
    found = codes(oracle(tmp_path, text, 0x10000))
    assert code is None or code in found

    def build() -> bytes:
        return encode(read_csv(csv(tmp_path, text)), 0x10000)

    with pytest.raises(InputError, match=message):
        build()


def test_fault_6_keys_of_wifi_names_add_hidden_entries(tmp_path: Path) -> None:
    text = BEGIN + "sta.ssid,data,string,home\n"
    assert [item.key for item in decode(oracle(tmp_path, text))] == [
        "sta.ssid",
        "sta.apinfo",
        "sta.pmk",
        "sta.apsw",
    ]
    assert [item.key for item in read_csv(csv(tmp_path, text))] == ["sta.ssid"]


def test_fault_7_keys_can_be_foretold_and_are_readable_by_everybody(tmp_path: Path) -> None:
    def oracle_keys(name: str) -> Path:
        generator.generate_key(SimpleNamespace(outdir=str(tmp_path), keyfile=name, key_protect_hmac=False))
        return tmp_path / "keys" / name

    state = random.getstate()
    random.seed(1)
    first = oracle_keys("1.bin")
    random.seed(1)
    second = oracle_keys("2.bin")
    assert first.read_bytes() == second.read_bytes()
    assert stat.S_IMODE(first.stat().st_mode) & 0o044 == 0o666 & ~_umask() & 0o044

    ours = []
    for name in ("3.bin", "4.bin"):
        random.seed(1)
        assert main(["image", "keys", "-o", str(tmp_path / name)]) == 0
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        ours.append((tmp_path / name).read_bytes())
    assert ours[0] != ours[1]
    random.setstate(state)


def _umask() -> int:
    import os

    umask = os.umask(0)
    os.umask(umask)
    return umask


def test_fault_8_byte_order_mark_is_an_error(tmp_path: Path) -> None:
    path = csv(tmp_path, "\ufeff" + BEGIN + "k,data,u8,1\n")
    with pytest.raises(KeyError):
        oracle_build([path], tmp_path / "oracle.bin", 0x6000)
    assert read_csv(path) == [Item("n", "k", ItemType.U8, 1)]


def test_fault_8_number_in_hex_is_refused(tmp_path: Path) -> None:
    text = BEGIN + "k,data,u8,0x10\n"
    with pytest.raises(ValueError, match="invalid literal"):
        oracle(tmp_path, text)
    assert read_csv(csv(tmp_path, text))[0].value == 16


def test_fault_8_failure_leaves_an_empty_file(tmp_path: Path) -> None:
    text = BEGIN + "k,data,u8,256\n"
    with pytest.raises(Exception, match="format requires"):
        oracle(tmp_path, text)
    assert (tmp_path / "oracle.bin").read_bytes() == b""
    assert main(
        ["image", "build", str(tmp_path / "device.csv"), "-o", str(tmp_path / "ours.bin"), "--size", "0x3000"]
    )
    assert not (tmp_path / "ours.bin").exists()


def test_fault_8_bad_size_and_missing_input_end_in_success(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        generator.check_size("foo")
    assert caught.value.code == 0
    arguments = ["image", "build", str(tmp_path / "nowhere.csv"), "-o", str(tmp_path / "ours.bin"), "--size"]
    assert main([*arguments, "foo"]) == 2
    assert main([*arguments, "0x3000"]) == 1


def test_fault_9_mfg_gen_leaves_csvs_takes_duplicates_stops_midway_and_runs_once_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FCTRY_STATE", str(tmp_path / "state"))
    common = csv(tmp_path, BEGIN + "serial,data,u8,0\n")
    folder = tmp_path / "out"

    def batch(values: str, *options: str) -> int:
        path = csv(tmp_path, values, "values.csv")
        return main(["batch", str(common), str(path), "-o", str(folder), "--size", "0x3000", *options])

    assert batch("serial\n1\n1\n") == 1  # the same device twice
    assert batch("serial\n1\n256\n") == 1  # the second is bad: the first is not written either
    assert not folder.exists()
    assert batch("serial\n1\n2\n") == 0
    assert batch("serial\n1\n2\n") == 0  # goes on, with nothing left to do
    assert batch("serial\n3\n4\n") == 1  # another batch, which would be mixed up with this one
    assert sorted(path.name for path in folder.glob("*.bin")) == ["00001.bin", "00002.bin"]


def test_fault_10_read_only_image_is_cut_to_the_pages_in_use() -> None:
    items = [Item("n", "k", ItemType.U8, 1)]
    assert len(oracle_encode(items, 0x2000)) == 0x1000
    assert len(encode(items, 0x2000, read_only=True)) == 0x2000


@pytest.mark.parametrize(
    "damage",
    [
        lambda image: image[:4] + b"\x01" + image[5:],  # crc of the page
        lambda image: image[:100] + b"K" + image[101:],  # crc of an entry
        lambda _: oracle_encode([Item("n", "k", ItemType.U8, 1)] * 2, 0x3000),  # duplicates
    ],
)
def test_fault_11_nvs_tool_ends_in_success_on_bad_crcs_and_duplicates(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "device.bin"
    path.write_bytes(damage(encode([Item("n", "k", ItemType.STR, "v")], 0x3000)))
    assert main(["image", "check", str(path)]) == 1


def test_fault_12_keys_below_a_namespace_that_comes_again_go_to_the_last_one(tmp_path: Path) -> None:
    text = HEADER + "a,namespace,,\nk,data,u8,1\nb,namespace,,\nk,data,u8,2\na,namespace,,\nl,data,u8,3\n"
    assert [item.namespace for item in decode(oracle(tmp_path, text))] == ["a", "b", "b"]
    assert [item.namespace for item in read_csv(csv(tmp_path, text))] == ["a", "b", "a"]


def test_fault_13_size_of_binary_text_counts_characters(tmp_path: Path) -> None:
    text = BEGIN + "k,data,binary,é\n"
    assert "nvs-data-crc" in codes(oracle(tmp_path, text))
    assert read_csv(csv(tmp_path, text))[0].value == "é".encode()


def test_fault_14_encodings_in_capitals_are_taken_and_not_carried_out(tmp_path: Path) -> None:
    text = BEGIN + "s,data,STRING,text\nb,data,HEX2BIN,0aff\n"
    image = oracle(tmp_path, text)
    assert "nvs-string-end" in codes(image)
    assert b"0aff" in image
    assert [item.value for item in read_csv(csv(tmp_path, text))] == ["text", b"\x0a\xff"]


def test_fault_15_keys_that_the_firmware_takes_for_one_are_accepted() -> None:
    """The firmware compares 24 bits of a hash as it loads the active page, and erases the first of two equal ones."""
    pair = [Item("n", "key33", ItemType.U8, 1), Item("n", "key109932", ItemType.U8, 2)]
    assert len({entry_hash(1, item.key.encode().ljust(16, b"\0"), 0xFF) for item in pair}) == 1
    assert codes(oracle_encode(pair, 0x3000)) == {"nvs-hash-collision"}
    with pytest.raises(InputError, match="cannot tell 'key33' and 'key109932' apart"):
        encode(pair, 0x3000)


def test_fault_16_what_follows_a_comma_too_many_is_dropped(tmp_path: Path) -> None:
    text = BEGIN + "k,data,string,hello, world\n"
    assert decode(oracle(tmp_path, text))[0].value == "hello"
    with pytest.raises(InputError, match="5 values for 4 columns"):
        read_csv(csv(tmp_path, text))


def test_fault_17_blob_of_more_than_508000_bytes_is_written_and_never_read() -> None:
    items = [Item("n", "k", ItemType.BLOB, bytes(508_001))]
    assert "nvs-entry-chunk" in codes(oracle_encode(items, 0x100000))
    with pytest.raises(InputError, match="blob takes 508000"):
        encode(items, 0x100000)
