from __future__ import annotations

import resource
from pathlib import Path

import pytest

from fctry.errors import InputError
from fctry.nvs import ImageTemplate, Item, ItemType, decode, encode, read_sheet
from fctry.nvs.batch import read_batch, write_batch
from fctry.nvs.csv import Sheet

COMMON = """\
key,type,encoding,value
a,namespace,,
serial,data,string,none
rev,data,u8,7
b,namespace,,
rev,data,u16,0
"""


@pytest.fixture
def sheet(tmp_path: Path) -> Sheet:
    (tmp_path / "common.csv").write_text(COMMON)
    return read_sheet(tmp_path / "common.csv")


def batch_of(folder: Path, sheet: Sheet, text: str, name_column: str = "") -> dict[str, list[Item]]:
    (folder / "values.csv").write_text(text)
    devices = read_batch(sheet, folder / "values.csv", name_column=name_column)
    paths = list(write_batch(ImageTemplate(sheet.items, 0x3000), devices, folder / "images"))
    return {path.name: decode(path.read_bytes()) for path in paths}


def test_each_line_becomes_an_image_with_its_values(tmp_path: Path, sheet: Sheet) -> None:
    images = batch_of(tmp_path, sheet, "serial,b:rev\nS1,0x10\nlonger than S1,2\n")
    assert list(images) == ["device-00001.bin", "device-00002.bin"]
    assert [[item.value for item in items] for items in images.values()] == [
        ["S1", 7, 16],
        ["longer than S1", 7, 2],
    ]


def test_image_of_a_batch_is_the_one_built_alone(tmp_path: Path, sheet: Sheet) -> None:
    batch_of(tmp_path, sheet, "serial,a:rev,b:rev\nS1,1,2\n")
    alone = [
        Item("a", "serial", ItemType.STR, "S1"),
        Item("a", "rev", ItemType.U8, 1),
        Item("b", "rev", ItemType.U16, 2),
    ]
    assert (tmp_path / "images" / "device-00001.bin").read_bytes() == encode(alone, 0x3000)


