"""A batch goes on wherever it was cut, and no device is twice in it, missing, or other than the ledger says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from fctry import nvs
from fctry.errors import InputError
from fctry.identity import batch as batch_module
from fctry.identity.batch import Batch, make_batch
from fctry.identity.batch_folder import BatchFolder
from fctry.identity.draft import Draft
from fctry.identity.ledger import Ledger
from fctry.identity.writers import Writers
from tests.unit.identity.conftest import LAMP, NOW, Lamps, begun


def items(draft: Draft) -> list[nvs.Item]:
    both = {**draft.values, **draft.secrets}
    return [nvs.Item(*name.split(":"), nvs.ItemType.STR, value) for name, value in both.items()]


def image(draft: Draft) -> tuple[bytes]:
    return (nvs.encode(items(draft), 0x3000),)


def batch_of(count: int, lamps: Lamps) -> Batch:
    return Batch(
        LAMP, lamps, count, lambda number: NOW, lambda number, draft: f"{draft.public['serial']}.bin"
    )


def folder_of(path: Path) -> BatchFolder:
    return begun(path, {"spec": LAMP.spec_sha256}, ["serial", "code"])


def make(count: int, lamps: Lamps, ledger: Ledger, path: Path) -> list[int]:
    with folder_of(path) as folder:
        return list(make_batch(batch_of(count, lamps), ledger, folder, Writers(image)))


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_module, "CHUNK", 3)


def check_whole(path: Path, ledger: Ledger, count: int) -> None:
    lines = [json.loads(line) for line in (path / "manifest.jsonl").read_text().splitlines()]
    assert sorted(line["number"] for line in lines) == list(range(1, count + 1))
    assert {one.name for one in path.glob("*.bin")} == {line["file"] for line in lines}
    by_number = {one.number: one for one in ledger.devices()}
    assert len(by_number) == count
    for line in lines:
        data = (path / line["file"]).read_bytes()
        read = {f"{item.namespace}:{item.key}": item.value for item in nvs.decode(data)}
        device = by_number[line["number"]]
        assert line["sha256"] == hashlib.sha256(data).hexdigest() == device.image_sha256
        assert device.state == "built"
        assert line["fields"] == device.public
        assert {name: read[name] for name in device.values} == device.values
    assert len({line["fields"]["serial"] for line in lines}) == count
    ledger.verify()


def test_batch_is_made(tmp_path: Path, ledger: Ledger) -> None:
    assert make(8, Lamps(), ledger, tmp_path / "lot") == [0, 3, 6, 8]
    check_whole(tmp_path / "lot", ledger, 8)


def test_finished_batch_does_nothing_and_a_larger_count_goes_on(tmp_path: Path, ledger: Ledger) -> None:
    path = tmp_path / "lot"
    make(4, Lamps(), ledger, path)
    before = {one.name: one.read_bytes() for one in path.glob("*.bin")}
    assert make(4, Lamps(), ledger, path) == [4]
    make(7, Lamps(), ledger, path)
    check_whole(path, ledger, 7)
    assert {name: (path / name).read_bytes() for name in before} == before
    with pytest.raises(InputError, match="has 7 devices already"):
        make(4, Lamps(), ledger, path)


class CutError(Exception):
    pass


@pytest.mark.parametrize("where", ["image", "add", "after add", "record"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_batch_goes_on_where_it_was_cut(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, where: str, at: int
) -> None:
    calls = 0

    def cut() -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise CutError

    def cutting_image(draft: Draft) -> tuple[bytes]:
        cut()
        return image(draft)

    path, lamps = tmp_path / "lot", Lamps()
    with monkeypatch.context() as patch:
        add, record = BatchFolder.add, Ledger.record
        if where.endswith("add"):

            def cutting_add(*args: object) -> object:
                if where == "add":
                    cut()
                added = add(*args)  # type: ignore[arg-type]
                if where == "after add":
                    cut()
                return added

            patch.setattr(BatchFolder, "add", cutting_add)
        elif where == "record":

            def cutting_record(*args: object) -> None:
                record(*args)  # type: ignore[arg-type]
                cut()

            patch.setattr(Ledger, "record", cutting_record)
        writers = Writers(cutting_image if where == "image" else image)
        with pytest.raises(CutError), folder_of(path) as folder:
            list(make_batch(batch_of(8, lamps), ledger, folder, writers))
    handed_out = {one.number: one.public for one in ledger.devices()}
    make(8, lamps, ledger, path)
    check_whole(path, ledger, 8)
    assert {one.number: one.public for one in ledger.devices() if one.number in handed_out} == handed_out
    secrets = [
        item.value
        for one in path.glob("*.bin")
        for item in nvs.decode(one.read_bytes())
        if item.key == "password"
    ]
    assert len(set(secrets)) == 8


def test_manifest_has_no_secret(tmp_path: Path, ledger: Ledger) -> None:
    lamps = Lamps()
    make(5, lamps, ledger, tmp_path / "lot")
    said = b"".join(one.read_bytes() for one in (tmp_path / "lot").iterdir() if one.suffix != ".bin")
    assert b"SN1000" in said
    assert not [one for one in lamps.passwords if one.encode() in said]
