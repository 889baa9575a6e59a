"""`fctry batch`: from a spec or two CSVs to images, a manifest and the ledger."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pyrage
import pytest

from fctry import nvs
from fctry.cli.main import main
from fctry.identity.ledger import Station, open_ledger

ARTICLE_CSV = Path(__file__).parents[2] / "data/nvs/article.csv"


@pytest.fixture(autouse=True)
def product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a product, entered: the default spec, a partition table, no ledger."""
    folder = tmp_path / "product"
    folder.mkdir()
    monkeypatch.setenv("FCTRY_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(folder)
    assert main(["spec", "new", "-o", "factory.toml"]) == 0
    Path("partitions.csv").write_text("nvs,data,nvs,0x9000,0x6000\nfctry,data,nvs,0x10000,0x6000,readonly\n")
    return folder


def items_in(path: Path) -> dict[tuple[str, str], object]:
    return {(item.namespace, item.key): item.value for item in nvs.decode(path.read_bytes())}


def manifest(folder: str) -> list[dict[str, str]]:
    with Path(folder, "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("CON", "'CON.bin' cannot be the name"),
        ("ONE", "another device has the file 'ONE.bin'"),
        ("u\N{COMBINING DIAERESIS}", "another device has the file 'u\N{COMBINING DIAERESIS}.bin'"),
    ],
)
def test_file_name_that_cannot_be_is_refused_with_its_line_before_anything_is_made(
    capsys: pytest.CaptureFixture[str], second: str, message: str
) -> None:
    Path("keys.csv").write_text("key,type,encoding,value\nn,namespace,,\nsn,data,string,\n")
    first = "\N{LATIN SMALL LETTER U WITH DIAERESIS}" if not second.isascii() else "one"
    Path("values.csv").write_text(f"id,sn\n{first},1\n{second},2\n", encoding="utf-8")
    assert main(["batch", "keys.csv", "values.csv", "-o", "out", "--size", "24K", "--name", "{id}"]) == 1
    assert f"error: values.csv:3: {message}" in capsys.readouterr().err
    assert not Path("out").exists()
    assert not Path("ledger.db").exists()


def test_first_device_is_refused_with_its_line_like_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    Path("keys.csv").write_text("key,type,encoding,value\nn,namespace,,\nsn,data,string,\n")
    Path("values.csv").write_text("id,sn\none,\ntwo,2\n")
    assert main(["batch", "keys.csv", "values.csv", "-o", "out", "--size", "24K"]) == 1
    said = capsys.readouterr().err
    assert "error: values.csv:2: n:sn: this device has no value for it" in said
    assert "--optional sn" in said
    Path("keys.csv").write_text(
        "key,type,encoding,value\nn,namespace,,\nsn,data,string,\nr,data,string,REPEAT\n"
    )
    Path("values.csv").write_text("id,sn,r\none,1\ntwo,2,a\n")
    assert main(["batch", "keys.csv", "values.csv", "-o", "out", "--size", "24K"]) == 1
    assert "error: values.csv:2: n:r: this device has no value for it" in capsys.readouterr().err


def test_every_device_has_values_of_its_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["batch", "factory.toml", "--count", "12", "-o", "first", "--name", "{serial_number}"]) == 0
    said = capsys.readouterr().err
    assert "move it to a safe place" in said
    (private_key,) = (tmp_path / "state").glob("*.agekey")
    assert str(private_key) in said
    assert main(["batch", "factory.toml", "--count", "8", "-o", "second"]) == 0
    assert "safe place" not in capsys.readouterr().err
    images = [items_in(path) for folder in ("first", "second") for path in sorted(Path(folder).glob("*.bin"))]
    assert len(images) == 20
    for key in images[0]:
        assert len({str(image[key]) for image in images}) == 20, key
    for folder, count in (("first", 12), ("second", 8)):
        rows = manifest(folder)
        assert [row["number"] for row in rows] == [str(number + 1) for number in range(count)]
        for row in rows:
            image = items_in(Path(folder, row["file"]))
            assert row["serial_number"] == image["fctryNamespace", "serial_number"]
    said_anywhere = "".join(
        Path(folder, name).read_text()
        for folder in ("first", "second")
        for name in ("manifest.csv", "manifest.jsonl", "batch.json")
    )
    for image in images:
        assert str(image["secrets", "password"]) not in said_anywhere