def test_column_names_the_images(tmp_path: Path, sheet: Sheet) -> None:
    assert list(batch_of(tmp_path, sheet, "serial\nS1\nS2\n", "serial")) == ["S1.bin", "S2.bin"]
    assert list(batch_of(tmp_path, sheet, "order,serial\no-7,S1\n", "order")) == ["o-7.bin"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "empty"),
        ("serial\n", None, "no devices"),
        ("serial,colour\nS1,red\n", 2, "column 'colour' is no key"),
        ("serial,rev\nS1,1\n", 2, "column 'rev' names 2 keys"),
        ("serial,b:rev\nS1,1\nS2\n", 3, "no b:rev"),
        ("serial,b:rev\nS1,1\nS2,x\n", 3, "b:rev: not a number"),
        ("serial,b:rev\nS1,1\nS2,65536\n", 3, "key 'rev': number out of range for u16"),
        ("serial,serial\nS1,S2\n", 1, "column 'serial' is there twice"),
    ],
)
def test_bad_batch_is_refused_by_line_and_leaves_nothing(
    tmp_path: Path, sheet: Sheet, text: str, line: int | None, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        batch_of(tmp_path, sheet, text)
    assert caught.value.message.startswith(message)
    assert (caught.value.file, caught.value.line) == (tmp_path / "values.csv", line)
    assert caught.value.hint
    assert not (tmp_path / "images").exists()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a/b",
        "..",
        "C:x",
        "a*",
        "a\tb",
        "-o",
        "a.",
        "a ",
        "CON",
        "nul.txt",
        "COM1",
        "a\u202eb",
        "a\x7f",
        "\u2066",
    ],
)
def test_name_that_no_file_can_have_is_refused(tmp_path: Path, sheet: Sheet, name: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of a file"):
        batch_of(tmp_path, sheet, f'serial,b:rev\n"{name}",1\n', "serial")


def test_two_devices_of_one_name_are_refused(tmp_path: Path, sheet: Sheet) -> None:
    with pytest.raises(InputError, match=r"values\.csv:4: two devices of the name 'S1'"):
        batch_of(tmp_path, sheet, "serial\nS1\nS2\nS1\n", "serial")


def test_names_that_differ_in_case_alone_are_refused(tmp_path: Path, sheet: Sheet) -> None:
    with pytest.raises(InputError, match="two devices of the name 's1'") as caught:
        batch_of(tmp_path, sheet, "serial\nS1\ns1\n", "serial")
    assert caught.value.line == 3
    assert "line 2 has 'S1'" in caught.value.hint


def test_name_longer_than_a_file_can_have_is_refused(tmp_path: Path, sheet: Sheet) -> None:
    with pytest.raises(InputError, match="too long for the name of a file"):
        batch_of(tmp_path, sheet, f"serial\n{'ü' * 101}\n", "serial")
    assert list(batch_of(tmp_path, sheet, f"serial\n{'ü' * 100}\n", "serial")) == ["ü" * 100 + ".bin"]


def test_all_lines_that_are_wrong_are_told(tmp_path: Path, sheet: Sheet) -> None:
    with pytest.raises(InputError) as caught:
        batch_of(tmp_path, sheet, "serial,b:rev\nS1,x\nS2,1\nS3\nS4,1,2\n", "serial")
    assert [one.line for one in (caught.value, *caught.value.also)] == [2, 4, 5]


def test_name_column_that_is_not_there_is_refused(tmp_path: Path, sheet: Sheet) -> None:
    with pytest.raises(InputError, match="column 'nr' is missing"):
        batch_of(tmp_path, sheet, "serial\nS1\n", "nr")


def test_images_are_finished_one_by_one(tmp_path: Path, sheet: Sheet) -> None:
    (tmp_path / "values.csv").write_text("serial\nS1\n")
    devices = read_batch(sheet, tmp_path / "values.csv")
    (path,) = write_batch(
        ImageTemplate(sheet.items, 0x3000), devices, tmp_path, finish=lambda image: image[:4]
    )
    assert path.read_bytes() == b"\xfe\xff\xff\xff"


class Stopped(BaseException):
    """As Ctrl-C: not an Exception."""


def test_batch_that_is_stopped_leaves_whole_images_alone(
    tmp_path: Path, sheet: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "values.csv").write_text("serial\nS1\nS2\n")
    devices = read_batch(sheet, tmp_path / "values.csv", name_column="serial")
    images = tmp_path / "images"
    images.mkdir()
    (images / "S2.bin").write_bytes(b"before")
    writing = write_batch(ImageTemplate(sheet.items, 0x3000), devices, images)
    next(writing)
    at_the_time: list[bytes] = []

    def stop(*_: object) -> None:
        at_the_time.append((images / "S2.bin").read_bytes())
        raise Stopped

    monkeypatch.setattr("os.replace", stop)
    with pytest.raises(Stopped):
        next(writing)
    assert at_the_time == [b"before"]
    assert sorted(path.name for path in images.iterdir()) == ["S1.bin", "S2.bin"]
    assert len((images / "S1.bin").read_bytes()) == 0x3000
    assert (images / "S2.bin").read_bytes() == b"before"


def test_image_that_cannot_be_written_is_named(tmp_path: Path, sheet: Sheet) -> None:
    (tmp_path / "values.csv").write_text("serial\nS1\n")
    devices = read_batch(sheet, tmp_path / "values.csv", name_column="serial")
    (tmp_path / "images" / "S1.bin").mkdir(parents=True)
    with pytest.raises(OSError, match=r"S1\.bin") as caught:
        list(write_batch(ImageTemplate(sheet.items, 0x3000), devices, tmp_path / "images"))
    assert caught.value.filename == str(tmp_path / "images" / "S1.bin")
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["S1.bin"]


def test_image_that_the_disk_has_no_room_for_leaves_the_one_before(tmp_path: Path, sheet: Sheet) -> None:
    (tmp_path / "values.csv").write_text("serial\nS1\n")
    devices = read_batch(sheet, tmp_path / "values.csv", name_column="serial")
    (tmp_path / "S1.bin").write_bytes(b"before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0x1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            list(write_batch(ImageTemplate(sheet.items, 0x3000), devices, tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "S1.bin").read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["S1.bin", "common.csv", "values.csv"]
