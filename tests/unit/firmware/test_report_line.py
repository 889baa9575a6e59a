"""The report line writer: C without ESP-IDF, called through ctypes, against Python's json and crcmod."""

from __future__ import annotations

import base64
import ctypes
import json
import math
import subprocess

import crcmod.predefined
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fctry.device.report import format_line, parse_line
from tests.unit.firmware.conftest import ROOT

COMPONENT = ROOT / "firmware" / "components" / "factory_data"
WRITE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_char), ctypes.c_size_t)
CALL = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

crc16 = crcmod.predefined.mkPredefinedCrcFun("crc-ccitt-false")


class Sink(ctypes.Structure):
    """factory_data_sink_t."""

    _fields_ = (
        ("write", WRITE),
        ("begin", CALL),
        ("end", CALL),
        ("context", ctypes.c_void_p),
        ("id", ctypes.c_char_p),
    )


class Line(ctypes.Structure):
    """factory_data_line_t."""

    _fields_ = (("sink", ctypes.POINTER(Sink)), ("crc", ctypes.c_uint16))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    path = tmp_path_factory.mktemp("report_line") / "report_line.so"
    command = ["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    sources = [str(COMPONENT / "src" / "report_line.c")]
    subprocess.run([*command, f"-I{COMPONENT / 'include'}", "-o", path, *sources], check=True)
    loaded = ctypes.CDLL(str(path))
    loaded.factory_data_crc16.restype = ctypes.c_uint16
    loaded.factory_data_crc16.argtypes = [ctypes.c_uint16, ctypes.c_char_p, ctypes.c_size_t]
    loaded.factory_data_is_utf8.restype = ctypes.c_bool
    loaded.factory_data_is_utf8.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    return loaded


class Writer:
    """Writes lines with the C code and collects what it sends."""

    def __init__(self, library: ctypes.CDLL, id_: bytes | None = None) -> None:
        self._library = library
        self._line = Line()
        self.calls: list[str] = []
        self.output = b""
        self._sink = Sink(
            WRITE(self._write),
            CALL(lambda _: self.calls.append("begin")),
            CALL(lambda _: self.calls.append("end")),
            None,
            id_,
        )

    def _write(self, _: object, data: ctypes.Array[ctypes.c_char], length: int) -> None:
        self.output += data[:length]

    def line(self, event: bytes, *fields: tuple[object, ...]) -> bytes:
        """The line; each field is the function's suffix and its arguments."""
        begin = self._library.factory_data_line_begin
        begin(ctypes.byref(self._line), ctypes.byref(self._sink), event)
        for suffix, *arguments in fields:
            getattr(self._library, f"factory_data_line_{suffix}")(ctypes.byref(self._line), *arguments)
        self._library.factory_data_line_end(ctypes.byref(self._line))
        return self.output


def fields_of(line: bytes) -> dict[str, object]:
    event = parse_line(line)
    assert event is not None
    return dict(event.fields)


@given(data=st.binary())
def test_crc16_equals_crcmod(library: ctypes.CDLL, data: bytes) -> None:
    assert library.factory_data_crc16(0xFFFF, data, len(data)) == crc16(data)


def test_crc16_has_the_catalogued_check_value(library: ctypes.CDLL) -> None:
    assert library.factory_data_crc16(0xFFFF, b"123456789", 9) == 0x29B1


@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_text_is_json_that_python_reads_back(library: ctypes.CDLL, text: str) -> None:
    line = Writer(library).line(b"item", ("text", b"value", text.encode()))
    assert fields_of(line) == {"value": text}


@given(data=st.binary().map(lambda data: data.replace(b"\0", b"")))
def test_text_of_any_bytes_is_valid_json(library: ctypes.CDLL, data: bytes) -> None:
    line = Writer(library).line(b"item", ("text", b"value", data))
    assert isinstance(fields_of(line)["value"], str)


def test_text_that_is_not_utf8_has_replacement_characters(library: ctypes.CDLL) -> None:
    line = Writer(library).line(b"item", ("text", b"value", b"a\xffb\xc3"))
    assert fields_of(line) == {"value": "a\ufffdb\ufffd"}


@given(data=st.binary())
def test_base64_equals_pythons(library: ctypes.CDLL, data: bytes) -> None:
    line = Writer(library).line(b"item", ("base64", b"value", data, ctypes.c_size_t(len(data))))
    assert fields_of(line) == {"value": base64.b64encode(data).decode()}


@given(value=st.integers(0, 2**64 - 1))
def test_unsigned_is_exact(library: ctypes.CDLL, value: int) -> None:
    line = Writer(library).line(b"item", ("unsigned", b"value", ctypes.c_uint64(value)))
    assert fields_of(line) == {"value": value}


@given(value=st.integers(-(2**63), 2**63 - 1))
def test_signed_is_exact(library: ctypes.CDLL, value: int) -> None:
    line = Writer(library).line(b"item", ("signed", b"value", ctypes.c_int64(value)))
    assert fields_of(line) == {"value": value}


@pytest.mark.parametrize("value", [-(2**63), -1, 0, 1, 2**63 - 1])
def test_signed_is_exact_at_its_limits(library: ctypes.CDLL, value: int) -> None:
    line = Writer(library).line(b"item", ("signed", b"value", ctypes.c_int64(value)))
    assert json.loads(line[7:-6])["value"] == value


@given(value=st.floats(allow_nan=False))
@example(value=-0.0)
@example(value=5e-324)
@example(value=float("-inf"))
def test_float_is_exact(library: ctypes.CDLL, value: float) -> None:
    line = Writer(library).line(b"item", ("float", b"value", ctypes.c_double(value)))
    read = float.fromhex(fields_of(line)["value"])
    assert (read, math.copysign(1, read)) == (value, math.copysign(1, value))


def test_float_is_written_as_c_does(library: ctypes.CDLL) -> None:
    line = Writer(library).line(b"item", ("float", b"value", ctypes.c_double(3.0)))
    assert fields_of(line) == {"value": "0x1.8p+1"}


def test_float_that_is_no_number_is_said(library: ctypes.CDLL) -> None:
    line = Writer(library).line(b"item", ("float", b"value", ctypes.c_double(math.nan)))
    assert fields_of(line) == {"value": "nan"}


@pytest.mark.parametrize("value", [True, False])
def test_bool_is_json(library: ctypes.CDLL, value: bool) -> None:
    line = Writer(library).line(b"item", ("bool", b"value", ctypes.c_bool(value)))
    assert fields_of(line) == {"value": value}


def test_line_is_the_one_that_python_formats(library: ctypes.CDLL) -> None:
    line = Writer(library).line(
        b"end", ("text", b"partition", b"fctry"), ("unsigned", b"items", ctypes.c_uint64(2))
    )
    assert line.decode() == format_line({"event": "end", "partition": "fctry", "items": 2}) + "\n"


def test_line_carries_the_id_of_its_sink(library: ctypes.CDLL) -> None:
    line = Writer(library, b"x-1").line(b"done")
    assert line.decode() == format_line({"event": "done", "id": "x-1"}) + "\n"


def test_sink_is_told_of_begin_and_end(library: ctypes.CDLL) -> None:
    writer = Writer(library)
    writer.line(b"ready")
    assert writer.calls == ["begin", "end"]


@given(data=st.binary(max_size=8))
def test_utf8_check_agrees_with_python(library: ctypes.CDLL, data: bytes) -> None:
    try:
        data.decode()
        expected = True
    except UnicodeDecodeError:
        expected = False
    assert library.factory_data_is_utf8(data, len(data)) is expected


@pytest.mark.parametrize(
    "data",
    [
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xe0\x9f\xbf",
        b"\xed\xa0\x80",
        b"\xf0\x8f\xbf\xbf",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xe2\x82",
        b"\x80",
    ],
    ids=[
        "overlong NUL",
        "overlong 2",
        "overlong 3",
        "surrogate",
        "overlong 4",
        "above U+10FFFF",
        "F5",
        "cut",
        "lone",
    ],
)
def test_utf8_check_refuses(library: ctypes.CDLL, data: bytes) -> None:
    assert not library.factory_data_is_utf8(data, len(data))