def test_the_same_command_again_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["batch", "factory.toml", "--count", "3", "-o", "lot"]
    assert main(command) == 0
    before = {path.name: path.read_bytes() for path in Path("lot").iterdir()}
    assert main(command) == 0
    assert {path.name: path.read_bytes() for path in Path("lot").iterdir()} == before
    assert main(["batch", "factory.toml", "--count", "3", "-o", "lot", "--name", "{serial_number}"]) == 1
    assert "there is another batch: name differ" in capsys.readouterr().err


def test_ledger_knows_the_devices(tmp_path: Path) -> None:
    assert (
        main(["batch", "factory.toml", "--count", "3", "-o", "lot", "--lot", "7", "--operator", "eve"]) == 0
    )
    with open_ledger("ledger.db", Station(folder=tmp_path / "state")) as ledger:
        devices = list(ledger.devices())
        assert [device.state for device in devices] == ["built"] * 3
        assert [device.public for device in devices] == [
            json.loads(line)["fields"] for line in Path("lot/manifest.jsonl").read_text().splitlines()
        ]
        assert ledger.history(1)[0].data["lot"] == "7"
        assert ledger.history(1)[0].data["operator"] == "eve"


def test_two_csvs_make_the_generators_images(tmp_path: Path) -> None:
    shutil.copy(ARTICLE_CSV, "common.csv")
    Path("devices.csv").write_text("id,serial_number,note\nA1,1,first\nA2,2,\n")
    arguments = ["common.csv", "devices.csv", "-o", "lot", "--name", "{id}", "--unique", "serial_number"]
    assert main(["batch", *arguments]) == 0
    expected = nvs.read_csv(ARTICLE_CSV)
    for name, serial in (("A1", "1"), ("A2", "2")):
        items = [
            nvs.Item(i.namespace, i.key, i.type, serial if i.key == "serial_number" else i.value)
            for i in expected
        ]
        assert Path(f"lot/{name}.bin").read_bytes() == nvs.encode(items, 0x6000, read_only=True)
    assert [(row["id"], row["note"]) for row in manifest("lot")] == [("A1", "first"), ("A2", "")]


