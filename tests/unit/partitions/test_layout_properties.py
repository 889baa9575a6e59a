"""Whatever a file holds: findings or an error of the tree, never anything else; and maps that cover the flash."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fctry.errors import FormatError, InputError
from fctry.partitions.binary import pack, unpack
from fctry.partitions.checker import check, enforced_findings
from fctry.partitions.csv import parse_csv
from fctry.partitions.keywords import SUBTYPES, TYPES
from fctry.partitions.layout import layout_of_csv, parse_layout
from fctry.partitions.options import Options
from fctry.partitions.picture.flashmap import Kind, flash_map
from fctry.partitions.picture.svg import draw
from fctry.partitions.picture.terminal import grid, legend, marks, picture
from fctry.partitions.rule import Evidence, Needs
from fctry.partitions.rules import rules_for
from fctry.partitions.table import TABLE_BYTES
from fctry.project import Settings, open_project

# of a line, as few draws as can be: they take most of the time
NAMES = ["nvs", "fctry", "app", "log", "ota_0", "", '"x"', "a" * 17, "é"]
TYPE_NAMES = [*TYPES, "0x40", "3", "x", ""]
SUBTYPE_NAMES = [*sorted({name for known in SUBTYPES.values() for name in known}), "7", "0xff", "x", ""]
NUMBERS = ["", "4K", "1M", "0x6000", "-0x20000", "0", "1.5M", "x", "-1", "99999999999"]
FLAGS = ["", "readonly", "encrypted", "encrypted:readonly", "x", "# c"]
numbers = st.sampled_from(NUMBERS * 100 + [hex(sectors * 0x1000) for sectors in range(1025)])
lines = st.builds(
    "{0[0]},{1[0]},{1[1]},{2},{3},{0[1]}".format,
    st.sampled_from(list(itertools.product(NAMES, FLAGS))),
    st.sampled_from(list(itertools.product(TYPE_NAMES, SUBTYPE_NAMES))),
    numbers,
    numbers,
)
texts = st.one_of(st.lists(lines, max_size=8).map("\n".join), st.text(max_size=60))
options = st.builds(
    Options,
    flash_size_bytes=st.sampled_from([None, 1 << 20, 4 << 20]),
    idf=st.sampled_from([(5, 3), (5, 4), (5, 5), (6, 1)]),
    primary_bootloader_offset=st.sampled_from([None, 0x1000]),
)


@settings(deadline=None)
@given(texts, options, texts)
def test_check_finds_something_or_nothing_in_any_text(text: str, options: Options, old: str) -> None:
    layout = parse_layout(text, options=options)
    evidence = Evidence(image=b"\x00" * 0x6000, old=parse_layout(old), device=parse_layout(old).table)
    for finding in check(layout, evidence):
        assert finding.rule in rules_for(*Needs)
        assert finding.message


@settings(deadline=None)
@given(texts, options)
def test_table_is_refused_exactly_when_an_enforced_rule_is_broken(text: str, options: Options) -> None:
    if enforced_findings(parse_layout(text, options=options)):
        with pytest.raises(InputError) as caught:
            parse_csv(text, options=options)
        assert caught.value.hint
    else:
        assert len(pack(parse_csv(text, options=options))) == TABLE_BYTES


@settings(deadline=None)
@given(st.binary(max_size=200), options)
def test_bytes_that_are_no_text_are_a_finding(data: bytes, options: Options) -> None:
    check(layout_of_csv(data, file=Path("p.csv"), options=options))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_table_are_a_format_error(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        unpack(b"\xaa\x50" + data)


@settings(deadline=None)
@given(texts, options)
def test_map_of_any_layout_can_be_drawn(text: str, options: Options) -> None:
    layout = parse_layout(text, options=options)
    flash = flash_map(layout, bootloader_offset=0)
    assert flash.total(*Kind) >= flash.size_bytes  # more only where partitions overlap
    letters = marks(flash)
    cell, _ = picture([flash], letters, 64)
    assert sum(len(row) for row in grid(flash, letters, 64, cell)) == -(-flash.size_bytes // cell)
    assert len(legend(flash, letters, cell)) == len(flash.segments)
    ElementTree.fromstring(draw(flash, flash))


config_lines = st.one_of(
    st.builds(
        "CONFIG_{}={}".format,
        st.sampled_from(
            ["PARTITION_TABLE_OFFSET", "BOOTLOADER_RECOVERY_OFFSET", "IDF_TARGET", "IDF_INIT_VERSION"]
        ),
        st.sampled_from(
            ["0x9000", "0", "-1", "f" * 40, '"linux"', '"5.4"', '"9' + "9" * 5000 + '.1"', '""', "y"]
        ),
    ),
    st.sampled_from(
        ["CONFIG_PARTITION_TABLE_CUSTOM=y", "CONFIG_ESPTOOLPY_FLASHSIZE_1MB=y", "CONFIG_NVS_ENCRYPTION=y"]
    ),
    st.text(max_size=20),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(config_lines, max_size=6).map("\n".join), texts, st.text(max_size=40))
def test_table_is_checked_with_any_configuration(tmp_path: Path, config: str, text: str, ini: str) -> None:
    (tmp_path / "sdkconfig.defaults").write_text(config, "utf-8", "surrogatepass")
    (tmp_path / "platformio.ini").write_text(f"board_build.partitions={ini}", "utf-8", "surrogatepass")
    (tmp_path / "partitions.csv").write_text(text, "utf-8", "surrogatepass")
    with contextlib.suppress(InputError):
        project = open_project(Settings(tmp_path / "partitions.csv"))
        check(project.layout, Evidence(sdkconfig=project.sdkconfig))
