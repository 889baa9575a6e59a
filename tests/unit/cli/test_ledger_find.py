"""`fctry ledger find`: which device it is, and how sure that is."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from fctry import nvs
from fctry.cli.main import main

Lot = list[dict[str, str]]
Find = Callable[..., tuple[int, list[str]]]
TABLE = "nvs,data,nvs,0x9000,0x6000\nfctry,data,nvs,0x10000,0x3000,readonly\n"


@pytest.fixture(autouse=True)
def lot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lot:
    """A batch of three devices in the folder `lot`, which stands beside their ledger: their public values."""
    (tmp_path / "product").mkdir()
    monkeypatch.setenv("FCTRY_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path / "product")
    Path("partitions.csv").write_text(TABLE)
    assert main(["spec", "new", "-o", "factory.toml"]) == 0
    assert main(["batch", "factory.toml", "--count", "3", "-o", "lot"]) == 0
    with Path("lot/manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def find(capsys: pytest.CaptureFixture[str]) -> Find:
    def find(what: str, *options: str) -> tuple[int, list[str]]:
        capsys.readouterr()
        code = main(["ledger", "find", what, *options])
        return code, [line.strip() for line in capsys.readouterr().out.splitlines()]

    return find


def changed(path: str, **values: str) -> bytes:
    """An image with other values of some keys, or without them where they are empty."""
    items = nvs.decode(Path(path).read_bytes())
    kept = [nvs.Item(i.namespace, i.key, i.type, values.get(i.key, i.value)) for i in items]
    return nvs.encode([one for one in kept if one.value != ""], 0x3000, read_only=True)


def test_image_and_flash_dump_are_their_devices_for_certain(find: Find, lot: Lot) -> None:
    code, lines = find("lot/00002.bin")
    assert code == 0
    assert lines[0].split()[0] == "2"
    assert lines[1:] == ["certain: the image that it was given, byte for byte"]
    assert main(["layout", "build", "partitions.csv", "-o", "table.bin"]) == 0
    dump = bytearray(b"\xff" * 0x400000)
    table, image = Path("table.bin").read_bytes(), Path("lot/00003.bin").read_bytes()
    dump[0x8000 : 0x8000 + len(table)] = table
    dump[0x10000 : 0x10000 + len(image)] = image
    Path("dump.bin").write_bytes(dump)
    code, lines = find("dump.bin")
    assert [line.split()[0] for line in lines] == ["3", "certain:"]


def test_values_alone_say_how_sure_it_is(find: Find, lot: Lot) -> None:
    Path("x.bin").write_bytes(changed("lot/00002.bin", setup_code="000-00-001"))
    code, (device, why) = find("x.bin")
    assert (code, device.split()[0]) == (0, "2")
    assert why.startswith(
        "sure: 2 of 2 public values; unique to it: mac, my-product/fctryNamespace:serial_number"
    )
    Path("x.bin").write_bytes(changed("lot/00002.bin", serial_number="", mac_addr=""))  # its password is left
    code, (device, why) = find("x.bin")
    assert (code, device.split()[0]) == (0, "2")
    assert why == (
        "doubtful: 0 of 2 public values; unique to it: my-product/secrets:password; "
        "not to be read: fctryNamespace:mac_addr, fctryNamespace:serial_number"
    )
    Path("x.bin").write_bytes(changed("lot/00002.bin", serial_number="SN1"))
    code, (device, why) = find("x.bin")
    assert (code, device.split()[0]) == (0, "2")
    assert why.endswith("; other than in the ledger: fctryNamespace:serial_number")


def test_flash_of_two_devices_names_both(find: Find, lot: Lot) -> None:
    Path("x.bin").write_bytes(changed("lot/00001.bin", mac_addr=lot[2]["mac_addr"]))
    code, lines = find("x.bin")
    assert code == 0
    assert [line.split()[0] for line in lines[::2]] == ["1", "3"]
    assert all(line.startswith("doubtful: 1 of 2 public values") for line in lines[1::2])


def test_no_secret_is_shown(find: Find, lot: Lot) -> None:
    secrets = [
        str(item.value)
        for item in nvs.decode(Path("lot/00002.bin").read_bytes())
        if item.namespace == "secrets"
    ]
    assert len(secrets) == 2
    assert not [one for one in secrets if one in "".join(find("lot/00002.bin")[1])]


def test_scanned_text_finds_its_device(find: Find, lot: Lot) -> None:
    serial, mac = lot[1]["serial_number"], lot[1]["mac_addr"]
    for text in (
        serial,
        f" {serial}\n",
        f"https://example.com/d?sn={serial}&v=1",
        mac,
        mac.lower().replace(":", ""),
        f"(21){serial}|{mac}",
        f"MAC: {mac.replace(':', '-')}, SN: {serial}",
    ):
        code, lines = find(text)
        assert (code, [line.split()[0] for line in lines]) == (0, ["2"]), text
    assert find("")[0] == 1
    assert find("SN9999999Z") == (1, ["no device has it, and there is no such file"])


def test_value_with_separators_in_it_is_found_in_a_text(find: Find) -> None:
    text = Path("factory.toml").read_text()
    Path("factory.toml").write_text(text.replace("SN{counter:07}", "FC/{lot}={counter:04},"))
    assert main(["batch", "factory.toml", "--count", "2", "-o", "other", "--lot", "Hall 1"]) == 0
    with Path("other/manifest.csv").open(newline="") as file:
        serial = list(csv.DictReader(file))[1]["serial_number"]
    assert serial.startswith("FC/Hall 1=")
    for scanned in (serial, f"https://example.com/d?sn={serial}&v=1"):
        code, lines = find(scanned)
        assert (code, [line.split()[0] for line in lines]) == (0, ["5"]), scanned


def test_value_that_is_stored_as_bytes_is_found_as_people_write_it(find: Find) -> None:
    Path("two.toml").write_text(
        'schema = 1\nproduct = "two"\n'
        '[sources.m]\nkind = "mac"\nstart = "24:0A:C4:00:00:00"\ncount = 9\n'
        '[fields.f.m]\nencoding = "binary"\nsource = "m.bytes"\nunique = true\n'
    )
    assert main(["batch", "two.toml", "--count", "2", "-o", "two"]) == 0
    for text in ("24:0A:C4:00:00:01", "240ac4000001", "24-0a-C4-00-00-01", "MAC 24:0A:C4:00:00:01"):
        code, lines = find(text)
        assert (code, [line.split()[0] for line in lines]) == (0, ["5"]), text


def test_image_that_several_devices_were_given_is_certainly_none_of_them(find: Find) -> None:
    Path("twins.toml").write_text(
        'schema = 1\nproduct = "twins"\n[sources.c]\nkind = "constant"\nvalue = "x"\n'
        '[sources.s]\nkind = "serial"\ntemplate = "T{counter}"\n'
        '[fields.f.model]\nencoding = "string"\nsource = "c"\n[notes.sn]\nsource = "s"\nunique = true\n'
    )
    assert main(["batch", "twins.toml", "--count", "2", "-o", "twins"]) == 0
    code, lines = find("twins/00001.bin")
    said = "possible: the image that it was given, byte for byte, as 2 devices were"
    assert (code, lines[1::2]) == (0, [said, said])


def test_image_of_no_device_is_none(find: Find, lot: Lot) -> None:
    Path("x.bin").write_bytes(nvs.encode([nvs.Item("n", "k", nvs.ItemType.STR, "v")], 0x3000))
    assert find("x.bin") == (1, ["no device has it"])
