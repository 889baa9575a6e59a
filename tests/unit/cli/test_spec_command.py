"""`fctry spec`: the default product, its check, an example device, the schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from fctry.cli.main import main
from fctry.identity.draft import CounterRange
from fctry.identity.spec_example import example
from fctry.identity.spec_file import json_schema, read_spec
from fctry.identity.toml_lines import tomllib
from tests.unit.identity.template_files import write_certificates


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    path = tmp_path / "factory.toml"
    assert main(["spec", "new", "-o", str(path), "--product", 'lamp "2"']) == 0
    return path


def test_default_product_is_right_and_fits_the_smallest_partition(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["spec", "check", str(spec), "--size", "0x3000", "--strict"]) == 0
    out = capsys.readouterr().out
    assert out.endswith("no findings\n")
    assert "93 bits of entropy" in out
    assert "262,144 values, unique" in out
    assert read_spec(spec).product == 'lamp "2"'


def test_new_never_replaces_a_file(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec.write_text("mine")
    assert main(["spec", "new", "-o", str(spec)]) == 1
    assert "is there already" in capsys.readouterr().err
    assert spec.read_text() == "mine"


def test_new_asks_on_a_terminal_and_again_for_what_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(["plug", "01:00:00:00:00:00", "", "", "24:0a:c4:10:00:00", "8192", "esp32s2"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    path = tmp_path / "factory.toml"
    assert main(["spec", "new", "-o", str(path)]) == 0
    assert "multicast" in capsys.readouterr().err
    spec = read_spec(path)
    first = 0x240AC4100000
    assert spec.product == "plug"
    assert spec.counters["mac/240AC4100000"] == CounterRange(first, first + 8190, 2)
    assert main(["spec", "check", str(path), "--size", "0x3000", "--strict"]) == 0


def test_show_masks_secrets(
    spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = example(read_spec(spec))
    monkeypatch.setattr("fctry.cli.spec.show.example", lambda spec: draft)
    capsys.readouterr()
    assert main(["spec", "show", str(spec)]) == 0
    out = capsys.readouterr().out
    assert "SN0000001G" in out
    assert "02:00:00:00:00:00" in out
    assert len(draft.secrets) == 3
    assert not [value for value in draft.secrets.values() if str(value) in out]


def test_schema_takes_the_default_product(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["spec", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(schema).validate(tomllib.loads(spec.read_text(encoding="utf-8")))


def test_check_fails_when_a_block_is_too_small(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["spec", "check", str(spec), "--count", "300000", "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert found["code"] == "spec-capacity"
    assert found["where"].startswith(f"{spec}:")
    assert main(["spec", "check", str(spec), "--count", "300000", "--sarif"]) == 1
    assert json.loads(capsys.readouterr().out)["runs"][0]["results"][0]["ruleId"] == "spec-capacity"


def test_check_takes_the_size_of_the_projects_partition(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (spec.parent / "partitions.csv").write_text("nvs,data,nvs,0x9000,0x5000\nfctry,data,nvs,0xe000,0x3000\n")
    assert main(["spec", "check", str(spec)]) == 0
    more = "".join(f'[fields.blobs.b{number}]\nencoding = "binary"\nsource = "blob"\n' for number in range(3))
    source = '[sources.blob]\nkind = "bytes"\nsize_bytes = 4096\n'
    spec.write_text(spec.read_text(encoding="utf-8") + source + more, encoding="utf-8")
    assert main(["spec", "check", str(spec)]) == 1
    assert "spec-room" in capsys.readouterr().out


def test_check_knows_how_many_addresses_the_sdkconfig_derives(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (spec.parent / "sdkconfig").write_text(
        'CONFIG_IDF_TARGET="esp32"\nCONFIG_PARTITION_TABLE_CUSTOM=y\n'
        'CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="partitions.csv"\nCONFIG_ESP_MAC_UNIVERSAL_MAC_ADDRESSES=4\n'
    )
    (spec.parent / "partitions.csv").write_text("nvs,data,nvs,0x9000,0x5000\nfctry,data,nvs,0xe000,0x3000\n")
    assert main(["spec", "check", str(spec)]) == 0
    spec.write_text(
        spec.read_text(encoding="utf-8").replace('chip = "esp32" ', "step = 2 "), encoding="utf-8"
    )
    assert main(["spec", "check", str(spec)]) == 1
    assert "spec-mac-step" in capsys.readouterr().out


def test_mistake_in_a_spec_is_told_with_its_line(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec.write_text(spec.read_text(encoding="utf-8").replace('check = "', 'chek = "'), encoding="utf-8")
    assert main(["spec", "check", str(spec)]) == 1
    err = capsys.readouterr().err
    assert "unknown key" in err
    assert "hint: did you mean `check`?" in err


@pytest.mark.parametrize("sdk", ["rainmaker", "matter", "homekit"])
def test_template_for_an_sdk_is_right_once_its_files_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sdk: str
) -> None:
    write_certificates(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert main(["spec", "new", "-o", "factory.toml", "--for", sdk, "--product", "lamp"]) == 0
    spec = read_spec(tmp_path / "factory.toml")
    assert spec.product == "lamp"
    assert main(["spec", "check", "factory.toml", "--size", "0x6000", "--read-only", "--strict"]) == 0
    jsonschema.Draft202012Validator(json_schema()).validate(
        tomllib.loads((tmp_path / "factory.toml").read_text(encoding="utf-8"))
    )


def test_check_names_the_partition_that_the_sdk_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert main(["spec", "new", "-o", "factory.toml", "--for", "homekit"]) == 0
    Path("partitions.csv").write_text("nvs,data,nvs,0x9000,0x5000\nfctry,data,nvs,0xe000,0x3000,readonly\n")
    Path("sdkconfig").write_text('CONFIG_IDF_TARGET="esp32"\n')
    assert main(["spec", "check", "factory.toml", "--strict", "--partitions", "partitions.csv"]) == 1
    out = capsys.readouterr().out
    assert "HomeKit reads hap_setup from the partition 'factory_nvs'" in out
    Path("sdkconfig").write_text('CONFIG_HAP_PLATFORM_DEF_NVS_FACTORY_PARTITION="fctry"\n')
    assert main(["spec", "check", "factory.toml", "--strict", "--partitions", "partitions.csv"]) == 0
