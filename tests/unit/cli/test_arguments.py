"""Arguments: what is taken, and what is said of what is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fctry.cli import arguments
from fctry.cli.arguments import BadParameter
from fctry.cli.main import main


@pytest.mark.parametrize(
    "words",
    [
        ["provision", "--operator", "caf\udce9"],
        ["provision", "--lot", "caf\udce9"],
        ["batch", "factory.toml", "--count", "1", "-o", "out", "--lot", "caf\udce9"],
        ["ledger", "find", "caf\udce9"],
        ["label", "caf\udce9", "-o", "label.svg"],
    ],
)
def test_text_that_is_no_utf8_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "is no UTF-8 text" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("24K", 0x6000),
        ("24k", 0x6000),
        ("24 KB", 0x6000),
        ("24KiB", 0x6000),
        ("0x6000", 0x6000),
        ("24576", 0x6000),
        ("24576B", 0x6000),
        ("4MB", 0x400000),
        ("16M", 0x1000000),
        ("0", 0),
    ],
)
def test_size_is_taken_in_every_usual_spelling(text: str, size_bytes: int) -> None:
    assert arguments.size(text) == size_bytes


@pytest.mark.parametrize(
    "text", ["", "K", "1.5M", "24KK", "-1", "24G", "0x", "\u0661", "4294967296", "9" * 5000]
)
def test_size_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadParameter, match="write it as 24K, 4MB, 0x6000 or 24576"):
        arguments.size(text)


@given(st.integers(0, 0xFFFFFFFF))
def test_number_is_itself_in_decimal_and_in_hex(number: int) -> None:
    for text in (str(number), hex(number)):
        assert arguments.integer(text) == arguments.size(text) == number


@pytest.mark.parametrize(
    "kind",
    [
        arguments.integer,
        arguments.count,
        arguments.tcp_port,
        arguments.baud,
        arguments.seconds,
        arguments.mac,
        arguments.idf,
    ],
)
@pytest.mark.parametrize("text", ["", "x", "-1", "nan", "1e999", "9" * 5000, "\0"])
def test_what_is_none_is_refused_in_words(kind: Callable[[str], object], text: str) -> None:
    with pytest.raises(BadParameter, match=" is no "):
        kind(text)


@pytest.mark.parametrize(
    "argv",
    [
        ["layout", "read", "x.bin", "--table-offset", "x"],
        ["layout", "check", "x.csv", "--recovery-bootloader-offset", "1x"],
        ["image", "build", "x.csv", "-o", "x.bin", "--size", "big"],
        ["board", "--port", "70000"],
        ["board", "--mac", "24:0a"],
        ["flash", "x.bin", "--port", "p", "--baud", "99999999999"],
    ],
)
def test_bad_argument_is_a_usage_error_in_words(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    said = capsys.readouterr().err
    assert f"{argv[-1]!r} is no " in said
    assert "invalid" not in said
