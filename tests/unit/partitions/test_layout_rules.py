"""Each rule against a table that breaks it, and only it, and against one that is close to it and fine.

The tables are tests/data/partitions/rules/CODE/breaks.csv and fine.csv. Comments at their top say how they are checked:
`# arguments:` for the command line, `# file: NAME SIZE` for a file of that many bytes, `# file: NAME table[:CSV]` for
the binary of this table, or of another one.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fctry.cli.main import main
from fctry.errors import InputError
from fctry.partitions.binary import pack, unpack
from fctry.partitions.checker import applicable, check, enforced_findings
from fctry.partitions.csv import parse_csv, read_csv
from fctry.partitions.flasher_args import FlasherArgs, read_flasher_args
from fctry.partitions.layout import parse_layout
from fctry.partitions.options import Options
from fctry.partitions.rule import Evidence, Needs
from fctry.partitions.rules import rules_for
from fctry.partitions.sdkconfig import Sdkconfig
from fctry.partitions.source import open_layout

TABLES = Path(__file__).parents[2] / "data/partitions/rules"
DIRECTIVE = re.compile(r"# (arguments|file): (.*)")
RULES = {rule.code: rule for rule in rules_for(*Needs)}
CODES = [code for code, rule in RULES.items() if rule.needs is not Needs.DEVICE]
CODES_OF_FIRST_LINES = {"layout-encoding", "layout-variable"}


def _directives(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if found := DIRECTIVE.fullmatch(line):
            yield found[1], found[2]


def _make_file(table: Path, text: str) -> None:
    name, content = text.split()
    if content.startswith("table"):
        other = content.partition(":")[2]
        data = pack(read_csv(table.with_name(other) if other else table))
    else:
        data = bytes(int(content, 0))
    table.with_name(name).write_bytes(data)


def _codes(table: Path, capsys: pytest.CaptureFixture[str]) -> set[str]:
    arguments = ["layout", "check", "--json", table.name]
    for what, text in _directives(table):
        if what == "arguments":
            arguments += text.split()
        else:
            _make_file(table, text)
    exit_code = main(arguments)
    printed = capsys.readouterr()
    assert not printed.err
    found = json.loads(printed.out)["findings"]
    assert exit_code == int(any(finding["severity"] == "error" for finding in found))
    assert all(finding["hint"] for finding in found)
    return {finding["code"] for finding in found}


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / request.param
    shutil.copytree(TABLES / request.param, copy)
    monkeypatch.chdir(copy)
    monkeypatch.delenv("FCTRY_UNSET", raising=False)
    return copy


@pytest.mark.parametrize("folder", CODES, indirect=True)
def test_table_that_breaks_a_rule_gets_that_finding_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _codes(folder / "breaks.csv", capsys) == {folder.name}


@pytest.mark.parametrize("folder", CODES, indirect=True)
def test_table_that_is_close_to_a_rule_and_fine_gets_no_finding(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _codes(folder / "fine.csv", capsys) == set()


def test_every_folder_of_tables_is_that_of_a_rule() -> None:
    assert sorted(path.name for path in TABLES.iterdir()) == sorted(CODES)
    assert len(RULES) == len(rules_for(*Needs))  # no two have one code


def test_board_with_another_table_is_a_finding_for_each_difference() -> None:
    layout = parse_layout(
        "nvs,data,nvs,0x9000,0x6000\nfctry,data,nvs,0x10000,0x6000,readonly\na,app,factory,0x20000,1M"
    )
    board = parse_csv("nvs,data,nvs,0x9000,0x6000\nfctry,data,nvs,0x10000,0x6000\nb,app,factory,0x20000,1M")
    found = check(layout, Evidence(device=board))
    assert [(finding.code, finding.line) for finding in found] == [
        ("layout-device", 0),
        ("layout-device", 2),
        ("layout-device", 3),
    ]
    assert "the board has `b`" in found[0].message
    assert "0x6000 bytes, here it is data/nvs at 0x10000, 0x6000 bytes readonly" in found[1].message


def test_board_with_this_table_is_fine() -> None:
    text = "nvs,data,nvs,0x9000,0x6000\nfctry,data,nvs,0x10000,0x6000,readonly\na,app,factory,0x20000,1M"
    assert check(parse_layout(text), Evidence(device=parse_csv(text))) == []


def test_name_that_the_binary_cuts_is_the_same_on_a_board() -> None:
    text = "customer_storage_1,data,fat,0x9000,4K\nééééééééé,data,fat,,4K"
    layout = parse_layout(text)
    board = unpack(pack(layout.table))
    assert "layout-device" not in {finding.code for finding in check(layout, Evidence(device=board))}


def test_table_with_too_many_partitions_is_compared_with_a_build(tmp_path: Path) -> None:
    text = "\n".join(f"p{n},0x40,{n},,4K" for n in range(96))
    (tmp_path / "table.bin").write_bytes(pack(parse_csv("p0,0x40,0,,4K")))
    args = {"flash_files": {"0x8000": "table.bin"}, "partition-table": {"file": "table.bin"}}
    (tmp_path / "flasher_args.json").write_text(json.dumps(args))
    found = check(parse_layout(text), Evidence(build=read_flasher_args(tmp_path)))
    assert {"layout-too-many", "layout-build-table"} <= {finding.code for finding in found}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"flash_files": []}', '{"flash_files": {"x": "y"}}'])
def test_file_that_is_no_flasher_args_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "flasher_args.json").write_text(content)
    with pytest.raises(InputError, match=r"flasher_args\.json: not a flasher_args\.json") as caught:
        read_flasher_args(tmp_path)
    assert caught.value.hint


def test_check_says_everything_at_once_and_each_with_its_line() -> None:
    layout = parse_layout(
        "nvs,data,nvs,0x9100,0x5100\nphy,data,py,,4K\nfctry,data,nvs,0x10000,1.5K,encrypted\napp,app,,,1M",
        file="p.csv",
    )
    assert [(finding.where, finding.code) for finding in check(layout)] == [
        ("p.csv:1", "layout-offset-alignment"),
        ("p.csv:1", "layout-nvs-sectors"),
        ("p.csv:2", "layout-keyword"),
        ("p.csv:3", "layout-number"),
        ("p.csv:4", "layout-field-missing"),
    ]


def test_rule_that_begins_with_a_release_is_not_held_against_an_older_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = TABLES / "layout-nvs-small" / "breaks.csv"
    main(["layout", "check", "--json", str(table), "--idf", "v5.4"])
    assert json.loads(capsys.readouterr().out)["findings"] == []


@pytest.mark.parametrize(
    ("evidence", "needs"),
    [
        (Evidence(), set()),
        (Evidence(image=b""), {Needs.IMAGE}),
        (Evidence(sdkconfig=Sdkconfig("", {}, {}, is_whole=False)), {Needs.SDKCONFIG}),
        (Evidence(build=FlasherArgs("", (), None, None)), {Needs.BUILD}),
        (Evidence(old=parse_layout("")), {Needs.AGAINST}),
        (Evidence(device=parse_layout("").table), {Needs.DEVICE}),
    ],
    ids=["table", "image", "sdkconfig", "build", "against", "device"],
)
def test_rules_are_applied_when_what_they_need_is_given(evidence: Evidence, needs: set[Needs]) -> None:
    applied = applicable(parse_layout(""), evidence)
    assert {rule.needs for rule in applied} == {Needs.TABLE, *needs}
    assert [rule for rule in RULES.values() if rule.needs in {Needs.TABLE, *needs}] == applied


def test_rules_of_a_later_release_are_not_applied() -> None:
    codes = {rule.code for rule in applicable(parse_layout("", options=Options(idf=(5, 4))))}
    assert "layout-nvs-small" not in codes
    assert "layout-nvs-readonly-small" in codes


def test_enforced_rules_are_those_that_stop_a_build() -> None:
    for code in CODES:
        layout = open_layout(TABLES / code / "breaks.csv")
        enforced = {problem.code for problem in enforced_findings(layout)}
        assert enforced <= {code}
        if enforced:
            assert RULES[code].enforced
