"""How a proof looks: what is written and read literally, secrets not at all."""

from collections.abc import Sequence

import pytest

from fctry.cli.proof_table import print_proof
from fctry.device.proof import Comparison, Proof
from fctry.device.report import Event


def printed(capsys: pytest.CaptureFixture[str], *rows: Comparison, errors: Sequence[Event] = ()) -> str:
    print_proof(Proof(rows, tuple(errors)))
    return capsys.readouterr().out


@pytest.mark.parametrize("text", ["ab[/x]cd", "pass[1]word[red]", ":smile:", "é"])
def test_text_is_shown_literally(capsys: pytest.CaptureFixture[str], text: str) -> None:
    out = printed(capsys, Comparison(text, text, "str", text, text))
    assert out.count(text) == 4


@pytest.mark.parametrize("char", ["\x1b", "\x07", "\n", "\r", "\x7f", "\x9b", "\u202e", "\u2028", "\udc80"])
def test_control_characters_are_shown_escaped(capsys: pytest.CaptureFixture[str], char: str) -> None:
    text = f"a{char}b"
    error = Event("error", {"code": text, "where": text, "key": text})
    out = printed(capsys, Comparison(text, text, "str", text, text), errors=[error])
    assert out.count(ascii(text)[1:-1]) == 7
    assert char == "\n" or char not in out


@pytest.mark.parametrize(
    ("is_accepted", "read", "count"),
    [(True, "(proof accepted)", 1), (False, "(proof refused)", 0), (None, "-", 0)],
)
def test_secret_is_not_shown(
    capsys: pytest.CaptureFixture[str], is_accepted: bool | None, read: str, count: int
) -> None:
    rows = [
        Comparison("secrets", "password", "str", "hünter2", None, is_secret=True, is_accepted=is_accepted),
        Comparison("secrets", "number", "u32", 4711, None, is_secret=True),
    ]
    out = printed(capsys, *rows)
    assert "nter2" not in out
    assert "4711" not in out
    assert "(secret, 8 bytes)" in out
    assert "(secret)" in out
    assert read in out
    assert f"{count} of 2 keys equal" in out
    assert "`prove`" in out


def test_all_that_is_proven_needs_no_advice(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(
        capsys, Comparison("secrets", "password", "str", "x", None, is_secret=True, is_accepted=True)
    )
    assert "proven: 1 of 1 keys equal" in out
    assert "`prove`" not in out


def test_secret_that_the_firmware_reports_is_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    row = Comparison("secrets", "password", "str", "hünter2", "hünter2", is_secret=True)
    out = printed(capsys, row, Comparison("secrets", "other", "u32", None, 4711, is_secret=True))
    assert "nter2" not in out
    assert "4711" not in out
    assert out.count("(secret, 8 bytes)") == 2
    assert "reports a secret" in out
    assert "0 of 2 keys equal" in out


def test_public_value_is_shown_though_it_is_only_proven(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(capsys, Comparison("calibration", "offset", "str", "0x7", None, is_accepted=True))
    assert "0x7" in out
    assert "(proof accepted)" in out


def test_namespace_that_the_image_lacks_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    fields = {"code": "ESP_ERR_NVS_NOT_FOUND", "where": "nvs_open", "namespace": "fctryNamespace"}
    row = Comparison("device_data", "serial_no", "str", "SN-1", None, is_accepted=True)
    out = " ".join(printed(capsys, row, errors=[Event("error", fields)]).split())
    assert "no namespace fctryNamespace, which the firmware reads, but device_data" in out
    assert "CONFIG_FACTORY_DATA_NAMESPACE" in out