def test_value_that_was_handed_out_is_refused_in_another_batch(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(ARTICLE_CSV, "common.csv")
    Path("devices.csv").write_text("serial_number\n1\n2\n")
    Path("more.csv").write_text("serial_number\n3\n2\n")
    unique = ["--unique", "serial_number"]
    assert main(["batch", "common.csv", "devices.csv", "-o", "lot", *unique]) == 0
    assert main(["batch", "common.csv", "more.csv", "-o", "more", *unique]) == 1
    assert "serial_number' was handed out already: device 2 has it" in capsys.readouterr().err
    assert not list(Path("more").glob("*.bin"))


def test_ledger_that_is_named_and_not_there_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FCTRY_LEDGER", "the office.db")
    command = ["batch", "factory.toml", "--count", "1", "-o", "lot"]
    assert main(command) == 1
    said = capsys.readouterr().err
    remedy = re.search("there is no ledger\nhint: make one: fctry (.*)\n", said)
    assert remedy, said
    assert not Path("the office.db").exists()
    place = Path.cwd()
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.delenv("FCTRY_LEDGER")
    assert main(shlex.split(remedy[1])) == 0
    monkeypatch.chdir(place)
    monkeypatch.setenv("FCTRY_LEDGER", "the office.db")
    assert main(command) == 0
    assert not Path("ledger.db").exists()


def test_sealed_images_are_opened_by_their_recipient_alone() -> None:
    identity = pyrage.x25519.Identity.generate()
    assert (
        main(["batch", "factory.toml", "--count", "2", "-o", "lot", "--seal", str(identity.to_public())]) == 0
    )
    (first, _) = sorted(Path("lot").glob("*.bin.age"))
    assert not list(Path("lot").glob("*.bin"))
    plain = pyrage.decrypt(first.read_bytes(), [identity])
    assert {item.key for item in nvs.decode(plain)} >= {"serial_number", "password"}


@pytest.mark.parametrize("output", ["out", "out.zip"])
def test_batch_is_not_gone_on_with_for_other_readers(capsys: pytest.CaptureFixture[str], output: str) -> None:
    recipients = [str(pyrage.x25519.Identity.generate().to_public()) for _ in range(2)]
    assert main(["image", "keys", "-o", "keys.bin"]) == 0
    sealed = ["batch", "factory.toml", "-o", output, "--seal", recipients[0]]
    assert main([*sealed, "--count", "2"]) == 0
    for other in ([], ["--seal", recipients[1]], ["--seal", recipients[0], "--keys", "keys.bin"]):
        assert main(["batch", "factory.toml", "-o", output, "--count", "2", *other]) == 1
        assert "there is another batch: " in capsys.readouterr().err
    assert main([*sealed, "--seal", recipients[0], "--count", "2"]) == 0


def test_batch_that_is_not_encrypted_does_not_become_so_halfway(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "keys", "-o", "keys.bin"]) == 0
    plain = ["batch", "factory.toml", "-o", "out"]
    assert main([*plain, "--count", "1"]) == 0
    assert main([*plain, "--count", "2", "--keys", "keys.bin"]) == 1
    assert "there is another batch: keys differ" in capsys.readouterr().err
    keys = Path("keys.bin").read_bytes()
    assert main(["batch", "factory.toml", "-o", "second", "--count", "1", "--keys", "keys.bin"]) == 0
    assert keys[:32].hex() not in Path("second/batch.json").read_text()


