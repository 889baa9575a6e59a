"""Remedies fit together: whoever follows all of them has a table without errors, where there is room for one."""

from __future__ import annotations

import re
from itertools import combinations, product
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from fctry.cli.main import main
from fctry.findings import ERROR, INFO, Finding
from fctry.partitions.checker import check
from fctry.partitions.layout import Layout, layout_of_csv, parse_layout
from fctry.partitions.options import Options
from fctry.partitions.rule import Evidence
from fctry.partitions.sdkconfig import Sdkconfig

ADD = re.compile(
    r"(?:rename `(.*?)` of line (\d+), and )?add the line `(.*?)` (below line (\d+)|below the line of `(.*?)`|as)"
)
NEEDED = {
    "phy": "CONFIG_ESP_PHY_INIT_DATA_IN_PARTITION",
    "coredump": "CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH",
    "nvs_keys": "CONFIG_NVS_ENCRYPTION",
}
KINDS = (
    ("nvs", "data", "nvs", 0x6000, ""),
    ("otadata", "data", "ota", 0x2000, ""),
    ("phy_init", "data", "phy", 0x1000, ""),
    ("fctry", "data", "nvs", 0x6000, "readonly"),
    ("keys", "data", "nvs_keys", 0x1000, "encrypted"),
    ("factory", "app", "factory", 0x100000, ""),
    ("ota_0", "app", "ota_0", 0x80000, ""),
    ("ota_1", "app", "ota_1", 0x80000, ""),
    ("web", "data", "spiffs", 0x40000, ""),
    ("core", "data", "coredump", 0x10000, ""),
    ("own", "0x40", "1", 0x3000, ""),
)
GAPS = (0, 0, 0, 0x1000, 0x6000, 0x10000, 0x180000)
PLACES = [(gap, is_open and not gap) for gap in GAPS for is_open in (True, False)]


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """Tables in which some partitions are missing, with gaps here and there and offsets that are left open."""
    rows = []
    end = 0x9000
    for name, kind, subtype, size_bytes, flags in draw(
        st.lists(st.sampled_from(KINDS), unique=True, min_size=1)
    ):
        alignment = 0x10000 if kind == "app" else 0x1000
        gap, is_open = draw(st.sampled_from(PLACES))
        offset = -(-(end + gap) // alignment) * alignment
        rows.append([name, kind, subtype, "" if is_open else hex(offset), hex(size_bytes), flags])
        end = offset + size_bytes
    return rows


DAMAGES = {
    "layout-offset-alignment": (3, lambda offset: offset + 0x800),
    "layout-overlap": (3, lambda offset: max(0x9000, offset - 0x10000)),
    "layout-table-overlap": (3, lambda _: 0x4000),
    "layout-size-sectors": (4, lambda size: size - 0x800),
    "layout-size-zero": (4, lambda _: 0),
}
damages = st.lists(st.sampled_from(list(product(range(11), sorted(DAMAGES)))), max_size=3)
evidences = st.builds(
    lambda kinds, factory: Evidence(
        factory,
        sdkconfig=Sdkconfig(
            "s", {NEEDED[kind]: "y" for kind in kinds} | {"CONFIG_PARTITION_TABLE_CUSTOM": "y"}
        ),
    ),
    st.sampled_from([chosen for count in range(4) for chosen in combinations(sorted(NEEDED), count)]),
    st.sampled_from([None, None, "none", "identity", "keys"]),
)


def _layout(rows: list[list[str]], options: Options) -> Layout:
    return parse_layout("\n".join(",".join(row) for row in rows), file="partitions.csv", options=options)


def _with_additions(rows: list[list[str]], findings: list[Finding]) -> list[list[str]]:
    """What a person makes of these remedies: each line where it is told to be."""
    marked: list[tuple[list[str], int]] = [([*row], number) for number, row in enumerate(rows, 1)]
    todo = [found for one in findings if (found := ADD.search(one.hint))]
    for renamed, line in [(found[1], found[2]) for found in todo if found[2]]:
        assert rows[int(line) - 1][0] == renamed
        marked[int(line) - 1][0][0] = f"{renamed}_2"
    while todo:
        found = next(
            one for one in todo if not one[6] or one[6] in [row[0] for row, line in marked if not line]
        )
        todo.remove(found)
        above = -1
        if found[5] or found[6]:
            above = next(
                at
                for at, (row, line) in enumerate(marked)
                if (line == int(found[5]) if found[5] else not line and row[0] == found[6])
            )
        marked.insert(above + 1, ([field.strip() for field in (found[3] + ",,,,,").split(",")][:6], 0))
    return [row for row, _ in marked]


def _with_corrections(rows: list[list[str]], findings: list[Finding]) -> list[list[str]]:
    """What a person makes of remedies for lines that are there."""
    changed = [[*row] for row in rows]
    order = False
    for one in findings:
        if not one.line or one.adds:
            continue
        number = re.search(r"use (?:the size |the offset )?(0x[0-9a-f]+)", one.hint)
        row = changed[one.line - 1]
        if one.code in ("layout-overlap", "layout-table-overlap", "layout-offset-alignment"):
            assert number or "leave it empty" in one.hint
            row[3] = number[1] if number else ""
        elif one.code == "layout-order":
            order = True
        elif number and one.severity is ERROR:
            row[4] = number[1]
        elif one.severity is ERROR:
            raise AssertionError(one)
    if order:
        offsets = [partition.offset for _, partition in _layout(changed, Options()).entries]
        changed = [row for _, row in sorted(zip(offsets, changed, strict=True))]
    return changed


def _errors(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity is ERROR]


@settings(deadline=None, max_examples=200)
@given(tables(), evidences, st.sampled_from([None, 4 << 20, 16 << 20]))
@example(
    [["factory", "app", "factory", "0x10000", "2500k", ""], ["model", "data", "spiffs", "", "1000k", ""]],
    Evidence(),
    None,
)
def test_lines_that_remedies_add_make_a_table_without_errors(
    rows: list[list[str]], evidence: Evidence, flash_size_bytes: int | None
) -> None:
    options = Options(flash_size_bytes=flash_size_bytes)
    findings = check(_layout(rows, options), evidence)
    assume(not any(one.code in ("layout-flash-size", "layout-ota-gap") for one in findings))
    mended = _layout(_with_additions(rows, findings), options)
    after = check(mended, evidence)
    if refused := [one for one in findings if one.hint.startswith("no room")]:
        assert all(
            _largest_gap(mended) < one.adds.size_bytes + 0xF000 * (one.adds.type == 0) for one in refused
        )
        return
    named = [one for one in findings if one.code == "layout-factory-name" and "add the line" not in one.hint]
    assert [one.code for one in _errors(after)] == [one.code for one in named]
    assert not [one for one in after if ADD.search(one.hint)]


@settings(deadline=None, max_examples=200)
@given(tables(), damages)
def test_all_remedies_together_mend_a_broken_table(
    rows: list[list[str]], broken: list[tuple[int, str]]
) -> None:
    options, evidence = Options(flash_size_bytes=64 << 20), Evidence()
    entries = _layout(rows, options).entries
    for at, code in broken:
        column, damage = DAMAGES[code]
        partition = entries[at % len(rows)].partition
        rows[at % len(rows)][column] = hex(damage(partition.offset if column == 3 else partition.size_bytes))
    for _ in range(20):
        findings = check(_layout(rows, options), evidence)
        assert not any("no room" in one.hint for one in findings)
        if any(one.code == "layout-ota-gap" for one in findings):
            return  # its remedy, another subtype, is one for a person
        corrected = _with_corrections(rows, findings)
        if corrected == rows:
            break
        rows = corrected
    rows = _with_additions(rows, findings)
    assert _errors(check(_layout(rows, options), evidence)) == []


def _largest_gap(layout: Layout) -> int:
    """The most bytes that are free in one piece."""
    used = sorted((partition.offset, partition.end) for _, partition in layout.entries)
    starts = [*(offset for offset, _ in used), layout.options.flash_size_bytes or 0]
    return max(start - end for start, end in zip(starts, [0x9000, *(end for _, end in used)], strict=True))


TABLE = "nvs,data,nvs,0x9000,0x6000\nfctry,data,nvs,,0x6000,readonly\n"
FULL = """nvs, data, nvs, 0x9000, 0x5000,
otadata, data, ota, 0xe000, 0x2000,
safeboot, app, factory, 0x10000, 0xD0000,
app0, app, ota_0, 0xE0000, 0x2D0000,
spiffs, data, spiffs, 0x3B0000, 0x50000,
"""


def test_remedy_without_room_says_what_to_shrink() -> None:
    (found,) = check(parse_layout(FULL, options=Options(flash_size_bytes=4 << 20)))
    assert (found.code, found.severity) == ("layout-factory", INFO)
    assert found.hint.startswith(
        "no room for the line `fctry, data, nvs, , 0x6000, readonly`: shrink `spiffs` by 0x6000"
    )


def test_remedy_in_a_flash_without_anything_to_shrink_is_a_larger_flash() -> None:
    text = "nvs,data,nvs,0x9000,0x6000\nfactory,app,factory,0x10000,32K\nlog,data,fat,,4K"
    (found,) = check(parse_layout(text, options=Options(flash_size_bytes=0x1A000)))
    assert "use a larger flash" in found.hint


def test_overlap_at_the_end_of_the_flash_is_mended_by_shrinking() -> None:
    text = f"{TABLE}app,app,factory,0x20000,2M\nlog,data,fat,0x200000,1M"
    for size_mb, hint in (
        (3, "no room behind it: shrink `app` to 0x1e0000 bytes"),
        (4, "use the offset 0x220000 or"),
    ):
        (found,) = check(parse_layout(text, options=Options(flash_size_bytes=size_mb << 20)))
        assert found.code == "layout-overlap"
        assert found.hint.startswith(hint)


def test_two_lines_for_one_place_stand_below_each_other() -> None:
    text = "factory, app, factory, 0x10000, 2500k\nmodel, data, spiffs, , 1000k\n"
    hints = [one.hint for one in check(parse_layout(text))]
    assert hints[0] == "add the line `nvs, data, nvs, 0x9000, 0x6000,` as the first line"
    assert hints[1].startswith("add the line `fctry, data, nvs, , 0x6000, readonly` below line 2")


def test_name_that_is_taken_is_given_up_first() -> None:
    hints = [
        one.hint for one in check(parse_layout("nvs,data,fat,0x9000,4K\nfactory,app,factory,0x10000,1M"))
    ]
    assert hints[0].startswith("rename `nvs` of line 1, and add the line `nvs, data, nvs, ")


@pytest.mark.parametrize("name", ["zb_storage", "ble_mesh", "settings", "custom_nvs"])
def test_nvs_of_others_is_never_taken_for_factory_data(name: str) -> None:
    text = f"nvs,data,nvs,0x9000,0x6000\nfactory,app,factory,0x10000,1M\n{name},data,nvs,0x110000,0x4000"
    (found,) = check(parse_layout(text))
    assert (found.code, found.severity) == ("layout-factory", INFO)
    assert name not in found.message + found.hint
    assert check(parse_layout(text), Evidence(factory="none")) == []
    (named,) = check(parse_layout(text), Evidence(factory=name))
    assert (named.code, named.line) == ("layout-factory-readonly", 3)


def test_byte_order_mark_that_is_not_read_is_the_only_finding() -> None:
    data = "nvs,data,nvs,0x9000,0x6000\nfactory,app,factory,0x10000,1M\n".encode("utf-8-sig")
    found = check(layout_of_csv(data, options=Options(idf=(5, 3))))
    assert [(one.code, one.line) for one in found] == [("layout-idf", 1)]


def test_hints_name_options_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    known = set()
    for group, action in (("layout", "check"), ("layout", "build"), ("image", "build"), ("image", "check")):
        assert main([group, action, "--help"]) == 0
        known |= set(re.findall(r"--[a-z][a-z0-9-]+", capsys.readouterr().out))
    sources = Path(main.__code__.co_filename).parents[1] / "partitions"
    named = {
        option
        for path in sources.rglob("*.py")
        for text in re.findall(r'"([^"\n]*)"', path.read_text())
        for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", text)
    }
    assert "--chip" in named
    assert named <= known
