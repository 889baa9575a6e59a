"""Byte-identity with Espressif's generator, for everything that it gets right."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conformance.nvs_oracle import generator, oracle_build, oracle_encode
from tests.conformance.nvs_strategies import GENERATOR_SPECIAL, INTEGERS, item_lists, many_items

from fctry.errors import CapacityError
from fctry.nvs import Item, ItemType, Keys, decode, decrypt, encode, encrypt, measure, read_sheet
from fctry.nvs.item import range_of

SEEDS = st.integers(0, 2**32)
KEYS = Keys(bytes(range(32)), bytes(range(32, 64)))
settings.register_profile("nvs", deadline=None, suppress_health_check=[HealthCheck.too_slow])
NVS = settings.get_profile("nvs")
PER_TEST = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def same_images(items: list[Item], version: int) -> None:
    """In the smallest partition that holds them."""
    size_bytes = measure(items, 0x3000, version=version).smallest_size_bytes
    image = encode(items, size_bytes, version=version)
    assert image == oracle_encode(items, size_bytes, version=version)
    assert decode(image) == items


@pytest.mark.parametrize("version", [1, 2])
@settings(NVS, max_examples=100)
@given(seed=SEEDS)
def test_image_is_the_generators_over_many_pages(version: int, seed: int) -> None:
    same_images(many_items(seed, version), version)


@pytest.mark.parametrize("version", [1, 2])
@settings(NVS, max_examples=100)
@given(data=st.data())
def test_image_is_the_generators_whatever_the_names_and_values(version: int, data: st.DataObject) -> None:
    same_images(data.draw(item_lists(version)), version)


@pytest.mark.parametrize("version", [1, 2])
@settings(NVS, max_examples=50)
@given(data=st.data())
def test_encrypted_image_is_the_generators(version: int, data: st.DataObject) -> None:
    items = data.draw(item_lists(version))
    image = encode(items, 0x20000, version=version)
    encrypted = encrypt(image, KEYS)
    assert encrypted == oracle_encode(items, 0x20000, version=version, keys=KEYS)
    assert decrypt(encrypted, KEYS) == image


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("fill", range(100, 127))
def test_image_is_the_generators_when_a_value_meets_the_end_of_the_page(version: int, fill: int) -> None:
    for item_type, sizes in (
        (ItemType.STR, range(0, 1984, 97)),
        (ItemType.BLOB, (0, 1, 31, 32, 33, 64, 1984)),
    ):
        for size in sizes:
            value = "v" * size if item_type is ItemType.STR else b"v" * size
            # the namespace and two strings fill the page, at a tenth of the time of a number for each entry
            items = [
                Item("n", f"k{i}", ItemType.STR, "k" * (32 * (n - 1) - 1))
                for i, n in enumerate((62, fill - 63))
            ]
            items += [Item("n", "value", item_type, value), Item("n", "after", ItemType.U8, 1)]
            same_images(items, version)


@pytest.mark.parametrize("item_type", INTEGERS)
def test_image_is_the_generators_at_the_limits_of_integers(item_type: ItemType) -> None:
    same_images([Item("n", f"k{value}"[:15], item_type, value) for value in range_of(item_type)], 2)


@pytest.mark.parametrize("size_bytes", [0x3000, 0x4000, 0x6000, 0x10000])
def test_image_is_the_generators_whatever_the_partition(size_bytes: int) -> None:
    items = [Item("n", "k", ItemType.STR, "v")]
    assert encode(items, size_bytes) == oracle_encode(items, size_bytes)


@pytest.mark.parametrize("size_bytes", [0x1000, 0x2000])
def test_read_only_image_begins_with_the_generators(size_bytes: int) -> None:
    items = [Item("n", f"k{i}", ItemType.U8, 1) for i in range(size_bytes // 33 - 10)]
    oracle = oracle_encode(items, size_bytes)
    assert encode(items, size_bytes, read_only=True) == oracle.ljust(size_bytes, b"\xff")


def test_blob_of_508000_bytes_is_the_generators() -> None:
    items = [Item("n", "k", ItemType.U8, 1), Item("n", "b", ItemType.BLOB, b"\x5a" * 508_000)]
    same_images(items, 2)


def test_namespaces_without_items_are_the_generators() -> None:
    items = [Item("b", "k", ItemType.U8, 1)]
    image = encode(items, 0x3000, namespaces=["a", "b"])
    assert image == oracle_encode(items, 0x3000, namespaces=["a"])


def test_capacity_ends_where_the_generators_does() -> None:
    items = [Item("n", f"k{i}", ItemType.U8, i % 256) for i in range(252)]
    assert encode(items[:251], 0x3000) == oracle_encode(items[:251], 0x3000)
    with pytest.raises(CapacityError):
        encode(items, 0x3000)
    with pytest.raises(generator.InsufficientSizeError):
        oracle_encode(items, 0x3000)


def csv_cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


CSV_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"), max_size=30)
PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)
ASCII = st.text(PRINTABLE, max_size=30)
CSV_NAMES = st.text(PRINTABLE, min_size=1, max_size=15).filter(lambda name: name not in GENERATOR_SPECIAL)
FILL = st.builds(
    "{}({};0x{:02X})".format,
    st.sampled_from(["blob_fill", "blob_sz_fill"]),
    st.integers(30, 5000),
    st.integers(0, 255),
)
ROWS = st.one_of(
    st.tuples(st.just("string"), CSV_TEXT),
    st.tuples(st.just("binary"), ASCII),
    st.tuples(st.just("hex2bin"), st.binary(max_size=50).map(lambda value: f" {value.hex()} ")),
    st.tuples(st.just("base64"), st.binary(max_size=50).map(lambda value: base64.b64encode(value).decode())),
    st.tuples(FILL, ASCII),
    st.sampled_from(INTEGERS).flatmap(
        lambda kind: st.tuples(
            st.sampled_from([kind.value, kind.value.upper()]), st.integers(*range_of(kind)).map(" {} ".format)
        )
    ),
)


@settings(NVS, max_examples=200, suppress_health_check=PER_TEST)
@given(rows=st.dictionaries(CSV_NAMES, ROWS, max_size=12), bom=st.booleans())
def test_csv_is_read_as_the_generator_does(
    tmp_path: Path, rows: dict[str, tuple[str, str]], bom: bool
) -> None:
    lines = ["# comment", "key,type,encoding,value", "", "n,namespace,,"]
    lines += [f"{csv_cell(key)},data,{encoding},{csv_cell(value)}" for key, (encoding, value) in rows.items()]
    path = tmp_path / "device.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    expected = oracle_build([path], tmp_path / "oracle.bin", 0x10000)
    path.write_text("\r\n".join(lines), encoding="utf-8-sig" if bom else "utf-8", newline="")
    sheet = read_sheet(path)
    assert encode(sheet.items, 0x10000, namespaces=sheet.namespaces) == expected


@pytest.mark.parametrize("encoding", ["string", "binary", "hex2bin", "base64", "u32"])
@pytest.mark.parametrize("version", [1, 2])
def test_file_is_read_as_the_generator_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, version: int
) -> None:
    content = {"hex2bin": b"0aFF\n", "base64": b"AAEC\n/w==\n", "u32": b"70000\n"}.get(
        encoding, b"text\r\nof two lines\n"
    )
    (tmp_path / "value").write_bytes(content)
    path = tmp_path / "device.csv"
    path.write_text(f"key,type,encoding,value\nn,namespace,,\nk,file,{encoding},value\n")
    monkeypatch.chdir(tmp_path)
    expected = oracle_build([path], tmp_path / "oracle.bin", 0x4000, version=version)
    assert encode(read_sheet(path).items, 0x4000, version=version) == expected


def test_several_csvs_make_the_generators_image(tmp_path: Path) -> None:
    for name, namespace in (("one", "a"), ("two", "b")):
        text = f"key,type,encoding,value\n{namespace},namespace,,\nk,data,u8,1\n"
        (tmp_path / f"{name}.csv").write_text(text)
    paths = [tmp_path / "one.csv", tmp_path / "two.csv"]
    assert encode(read_sheet(*paths).items, 0x4000) == oracle_build(paths, tmp_path / "oracle.bin", 0x4000)


@settings(NVS, max_examples=20)
@given(hmac_key=st.binary(min_size=32, max_size=32))
def test_keys_of_an_hmac_key_are_the_generators(
    tmp_path_factory: pytest.TempPathFactory, hmac_key: bytes
) -> None:
    folder = tmp_path_factory.mktemp("keys")
    (folder / "hmac.bin").write_bytes(hmac_key)
    arguments = generator.SimpleNamespace(
        outdir=str(folder),
        keyfile="keys.bin",
        key_protect_hmac=True,
        kp_hmac_keygen=False,
        kp_hmac_keyfile=None,
        kp_hmac_inputkey=str(folder / "hmac.bin"),
    )
    generator.generate_key(arguments)
    assert Keys.from_hmac_key(hmac_key).to_partition() == (folder / "keys" / "keys.bin").read_bytes()