def test_encrypted_images_open_with_their_keys() -> None:
    assert main(["image", "keys", "-o", "keys.bin"]) == 0
    assert main(["batch", "factory.toml", "--count", "1", "-o", "lot", "--keys", "keys.bin"]) == 0
    keys = nvs.Keys.from_partition(Path("keys.bin").read_bytes())
    plain = nvs.decrypt(Path("lot/00001.bin").read_bytes(), keys)
    assert "serial_number" in {item.key for item in nvs.decode(plain)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["factory.toml", "-o", "lot"], "how many devices: the spec does not say it"),
        (["factory.toml", "--count", "2", "-o", "lot", "--name", "{serial}"], "did you mean 'serial_number'"),
        (
            ["factory.toml", "--count", "2", "-o", "lot", "--name", "a"],
            "all devices would have the same file, 'a'\nhint: name them by {number}",
        ),
        (
            ["factory.toml", "--count", "2", "-o", "lot", "--name", "serial_number"],
            "hint: for the value of that field write {serial_number}",
        ),
        (
            ["factory.toml", "--count", "2", "-o", "lot", "--name", "../{number}"],
            "cannot be the name of a file",
        ),
        (["factory.toml", "--count", "2", "-o", "lot", "--seal", "me"], "no age recipient"),
        (["factory.toml", "--count", "2", "-o", "lot", "--ledger", "none.db"], "there is no ledger"),
        (["factory.toml", "--count", "2", "-o", "factory.toml"], "cannot write"),
        (
            ["factory.toml", "--count", "2", "-o", "lot", "--unique", "mac"],
            "a spec says itself what is unique",
        ),
    ],
)
def test_what_cannot_be_made_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["batch", *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not Path("lot").exists()


COLUMN = """
[sources.customer]
kind = "column"
column = "customer"
[fields.fctryNamespace.customer]
encoding = "u16"
source = "customer"
"""


def test_columns_of_a_spec_are_those_of_a_csv(capsys: pytest.CaptureFixture[str]) -> None:
    spec = Path("factory.toml")
    spec.write_text(spec.read_text(encoding="utf-8") + COLUMN, encoding="utf-8")
    Path("values.csv").write_text("note,customer\nfirst,7\nsecond,8\n")
    assert main(["batch", "factory.toml", "values.csv", "-o", "lot"]) == 0
    rows = manifest("lot")
    assert [row["customer"] for row in rows] == ["7", "8"]
    assert len({row["serial_number"] for row in rows}) == 2
    assert items_in(Path("lot", rows[1]["file"]))["fctryNamespace", "customer"] == 8
    Path("values.csv").write_text("note,customer\nfirst,7\nsecond,9\n")
    assert main(["batch", "factory.toml", "values.csv", "-o", "lot"]) == 1
    assert "another batch" in capsys.readouterr().err


def test_device_of_a_csv_that_does_not_do_is_refused_before_the_first_image(
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = Path("factory.toml")
    spec.write_text(spec.read_text(encoding="utf-8") + COLUMN, encoding="utf-8")
    Path("values.csv").write_text("customer\n7\n70000\n")
    assert main(["batch", "factory.toml", "values.csv", "-o", "lot"]) == 1
    assert "values.csv:3: key 'customer': number out of range" in capsys.readouterr().err
    Path("values.csv").write_text("costumer\n7\n")
    assert main(["batch", "factory.toml", "values.csv", "-o", "lot"]) == 1
    assert "did you mean `costumer`?" in capsys.readouterr().err
    assert not Path("lot").exists()
    assert not Path("ledger.db").exists()


def csvs(*devices: str) -> list[str]:
    Path("config.csv").write_text("ns,namespace,\nsn,data,string\nn,data,u8\n")
    Path("values.csv").write_text("\n".join(["id,sn,n", *devices]) + "\n")
    return ["batch", "config.csv", "values.csv", "--ledger", "none"]


def test_without_a_ledger_the_same_images_are_made_and_nothing_is_remembered(tmp_path: Path) -> None:
    command = csvs("1,A1,7", "2,A2,7")
    assert main([*command, "-o", "lot"]) == 0
    assert main([*command[:-2], "-o", "recorded"]) == 0
    for name in ("00001.bin", "00002.bin", "manifest.csv", "manifest.jsonl"):
        assert Path("lot", name).read_bytes() == Path("recorded", name).read_bytes()
    assert main([*command, "-o", "lot"]) == 0
    Path("lot/00002.bin").unlink()
    assert main([*command, "-o", "lot"]) == 0
    assert items_in(Path("lot/00002.bin"))["ns", "sn"] == "A2"


@pytest.mark.parametrize(
    ("devices", "message"),
    [
        (["1,A1,7", "2,A2,7", "3,A1,8"], "values.csv:4: ns:sn: a value that another device has"),
        (["1,A1,7", "2,A2,7", "3,A1,7"], "values.csv:4: ns:sn: a value that another device has"),
    ],
)
def test_without_a_ledger_twins_of_one_run_are_refused_with_both_lines(
    devices: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*csvs(*devices), "-o", "lot", "--unique", "sn"]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "line 2 has it too" in said
    assert not Path("lot").exists()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["factory.toml", "--count", "2", "--ledger", "none"], "source serial counts"),
        (["constant.toml", "--count", "2", "--ledger", "none"], "all devices would be the same"),
        (["constant.toml", "--count", "2"], "all devices would be the same"),
    ],
)
def test_devices_that_nothing_tells_apart_are_refused(
    command: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("constant.toml").write_text(
        'schema = 1\nproduct = "p"\n[sources.a]\nkind = "constant"\nvalue = "x"\n'
        '[fields.n.k]\nencoding = "string"\nsource = "a"\n'
    )
    assert main(["batch", *command, "-o", "lot"]) == 1
    assert message in capsys.readouterr().err
    assert not Path("lot").exists()


def test_zip_file_holds_what_the_folder_would(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["batch", "factory.toml", "-o", "lot.zip", "--name", "{serial_number}"]
    assert main([*command, "--count", "3"]) == 0
    assert Path("lot.zip").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in Path().iterdir() if "lot" in path.name] == ["lot.zip"]
    with zipfile.ZipFile("lot.zip") as archive:
        assert archive.testzip() is None
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("manifest.csv"))))
        lines = [json.loads(line) for line in archive.read("manifest.jsonl").splitlines()]
        assert len(rows) == len(lines) == 3
        for row, line in zip(rows, lines, strict=True):
            data = archive.read(row["file"])
            assert hashlib.sha256(data).hexdigest() == row["sha256"] == line["sha256"]
            assert {i.key: i.value for i in nvs.decode(data)}["serial_number"] == row["serial_number"]
    before = Path("lot.zip").read_bytes()
    assert main([*command, "--count", "3"]) == 0  # the same command again
    assert main([*command, "--count", "4"]) == 1
    assert "the batch is complete, with 3 devices" in capsys.readouterr().err
    assert main(["batch", "factory.toml", "-o", "lot.zip", "--count", "3"]) == 1
    assert "there is another batch" in capsys.readouterr().err
    assert Path("lot.zip").read_bytes() == before


