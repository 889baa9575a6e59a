"""What is printed fits the terminal, and long values are shortened the same way everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fctry.cli.main import main
from fctry.cli.proof_table import print_proof
from fctry.cli.text import shortened
from fctry.device.proof import Comparison, Proof
from fctry.nvs import Item, ItemType, encode

LONG, BLOB = "certificate " * 40, bytes(range(200))
ITEMS = [
    Item("a_namespace_too", "is_quite_long__", ItemType.STR, LONG),
    Item("a_namespace_too", "blob", ItemType.BLOB, BLOB),
    Item("a_namespace_too", "number", ItemType.U64, 2**64 - 1),
]


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()


@pytest.fixture(params=[60, 80, 120])
def columns(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> int:
    """A terminal that is so wide, in a folder with images and a ledger."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FCTRY_STATE", str(tmp_path / "state"))
    Path("before.bin").write_bytes(encode(ITEMS, 0x4000))
    Path("after.bin").write_bytes(encode([*ITEMS[1:], Item("n", "k", ItemType.STR, LONG)], 0x4000))
    monkeypatch.setenv("COLUMNS", str(request.param))
    monkeypatch.setenv("TERM", "xterm")
    return int(request.param)


@pytest.mark.parametrize("command", ["image show before.bin", "image diff before.bin after.bin"])
def test_values_fit_the_terminal(
    command: str, columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    main(command.split())
    lines = lines_of(capsys)
    assert max(map(len, lines)) <= columns
    assert max(map(len, lines)) > 40


def test_devices_of_a_ledger_fit_the_terminal(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    Path("config.csv").write_text(
        f"key,type,encoding,value\nn,namespace,,\nid,data,string,\nnote,data,string,{LONG}\n"
    )
    Path("values.csv").write_text("id\n1\n2\n")
    assert main(["batch", "config.csv", "values.csv", "-o", "images", "--size", "24K", "--unique", "id"]) == 0
    for command in ("ledger show", "ledger history"):
        capsys.readouterr()
        assert main(command.split()) == 0
        lines = lines_of(capsys)
        assert len(lines) >= 2
        assert max(map(len, lines)) <= columns


def test_proof_fits_the_terminal(columns: int, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tuple(Comparison(one.namespace, one.key, one.type.value, one.value, one.value) for one in ITEMS)
    print_proof(Proof(rows, ()))
    assert max(map(len, lines_of(capsys))) <= columns


def test_long_values_are_shortened_alike_in_every_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a file: 60 columns, and the bytes of all of it."""
    monkeypatch.setenv("COLUMNS", "300")
    path = tmp_path / "a.bin"
    path.write_bytes(encode(ITEMS, 0x4000))
    main(["image", "show", str(path)])
    shown = capsys.readouterr().out
    print_proof(
        Proof(tuple(Comparison(i.namespace, i.key, i.type.value, i.value, i.value) for i in ITEMS), ())
    )
    proven = capsys.readouterr().out
    for text, size_bytes in ((LONG, len(LONG)), (BLOB.hex(), len(BLOB))):
        short = shortened(text, size_bytes)
        assert len(short) == 60
        assert short.endswith(f"… ({size_bytes} bytes)")
        assert short in shown
        assert shortened(text, size_bytes, 127) in proven
