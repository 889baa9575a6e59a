"""`fctry label`: what is printed is found again by scanning it."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path

import pypdfium2
import pytest
import resvg_py
import zxingcpp
from PIL import Image

from fctry.cli.main import main
from fctry.identity.ledger import Station, open_ledger

TEXT = ["--text", "Lamp 2", "--text", "SN {serial_number}", "--qr", "{serial_number}"]


def enter(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "product").mkdir(exist_ok=True)
    patch.setenv("FCTRY_STATE", str(folder / "state"))
    patch.chdir(folder / "product")


@pytest.fixture(scope="module")
def product_and_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        enter(folder, patch)
        assert main(["spec", "new", "-o", "factory.toml"]) == 0
        assert main(["batch", "factory.toml", "--count", "5", "-o", "lot", "--size", "0x3000"]) == 0
    return folder


@pytest.fixture(autouse=True)
def lot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, product_and_state: Path) -> list[str]:
    """A batch of 5 devices in the folder `lot` of a product's folder, which is entered: their serial numbers."""
    shutil.copytree(product_and_state, tmp_path, dirs_exist_ok=True)
    enter(tmp_path, monkeypatch)
    with Path("lot/manifest.csv").open(newline="") as file:
        return [row["serial_number"] for row in csv.DictReader(file)]


def scanned(document: bytes) -> list[str]:
    png = bytes(resvg_py.svg_to_bytes(svg_string=document.decode(), dpi=96, width=800))
    return [one.text for one in zxingcpp.read_barcodes(Image.open(io.BytesIO(png)).convert("L"))]


def test_scanned_label_finds_its_device(lot: list[str], tmp_path: Path) -> None:
    assert main(["label", lot[2], *TEXT, "-o", "label.svg"]) == 0
    (text,) = scanned(Path("label.svg").read_bytes())
    with open_ledger("ledger.db", Station(folder=tmp_path / "state")) as ledger:
        (device,) = ledger.find(text)
        assert device.number == 3
        assert ledger.history(device.id)[-1].event == "label"


def test_sheet_has_the_labels_of_a_batch(lot: list[str]) -> None:
    arguments = ["--sheet", "2x4", "--margin", "8x10", "--gap", "2x2", "--skip", "1"]
    assert main(["label", "--batch", "lot", *TEXT, *arguments, "-o", "labels.pdf"]) == 0
    (page,) = pypdfium2.PdfDocument(Path("labels.pdf").read_bytes())
    found = zxingcpp.read_barcodes(page.render(scale=4).to_pil())
    assert sorted(one.text for one in found) == lot


def test_label_printer_gets_a_format_for_each_device(lot: list[str]) -> None:
    assert main(["label", "--batch", "lot", *TEXT, "-o", "labels.zpl"]) == 0
    said = Path("labels.zpl").read_text()
    assert said.count("^XA") == said.count("^XZ") == 5
    assert all(f"^FDSN {serial}^FS" in said for serial in lot)


