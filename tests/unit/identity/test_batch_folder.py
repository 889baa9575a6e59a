"""The folder of a batch: nothing mixed up, nothing lost, whatever interrupts it."""

from __future__ import annotations

import csv
import json
import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fctry.errors import InputError
from fctry.identity.batch_folder import check_file_name
from fctry.identity.draft import Draft
from fctry.identity.writers import Writers
from tests.unit.identity.conftest import begun

BATCH = {"spec": "ab" * 32, "count": 3}


WRITERS = Writers(lambda draft: (b"image ", b"%d" % draft.values["n:number"]))


def image(number: int, name: str = "") -> tuple[int, str, Draft]:
    return number, name or f"{number}.bin", Draft({"n:number": number}, {}, {"serial": f'S"{number},é'}, ())


def add(path: Path, *numbers: int) -> None:
    with begun(path, BATCH, []) as folder:
        folder.add(map(image, numbers), WRITERS)


def test_images_and_manifest_are_written(tmp_path: Path) -> None:
    with begun(tmp_path / "lot", BATCH, ["serial"]) as folder:
        folder.add(map(image, (1, 2)), WRITERS)
        folder.add([image(3)], WRITERS)
    lines = [json.loads(line) for line in (tmp_path / "lot/manifest.jsonl").read_text().splitlines()]
    with (tmp_path / "lot/manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for number, line, row in zip((1, 2, 3), lines, rows, strict=True):
        data = (tmp_path / "lot" / line["file"]).read_bytes()
        assert line == {
            "number": number,
            "file": f"{number}.bin",
            "sha256": sha256(data).hexdigest(),
            "fields": {"serial": f'S"{number},é'},
        }
        assert row == {
            "number": str(number),
            "file": line["file"],
            "sha256": line["sha256"],
            "serial": f'S"{number},é',
        }


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
def test_images_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    add(tmp_path, 1)
    assert stat.S_IMODE((tmp_path / "1.bin").stat().st_mode) == 0o600


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_batch_goes_on_after_a_manifest_cut_anywhere(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("lot")
    with begun(path, BATCH, ["serial"]) as first:
        first.add(map(image, (1, 2)), WRITERS)
    whole = (path / "manifest.jsonl").read_bytes(), (path / "manifest.csv").read_bytes()
    left = path / ".fctry-0123456789abcdef.part"
    left.write_bytes(b"half an image")
    os.utime(left, (0, 0))
    for name, content in zip(("manifest.jsonl", "manifest.csv"), whole, strict=True):
        cut = data.draw(st.integers(0, len(content)))
        (path / name).write_bytes(content[:cut])
    with begun(path, BATCH, ["serial"]) as again:
        assert again.batch == first.batch
        assert not left.exists()
        again.add((image(number) for number in (1, 2) if number not in again.done), WRITERS)
    assert ((path / "manifest.jsonl").read_bytes(), (path / "manifest.csv").read_bytes()) == whole


def test_image_that_is_gone_is_made_again(tmp_path: Path) -> None:
    add(tmp_path, 1, 2)
    (tmp_path / "2.bin").unlink()
    with begun(tmp_path, BATCH, []) as folder:
        assert folder.done == {1}


def test_folder_of_another_batch_is_refused(tmp_path: Path) -> None:
    add(tmp_path, 1)
    with pytest.raises(InputError, match="spec differ"):
        begun(tmp_path, {**BATCH, "spec": "cd" * 32}, [])


def test_images_that_the_manifest_does_not_name_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is written when it ends: a device that is made again may get another name."""
    with begun(tmp_path, BATCH, []) as folder, monkeypatch.context() as patch:
        patch.setattr("fctry.identity.batch_folder.sync_all", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            folder.add([image(1, "a.bin")], WRITERS)
    with begun(tmp_path, BATCH, []) as folder:
        assert folder.done == set()
        folder.add([image(1, "b.bin")], WRITERS)
    assert {path.name for path in tmp_path.iterdir()} == {
        "b.bin",
        "batch.json",
        "manifest.csv",
        "manifest.jsonl",
    }


def test_folder_that_is_in_use_is_refused(tmp_path: Path) -> None:
    with begun(tmp_path, BATCH, []), pytest.raises(InputError, match="in use"):
        begun(tmp_path, BATCH, [])
    add(tmp_path, 1)


@pytest.mark.parametrize("text", ["{", "[]", "[" * 99999, "{}"])
def test_damaged_description_of_a_batch_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "batch.json").write_text(text)
    with pytest.raises(InputError, match="describes no batch"):
        begun(tmp_path, BATCH, [])


def test_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "9.bin").write_bytes(b"of another run")
    with pytest.raises(InputError, match="not empty"):
        begun(tmp_path, BATCH, [])
    assert [path.name for path in tmp_path.iterdir()] == ["9.bin"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lamp-a.bin", "Lamp-A.bin"),
        ("\N{LATIN SMALL LETTER E WITH ACUTE}.bin", "E\N{COMBINING ACUTE ACCENT}.bin"),
    ],
)
def test_two_devices_of_one_file_are_refused(tmp_path: Path, one: str, other: str) -> None:
    with begun(tmp_path, BATCH, []) as folder:
        folder.add([image(1, one)], WRITERS)
        with pytest.raises(InputError, match="devices 1 and 2 ") as caught:
            folder.add([image(2, other)], WRITERS)
    assert repr(other) in str(caught.value)
    assert (tmp_path / one).read_bytes() == b"image 1"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", "CON.bin", "lpt1", "com¹.bin", "-rf.bin", "~", "a.", "a ", "a\0", "a\n", "a:b",
     "x" * 201, "\u202ebin.a", "\udcff"],
)  # fmt: skip
def test_name_that_some_system_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        check_file_name(name)


@pytest.mark.parametrize("name", ["1.bin", "SN-1645_a.bin", "Gerät 1.bin", "console.bin", "comb.bin"])
def test_name_that_every_system_takes_is_taken(name: str) -> None:
    check_file_name(name)
