"""Two CSVs as a spec: those of mfg_gen, and one with all keys beside one with a line a device."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from fctry.errors import InputError
from fctry.identity.csv_devices import Devices, devices_of
from fctry.identity.csv_spec import CsvOptions, read_csv_spec
from fctry.identity.draft import Context
from fctry.identity.sources.password import Password
from fctry.identity.spec import Field, Spec
from fctry.nvs import Value

NOW = datetime(2026, 3, 9, tzinfo=timezone.utc)
HEAD = "key,type,encoding,value\n"


def read(tmp_path: Path, config: str, values: str, options: CsvOptions | None = None) -> tuple[Spec, Devices]:
    (tmp_path / "config.csv").write_text(config)
    (tmp_path / "values.csv").write_text(values)
    spec, devices = read_csv_spec(tmp_path / "config.csv", tmp_path / "values.csv", options)
    devices.check()
    return spec, devices


def values_of(spec: Spec, devices: Devices) -> list[list[Value]]:
    drafts = [
        spec.draw({}, Context(NOW, columns=devices.cells(number + 1))) for number in range(len(devices.rows))
    ]
    return [[item.value for item in spec.items(draft)] for draft in drafts]


@pytest.mark.parametrize(
    "config",
    [
        HEAD + "ns,namespace,,\nmodel,data,string,REPEAT\nsn,data,string,\n",
        "ns,namespace,\nmodel,data,string,REPEAT\nsn,data,string\n",
    ],
)
def test_repeat_gives_all_devices_the_first_ones_value(tmp_path: Path, config: str) -> None:
    spec, devices = read(tmp_path, config, "id,model,sn\n1,WM-100,A1\n2,,A2\n3,WM-100,A3\n")
    assert values_of(spec, devices) == [["WM-100", "A1"], ["WM-100", "A2"], ["WM-100", "A3"]]


def test_repeated_value_that_differs_is_refused_with_both_lines(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"values.csv:3: model: another value") as caught:
        read(tmp_path, "ns,namespace,\nmodel,data,string,REPEAT\nsn,data,string\n", "model,sn\nA,1\nB,2\n")
    assert "line 2" in caught.value.hint


def test_cell_of_a_file_row_names_the_file_whose_content_is_stored(tmp_path: Path) -> None:
    (tmp_path / "{certs}").mkdir()
    for name in ("1", "2", "default"):
        (tmp_path / "{certs}" / f"{name}.der").write_bytes(f"CERT-{name}".encode())
    config = HEAD + "ns,namespace,,\nsn,data,string,0\ncert,file,binary,{certs}/default.der\n"
    spec, devices = read(tmp_path, config, "id,sn,cert\n1,A1,{certs}/1.der\n2,A2,{certs}/2.der\n")
    assert values_of(spec, devices) == [["A1", b"CERT-1"], ["A2", b"CERT-2"]]
    spec, devices = read(tmp_path, config, "id,sn\n1,A1\n2,A2\n")
    assert values_of(spec, devices) == [["A1", b"CERT-default"], ["A2", b"CERT-default"]]


def test_file_that_is_not_there_is_refused_with_the_devices_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"values\.csv:2: .*cannot read"):
        read(tmp_path, HEAD + "ns,namespace,,\ncert,file,binary,\n", "cert\nnone.der\n")


def test_columns_for_people_are_notes(tmp_path: Path) -> None:
    spec, devices = read(
        tmp_path, HEAD + "ns,namespace,,\nsn,data,string,0\n", "id,sn,note\n1,A1,first\n2,A2\n"
    )
    first, second = (spec.draw({}, Context(NOW, columns=devices.cells(number))) for number in (1, 2))
    assert first.public == {"sn": "A1", "id": "1", "note": "first"}
    assert first.values == {"ns:sn": "A1"}
    assert second.public == {"sn": "A2", "id": "2"}


def test_secrets_are_in_no_public_field(tmp_path: Path) -> None:
    config = HEAD + "ns,namespace,,\nsn,data,string,0\nsecrets,namespace,,\npw,data,string,\n"
    options = CsvOptions(secret=("qr",))
    spec, devices = read(tmp_path, config, "sn,pw,qr\nA1,hush,X-HM\n", options)
    draft = spec.draw({}, Context(NOW, columns=devices.cells(1)))
    assert draft.public == {"sn": "A1"}
    assert draft.secrets == {"secrets:pw": "hush", "qr": "X-HM"}


@pytest.mark.parametrize(
    ("config", "values", "message", "hint"),
    [
        ("sn,data,string,\n", "sn\nA1\n", "config.csv:2: key 'sn' before any namespace", "begin with"),
        ("ns,namespace,,\nsn,date,string,\n", "sn\nA1\n", "config.csv:3: unknown type", "file"),
        ("ns,namespace,,\nsn,data,strng,\n", "sn\nA1\n", "config.csv:3: .*unknown encoding", "string"),
        (
            "ns,namespace,,\nsn,data,string,\n",
            "id\n1\n",
            "config.csv:3: no device has a value",
            "add a column 'sn'",
        ),
        ("ns,namespace,,\nsn,data,string,\n", "sn\n", "values.csv: no devices", "one line"),
        ("ns,namespace,,\nsn,data,string,\n", "", "values.csv: empty", "names the columns"),
        (
            "ns,namespace,,\nsn,data,string,A1\n",
            "id\n1\n",
            "values.csv:1: no column is that of a key",
            ": sn",
        ),
        (
            "ns,namespace,,\nserial,data,string,0\n",
            "serail\nA1\n",
            "values.csv:1: no column 'serial'",
            "'serail'",
        ),
        (
            "ns,namespace,,\nsn,data,string,\nn,data,u8,\n",
            "sn,n\nA1,1\nA2,\n",
            "values.csv:3: ns:n: .*no value",
            "optional",
        ),
        (
            "ns,namespace,,\nsn,data,string,\nn,data,u8,\n",
            "sn,n\nA1,1\nA2,256\n",
            "values.csv:3: .*out of range",
            "0 to 255",
        ),
        (
            "ns,namespace,,\nsn,data,string,\n",
            "id,sn\n1,A1\n2,A2\n3,A1\n",
            "values.csv:4: the same device",
            "lines 2 and 4",
        ),
        (
            "a,namespace,,\nn,data,u8,\nb,namespace,,\nn,data,u8,\n",
            "n\n1\n",
            "values.csv:1: .*several",
            "a:n",
        ),
        ("a,namespace,,\nn,data,u8,\n", "n,a:n\n1,1\n", "values.csv:1: columns n and a:n", "remove"),
        (
            "a,namespace,,\nn,data,u8,\n",
            "id;n\n1;1\n",
            "values.csv:1: columns are separated by `;`",
            "commas",
        ),
        (
            "a,namespace,,\nn,data,u8,\n",
            "n,n\n1,1\n",
            "values.csv:1: column 'n' is there twice",
            "remove one",
        ),
        ("a,namespace,,\nn,data,u8,\n", "id,n\n1,1,9\n", "values.csv:2: 3 values for 2 columns", "quotes"),
    ],
)
def test_mistake_is_refused_with_its_line_and_remedy(
    tmp_path: Path, config: str, values: str, message: str, hint: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, HEAD + config, values)
    assert hint in caught.value.hint


def test_value_of_a_unique_field_is_refused_twice_with_both_lines(tmp_path: Path) -> None:
    config = HEAD + "ns,namespace,,\nsn,data,string,\nn,data,u16,\n"
    with pytest.raises(InputError, match=r"values\.csv:4: ns:n: a value that another device has") as caught:
        read(tmp_path, config, "sn,n\nA1,16\nA2,17\nA3,0x10\n", CsvOptions(unique=("n",)))
    assert "line 2" in caught.value.hint


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, HEAD + "ns,namespace,,\nn,data,u8,\n", "n\nx\n1\n256\n")
    assert [error.line for error in (caught.value, *caught.value.also)] == [2, 4]


def test_optional_key_is_left_out_of_the_image(tmp_path: Path) -> None:
    config = HEAD + "ns,namespace,,\nsn,data,string,\nn,data,u8,\nnever,data,u8,\n"
    spec, devices = read(tmp_path, config, "sn,n\nA1,1\nA2\n", CsvOptions(optional=("n", "ns:never")))
    assert values_of(spec, devices) == [["A1", 1], ["A2"]]


def test_option_about_a_key_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--unique serial") as caught:
        read(tmp_path, HEAD + "ns,namespace,,\nsn,data,string,\n", "sn\nA1\n", CsvOptions(unique=("serial",)))
    assert "ns:sn" in caught.value.hint


def test_every_device_of_a_unique_field_claims_its_value(tmp_path: Path) -> None:
    config = HEAD + "ns,namespace,,\nsn,data,string,\n"
    spec, devices = read(tmp_path, config, "sn\nA1\n", CsvOptions(unique=("sn",)))
    (claim,) = spec.draw({}, Context(NOW, columns=devices.cells(1))).claims
    assert (claim.scope, claim.value, claim.is_random) == ("ns:sn", b"A1", False)


def test_csv_of_which_a_spec_draws_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("site\nBerlin\nLima\n")
    spec = Spec("lamp", (Field("n", "k", "string", "one"),), {"one": Password()})
    with pytest.raises(InputError, match=r"customers.csv:1: the spec draws from no column") as caught:
        devices_of(spec, tmp_path / "customers.csv")
    assert "--count 2" in caught.value.hint