def test_setup_code_is_printed_with_the_private_key_only(
    lot: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = ["label", lot[0], "--qr", "{setup_payload}", "--code", "{setup_code}", "-o", "label.svg"]
    assert main(secret) == 1
    assert "secrets are read with --private-key" in capsys.readouterr().err
    assert not Path("label.svg").exists()
    (private_key,) = (tmp_path / "state").glob("*.agekey")
    assert main([*secret, "--private-key", str(private_key)]) == 0
    (payload,) = scanned(Path("label.svg").read_bytes())
    assert payload.startswith("X-HM://")
    with open_ledger("ledger.db", Station(folder=tmp_path / "state")) as ledger:
        assert [entry.event for entry in ledger.history(1)][-2:] == ["revealed", "label"]


SAME_KEY = """
[sources.pin]
kind = "number"
high = 18446744073709551615
[fields.secrets.mac_addr]
encoding = "string"
source = "password"
[fields.secrets.pin]
encoding = "u64"
source = "pin"
"""


def test_secret_is_printed_by_its_name_whatever_its_type_and_the_public_value_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = (
        Path("factory.toml")
        .read_text()
        .replace('"{mac_addr}"', '"{fctryNamespace:mac_addr}", "{secrets:pin}"')
    )
    Path("pin.toml").write_text(spec + SAME_KEY)
    assert main(["batch", "pin.toml", "--count", "1", "-o", "pins", "--size", "0x3000"]) == 0
    (private_key,) = (tmp_path / "state").glob("*.agekey")
    assert main(["ledger", "reveal", "6", "--private-key", str(private_key), "--why", "test"]) == 0
    secrets = json.loads(capsys.readouterr().out.splitlines()[-1])
    printed = ["label", "--batch", "pins", "--spec", "pin.toml", "-o", "label.svg"]
    key = ["--private-key", str(private_key)]
    assert main([*printed, *key]) == 0
    label = Path("label.svg").read_text()
    assert ">02:00:00:00:00:14<" in label
    assert f">{secrets['secrets:pin']}<" in label
    printed = ["label", "--batch", "pins", "-o", "label.svg", *key, "--qr"]
    for name, value in (("pin", secrets["secrets:pin"]), ("secrets:mac_addr", secrets["secrets:mac_addr"])):
        assert main([*printed, f"{{{name}}}"]) == 0
        assert scanned(Path("label.svg").read_bytes()) == [str(value)]
    assert main([*printed, "{mac_addr}"]) == 1


def test_label_with_a_key_that_is_there_twice_is_refused_when_the_spec_is_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("pin.toml").write_text(Path("factory.toml").read_text() + SAME_KEY)
    assert main(["spec", "check", "pin.toml"]) == 1
    assert "label.lines: no field is called 'mac_addr'" in capsys.readouterr().err


def test_spec_whose_label_would_not_be_used_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label", "SN0000001G", *TEXT, "--spec", "absent.toml", "-o", "label.svg"]) == 2
    assert "exclude each other" in capsys.readouterr().err


def test_text_beside_the_label_of_the_spec_asks_for_the_qr_code(
    lot: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["label", lot[0], "--text", "Lamp 2", "-o", "label.svg"]) == 1
    assert "hint: give --qr too" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody", "-o", "label.svg"], "0 devices with the unique value 'nobody'"),
        (["-o", "label.svg"], "labels of which devices?"),
        (["--batch", "lot", "-o", "label.svg"], "one SVG is one label"),
        (["--batch", "lot", "-o", "label.png"], "no kind of label"),
        (["--batch", ".", "-o", "labels.pdf"], "no batch"),
        (["--batch", "lot", "--sheet", "9x9", "-o", "labels.pdf"], "leave the page"),
        (["--batch", "lot", "--size", "10x5", "-o", "labels.pdf"], "does not fit a label"),
    ],
)
def test_what_cannot_be_printed_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["label", *TEXT, *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not [one for one in Path().iterdir() if one.stem.startswith("label")]


def test_label_is_the_specs_and_its_code_finds_the_device(
    lot: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    spec = Path("factory.toml")
    text = spec.read_text(encoding="utf-8")
    label = 'qr = "https://example.com/?sn={serial_number}"\nlines = ["Lamp", "{mac_addr}"]\nsize = "80x40"\n'
    spec.write_text(text[: text.index("[label]")] + "[label]\n" + label, encoding="utf-8")
    assert main(["label", lot[2], "-o", "label.svg"]) == 0
    drawn = Path("label.svg").read_text()
    assert 'width="80mm" height="40mm"' in drawn
    assert ">Lamp</text>" in drawn
    capsys.readouterr()
    (code,) = scanned(Path("label.svg").read_bytes())
    assert main(["ledger", "find", code]) == 0
    assert capsys.readouterr().out.split()[0] == "3"


def test_code_of_a_secret_payload_finds_the_device(
    lot: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (key,) = (tmp_path / "state").glob("*.agekey")
    assert (
        main(["label", lot[1], "--qr", "{setup_payload}", "--private-key", str(key), "-o", "label.svg"]) == 0
    )
    (code,) = scanned(Path("label.svg").read_bytes())
    capsys.readouterr()
    assert main(["ledger", "find", code]) == 0
    assert capsys.readouterr().out.split()[0] == "2"


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ('qr = "{serial}"', "label.qr: no field is called 'serial'"),
        ('qr = "x"\nlines = ["{mac}"]', "label.lines: no field is called 'mac'"),
        ('qr = "x"\nsize = "big"', "size 'big' is no pair of numbers"),
        ('lines = ["x"]', "label: no qr"),
        ('qr = "{serial_number"', "a brace without its other one"),
    ],
)
def test_label_of_a_spec_that_means_nothing_is_refused_with_its_line(
    label: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = Path("factory.toml")
    text = spec.read_text(encoding="utf-8")
    text = text[: text.index("[label]")]
    spec.write_text(f"{text}[label]\n{label}\n", encoding="utf-8")
    assert main(["spec", "check", "factory.toml"]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert re.search(r"factory\.toml:\d+: label", said)


def test_text_of_a_code_may_be_json(lot: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label", lot[1], "--qr", '{"ver":"v1","name":"{serial_number}"}', "-o", "label.svg"]) == 0
    (code,) = scanned(Path("label.svg").read_bytes())
    assert code == f'{{"ver":"v1","name":"{lot[1]}"}}'
    capsys.readouterr()
    assert main(["ledger", "find", code]) == 0
    assert capsys.readouterr().out.split()[0] == "2"


def test_brace_that_is_not_closed_is_refused(lot: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label", lot[1], "--qr", "{serial_number", "-o", "label.svg"]) == 1
    assert "a brace without its other one" in capsys.readouterr().err
    assert not Path("label.svg").exists()


def test_device_that_is_named_twice_has_two_labels(lot: list[str]) -> None:
    assert main(["label", lot[1], lot[1], *TEXT, "-o", "label.zpl"]) == 0
    assert Path("label.zpl").read_text().count("^XA") == 2


def test_label_that_nobody_describes_is_refused(lot: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("factory.toml").unlink()
    assert main(["label", lot[0], "-o", "label.svg"]) == 1
    assert "what shall the QR code say?\nhint: give --qr, or a table [label]" in capsys.readouterr().err
