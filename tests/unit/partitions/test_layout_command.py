"""`fctry layout …`, and the table tool for pytest-embedded."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from fctry.cli import part_tool
from fctry.cli.main import main
from fctry.partitions.binary import pack
from fctry.partitions.csv import parse_csv, read_csv
from fctry.partitions.rule import Needs
from fctry.partitions.rules import rules_for

ROOT = Path(__file__).parents[3]
TABLE = "nvs,data,nvs,0x9000,0x6000\nfctry,data,nvs,0x10000,0x6000,readonly\napp,app,factory,0x20000,1M\n"
WRONG = TABLE.replace("0x9000", "0x9100").replace("readonly", "")


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("table.csv")
    path.write_text(TABLE)
    return path


def test_build_writes_the_binary(table: Path) -> None:
    assert main(["layout", "build", str(table), "-o", "table.bin"]) == 0
    assert Path("table.bin").read_bytes() == pack(read_csv(table))


def test_build_refuses_a_bad_table_and_leaves_what_was_there(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("table.bin").write_bytes(b"before")
    table.write_text(WRONG)
    assert main(["layout", "build", str(table), "-o", "table.bin"]) == 1
    assert capsys.readouterr().err == (
        "error: table.csv:1: the offset 0x9100 of `nvs` is not a multiple of 0x1000\n"
        "hint: use 0xa000 or 0x9000, or leave it empty\n"
    )
    assert [path.name for path in Path().iterdir() if path != table] == ["table.bin"]
    assert Path("table.bin").read_bytes() == b"before"


def test_build_makes_a_table_that_only_a_device_refuses_and_says_so(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table.write_text(TABLE.replace("readonly", "encrypted"))
    assert main(["layout", "build", str(table), "-o", "table.bin"]) == 0
    assert capsys.readouterr().err == (
        "warning: table.csv has an error that a device will see: fctry layout check table.csv\n"
    )


def test_build_says_where_it_cannot_write(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layout", "build", str(table), "-o", "none/table.bin"]) == 1
    assert "error: none/table.bin: cannot write: No such file or directory" in capsys.readouterr().err


def test_variables_come_from_the_environment(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_SIZE", "0x100000")
    table.write_text(TABLE.replace("1M", "$APP_SIZE"))
    assert main(["layout", "build", str(table), "-o", "table.bin"]) == 0
    assert Path("table.bin").read_bytes() == pack(parse_csv(TABLE))


@pytest.mark.parametrize("is_dump", [False, True])
def test_read_shows_a_table_from_its_file_or_from_a_dump(
    table: Path, capsys: pytest.CaptureFixture[str], is_dump: bool
) -> None:
    data = pack(read_csv(table))
    Path("table.bin").write_bytes(b"\xff" * 0x8000 + data + b"\xff" * 0x1000 if is_dump else data)
    assert main(["layout", "read", "table.bin"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "# ESP-IDF Partition Table",
        "# Name, Type, SubType, Offset, Size, Flags",
        "nvs,data,nvs,0x9000,24K,",
        "fctry,data,nvs,0x10000,24K,readonly",
        "app,app,factory,0x20000,1M,",
    ]


def test_read_finds_a_table_that_was_moved(table: Path) -> None:
    Path("dump.bin").write_bytes(b"\xff" * 0x10000 + pack(read_csv(table)))
    assert main(["layout", "read", "dump.bin", "--table-offset", "0x10000", "-o", "back.csv"]) == 0
    assert read_csv(Path("back.csv")).partitions == read_csv(table).partitions


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello", "table.bin: no partition table: 0x5 bytes, which do not reach 0x8000"),
        (b"\xff" * 0x9000, "table.bin: at 0x0: no partition entry"),
        (pack(parse_csv(TABLE))[:4] + b"\x01" + pack(parse_csv(TABLE))[5:], "the MD5 row says"),
    ],
    ids=["short", "erased", "damaged"],
)
def test_read_says_what_is_wrong_with_a_file(
    table: Path, capsys: pytest.CaptureFixture[str], data: bytes, message: str
) -> None:
    Path("table.bin").write_bytes(data)
    assert main(["layout", "read", "table.bin"]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "hint: " in error


def test_check_prints_each_finding_with_its_remedy(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table.write_text(WRONG)
    assert main(["layout", "check", str(table)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "table.csv:1: error: the offset 0x9100 of `nvs` is not a multiple of 0x1000 [layout-offset-alignment]",
        "    remedy: use 0xa000 or 0x9000, or leave it empty",
        "table.csv:2: warning: `fctry` is not readonly: after one flipped bit nvs_flash erases the whole page "
        "[layout-factory-readonly]",
        "    remedy: write `readonly` in the sixth column of `fctry`",
        "table.csv: 3 partitions, 1 error, 1 warning; `fctry docs CODE` explains a code",
    ]


@pytest.mark.parametrize(("strict", "exit_code"), [([], 0), (["--strict"], 1)])
def test_check_fails_on_warnings_only_when_strict(table: Path, strict: list[str], exit_code: int) -> None:
    table.write_text(TABLE.replace("readonly", ""))
    assert main(["layout", "check", str(table), *strict]) == exit_code


def test_check_reads_the_configuration_beside_the_table(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = table.rename("partitions.csv")
    Path("sdkconfig.defaults").write_text(
        "CONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_ESPTOOLPY_FLASHSIZE_1MB=y\n"
    )
    assert main(["layout", "check", str(table)]) == 1
    printed = capsys.readouterr().out
    assert (
        "partitions.csv:3: error: `app` ends at 0x120000, the flash at 0x100000 [layout-flash-size]"
        in printed
    )
    assert "partitions.csv with sdkconfig.defaults: 3 partitions" in printed
    assert main(["layout", "check", str(table), "--flash-size", "4MB"]) == 0


def test_check_takes_a_binary_table(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("table.bin").write_bytes(pack(parse_csv(TABLE)))
    assert main(["layout", "check", "table.bin"]) == 0
    assert capsys.readouterr().out == "table.bin: 3 partitions, no findings\n"


def test_configuration_is_not_expected_to_name_a_binary(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("table.bin").write_bytes(pack(parse_csv(TABLE)))
    Path("my.sdkconfig").write_text("# CONFIG_PARTITION_TABLE_CUSTOM is not set\n")
    assert main(["layout", "check", "table.bin", "--sdkconfig", "my.sdkconfig"]) == 0
    assert "table.bin with my.sdkconfig: 3 partitions, no findings" in capsys.readouterr().out


def test_check_reads_configuration_and_flash_size_of_a_build(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = Path("build")
    (build / "config").mkdir(parents=True)
    content = {"flash_files": {}, "flash_settings": {"flash_size": "1MB"}}
    (build / "flasher_args.json").write_text(json.dumps(content))
    main(["layout", "check", "--json", str(table), "--build", "build"])
    assert [f["code"] for f in json.loads(capsys.readouterr().out)["findings"]] == ["layout-flash-size"]
    sdkconfig = {"PARTITION_TABLE_CUSTOM": True, "PARTITION_TABLE_CUSTOM_FILENAME": "table.csv"}
    (build / "config" / "sdkconfig.json").write_text(json.dumps({**sdkconfig, "ESPTOOLPY_FLASHSIZE": "4MB"}))
    assert main(["layout", "check", str(table), "--build", "build"]) == 0


def test_check_as_json_has_the_table_and_every_finding(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table.write_text(WRONG)
    assert main(["layout", "check", "--json", "--idf", "v5.5.1", str(table)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["file"] == "table.csv"
    assert report["idf"] == "v5.5"
    assert report["counts"] == {"error": 1, "warning": 1, "info": 0}
    assert report["partitions"][1]["name"] == "fctry"
    assert report["findings"][0] == {
        "code": "layout-offset-alignment",
        "severity": "error",
        "where": "table.csv:1",
        "message": "the offset 0x9100 of `nvs` is not a multiple of 0x1000",
        "hint": "use 0xa000 or 0x9000, or leave it empty",
        "file": "table.csv",
        "line": 1,
        "since": "v5.3",
        "title": "applications start at 64 KB, all others at 4 KB",
        "docs": "fctry docs layout-offset-alignment",
    }


def test_check_as_sarif_has_rules_and_places(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table.write_text(WRONG)
    assert main(["layout", "check", "--sarif", str(table)]) == 1
    log = json.loads(capsys.readouterr().out)
    assert log["version"] == "2.1.0"
    run = log["runs"][0]
    rules, results = run["tool"]["driver"]["rules"], run["results"]
    assert [result["ruleId"] for result in results] == ["layout-offset-alignment", "layout-factory-readonly"]
    assert [rules[result["ruleIndex"]]["id"] for result in results] == [
        result["ruleId"] for result in results
    ]
    assert [result["level"] for result in results] == ["error", "warning"]
    assert results[0]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "table.csv"},
        "region": {"startLine": 1},
    }


def test_check_needs_one_factory_partition_for_an_image(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table.write_text("nvs,data,nvs,0x9000,0x6000\napp,app,factory,0x10000,1M\n")
    Path("image.bin").write_bytes(b"")
    assert main(["layout", "check", str(table), "--image", "image.bin"]) == 1
    assert capsys.readouterr().err == (
        "error: table.csv: which partition is image.bin for? (there is none)\n"
        "hint: name the factory partition with --partition\n"
    )


@pytest.mark.parametrize("argument", ["--idf=5", "--idf=v5.2", "--table-offset=x", "--flash-size=big"])
def test_bad_argument_is_a_usage_error(table: Path, argument: str) -> None:
    assert main(["layout", "check", str(table), argument]) == 2


def test_unknown_chip_is_refused_with_those_that_are_known(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["layout", "show", str(table), "--chip", "esp23"]) == 1
    assert capsys.readouterr().err.startswith("error: unknown chip `esp23`\nhint: known are esp32, esp32s2, ")


def test_show_prints_a_map(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layout", "show", str(table), "--chip", "esp32c3", "--flash-size", "2MB"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "table.csv: flash 2 M, free 900 K, lost to alignment 40 K"
    assert lines[3] == "0x000000 ########=AAAAAA·BBBBBB~~~~~~~~~~CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"
    assert "A nvs                data/nvs           0x009000-0x00efff    24 K" in lines


def test_show_of_a_file_without_any_partition_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "image.bin").write_bytes(b"\xff" * 99)
    assert main(["layout", "show", str(tmp_path / "image.bin")]) == 1
    assert "byte 0 is not UTF-8" in capsys.readouterr().err


def test_show_puts_the_old_layout_on_the_left(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("old.csv").write_text(TABLE.replace("0x10000", "0x16000"))
    assert main(["layout", "show", str(table), "--against", "old.csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("old.csv: ")
    assert lines[4] == "0x000000 x#######=AAAAAA·······BBBBBB~~~~  x#######=AAAAAA·BBBBBB~~~~~~~~~~"


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("size", ["2MB", "8MB", "32MB"])
@pytest.mark.parametrize("against", [[], ["--against", "old.csv"]])
def test_show_fits_the_terminal(
    table: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
    size: str,
    against: list[str],
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    Path("old.csv").write_text(TABLE.replace("0x10000", "0x16000"))
    table.write_text(TABLE + "a_very_long_name,data,nvs_keys,,4K,encrypted readonly\n")
    assert main(["layout", "show", str(table), "--flash-size", size, *against]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    assert len(lines) <= 50


@pytest.mark.parametrize("columns", range(40, 81))
def test_summary_keeps_numbers_and_units_together(
    table: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    file = table.rename("partitions-of-a lamp.csv")
    assert main(["layout", "show", str(file), "--flash-size", "2MB"]) == 0
    lines = capsys.readouterr().out.split("\n\n")[0].splitlines()
    assert max(map(len, lines)) <= columns
    clauses = ["partitions-of-a lamp.csv:", "flash 2 M,", "free 900 K,", "lost to alignment 40 K"]
    assert all(any(clause in line for line in lines) for clause in clauses)


def test_show_says_when_lines_are_missing(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table.write_text(TABLE.replace("1M", "1.5M"))
    assert main(["layout", "show", str(table)]) == 0
    assert "warning: not all of table.csv can be drawn" in capsys.readouterr().err


def test_finding_says_since_when_it_holds(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table.write_text(TABLE.replace("0x9000,0x6000", "0x9000,0x2000"))
    main(["layout", "check", str(table)])
    assert "[layout-nvs-small, since v5.5]" in capsys.readouterr().out


def test_show_writes_a_drawing(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layout", "show", str(table), "--svg", "map.svg"]) == 0
    assert Path("map.svg").read_text().startswith("<svg ")
    assert capsys.readouterr().out == ""


def test_output_on_a_terminal_is_in_colour(
    table: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("FORCE_COLOR", "1")
    table.write_text(WRONG)
    main(["layout", "check", str(table)])
    assert "\x1b[1;31merror\x1b[0m" in capsys.readouterr().out


def test_check_imports_nothing_that_it_does_not_need(table: Path) -> None:
    program = (
        "import sys\n"
        "from fctry.cli.main import main\n"
        "main(['layout', 'check', 'table.csv'])\n"
        "print(*(n for n in ('esptool', 'hashlib', 'rich', 'serial', 'xml') if n in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "table.csv: 3 partitions, no findings\n\n"


def test_part_tool_prints_what_pytest_embedded_parses(
    table: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("table.bin").write_bytes(pack(parse_csv(TABLE + "odd,data,fat,,5000\n")))
    monkeypatch.setattr(sys, "argv", ["part_tool.py", "table.bin"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(ROOT / "host/fctry/cli/part_tool.py"), run_name="__main__")
    assert caught.value.code == 0
    lines = [line.split(",") for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]
    assert [(name, int(offset, 0), size) for name, _, _, offset, size, _ in lines] == [
        ("nvs", 0x9000, "24K"),
        ("fctry", 0x10000, "24K"),
        ("app", 0x20000, "1M"),
        ("odd", 0x120000, "5000"),
    ]


def test_part_tool_fails_with_the_reason(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert part_tool.main(["none.bin"]) == 1
    assert "error: none.bin: cannot read: No such file" in capsys.readouterr().err
    assert part_tool.main([]) == 2


def test_pictures_in_the_docs_are_those_that_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    drawing = tmp_path / "layouts.svg"
    assert main(["layout", "show", "partitions.csv", "--svg", str(drawing)]) == 0
    assert Path("docs/layouts.svg").read_text() == drawing.read_text()
    assert main(["layout", "show", "partitions.csv"]) == 0
    assert f"```\n{capsys.readouterr().out}```" in Path("docs/layouts.md").read_text()


def test_docs_have_a_section_for_each_code_with_what_the_rule_is() -> None:
    sections = (ROOT / "docs/layouts.md").read_text().split("\n### `")[1:]
    assert [section.partition("`")[0] for section in sections] == [rule.code for rule in rules_for(*Needs)]
    for section, rule in zip(sections, rules_for(*Needs), strict=True):
        line = section.splitlines()[2]
        assert line.startswith(f"*{rule.title[0].upper()}{rule.title[1:]}* · {rule.severity.value}")
        assert ("refused by gen_esp32part.py" in line) == rule.enforced
        assert ("since v5.5" in line) == (rule.since == (5, 5))
        assert len(section.splitlines()[4]) > 20


@pytest.mark.parametrize(
    ("data", "place", "code"),
    [
        (TABLE.replace("fctry,data", "fctry,dta").encode(), "old:2: error: ", "layout-keyword"),
        (b"\x81\xfe\xba" * 50, "old:1: error: ", "layout-encoding"),
        (b"", "old: error: ", "layout-empty"),
        (b"# Name, Type\n", "old: error: ", "layout-empty"),
    ],
    ids=["typo", "random", "empty", "comment"],
)
def test_check_against_a_table_that_cannot_be_read_whole_fails_with_what_is_wrong_with_that(
    table: Path, capsys: pytest.CaptureFixture[str], data: bytes, place: str, code: str
) -> None:
    Path("old").write_bytes(data)
    assert main(["layout", "check", str(table), "--against", "old"]) == 1
    found = [line for line in capsys.readouterr().out.splitlines() if code in line]
    assert len(found) == 1
    assert found[0].startswith(place + "this is the table to compare with, and it cannot be read whole: ")


@pytest.mark.parametrize("action", ["build", "read", "show"])
def test_output_that_is_the_input_is_refused(
    table: Path, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    option = "--svg" if action == "show" else "-o"
    before = pack(read_csv(table)) if action == "read" else table.read_bytes()
    table.write_bytes(before)
    assert main(["layout", action, str(table), option, f"../{Path.cwd().name}/{table}"]) == 1
    assert f"{table}: this is an input: it would be overwritten" in capsys.readouterr().err
    assert table.read_bytes() == before


def test_factory_partition_cannot_be_the_one_of_the_user(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["layout", "check", str(table), "--partition", "nvs"]) == 1
    out = capsys.readouterr().out
    assert "table.csv:1: error: `nvs` is the partition of the user's settings" in out
    assert "remedy: name another with --partition" in out
    assert main(["layout", "check", str(table), "--partition", "app"]) == 1
    assert "`app` is not data/nvs" in capsys.readouterr().out


def test_map_is_printed_to_a_terminal_that_knows_ascii_only(table: Path) -> None:
    command = [sys.executable, "-m", "fctry", "layout", "show", str(table)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=True
    )
    assert "AAAAAA?BBBBBB" in done.stdout


def test_table_is_printed_in_utf_8_wherever_it_goes(table: Path) -> None:
    table.write_text(TABLE + "größe,data,fat,,64K\n", encoding="utf-8")
    Path("table.bin").write_bytes(pack(read_csv(table)))
    command = [sys.executable, "-m", "fctry", "layout", "read", "table.bin"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=True
    )
    assert "größe,data,fat,".encode() in done.stdout