@pytest.mark.parametrize(
    "cut", ["fctry.identity.batch_folder.sync_folder", "fctry.identity.batch_zip.sync_folder"]
)
def test_zip_file_that_was_interrupted_is_gone_on_with(
    cut: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command = ["batch", "factory.toml", "-o", "lot.zip", "--count", "3"]
    with monkeypatch.context() as patch:
        patch.setattr(cut, lambda folder: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            main(command)
    assert main(command) == 0
    assert [path.name for path in Path().iterdir() if "lot" in path.name] == ["lot.zip"]
    with (
        zipfile.ZipFile("lot.zip") as archive,
        open_ledger("ledger.db", Station(folder=tmp_path / "state")) as ledger,
    ):
        digests = {
            hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist() if "bin" in name
        }
        assert digests == {one.image_sha256 for one in ledger.devices()}
        assert len(digests) == 3
        ledger.verify()


def test_batch_that_was_killed_while_its_zip_file_was_packed_leaves_nothing_beside_it() -> None:
    command = ["batch", "factory.toml", "-o", "lot.zip", "--count", "3"]
    killed = (
        "import os, shutil; from fctry.cli.main import main; "
        f"shutil.copyfileobj = lambda *files: os._exit(9); main({command!r})"
    )
    before = {path.name for path in Path().iterdir()}
    assert subprocess.run([sys.executable, "-c", killed], check=False).returncode == 9
    assert main(command) == 0
    assert {path.name for path in Path().iterdir()} - before == {"lot.zip", "ledger.db"}
    with zipfile.ZipFile("lot.zip") as archive:
        assert archive.testzip() is None


def test_equal_values_of_a_csv_are_refused_with_both_lines_although_others_are_counted_and_drawn(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before anything is made."""
    text = Path("factory.toml").read_text()
    source = '[sources.customer]\nkind = "column"\ncolumn = "customer"\nexample = "C1"\n'
    field = '[fields.fctryNamespace.cust]\nencoding = "string"\nsource = "customer"\nunique = true\n'
    at = "[fields.secrets.password]"
    text = text.replace(at, f"{source}\n{field}\n{at}")
    Path("factory.toml").write_text(text)
    Path("values.csv").write_text("customer\nC1\nC2\nC1\n")
    assert main(["batch", "factory.toml", "values.csv", "-o", "lot"]) == 1
    said = capsys.readouterr().err
    assert "values.csv:4: my-product/fctryNamespace:cust: a value that another device has" in said
    assert "line 2 has it too" in said
    assert not Path("lot").exists()
    assert not Path("ledger.db").exists()
