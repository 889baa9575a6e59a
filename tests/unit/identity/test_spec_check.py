"""Findings about specs: one fault for each code, and none for the specs that the documents show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from fctry.errors import InputError
from fctry.findings import Severity
from fctry.identity.spec_check import RULES, check, require
from fctry.identity.spec_file import json_schema, read_spec
from fctry.identity.spec_rules import Room
from fctry.identity.toml_lines import tomllib
from fctry.nvs.sdks import MATTER
from fctry.partitions.sdkconfig import Sdkconfig

ROOT = Path(__file__).parents[3]
HEAD = 'schema = 1\nproduct = "lamp"\n'
SERIAL = '[sources.s]\nkind = "serial"\ntemplate = "{counter}"\n'
PLACE = Room(0x3000, sdkconfig=Sdkconfig("sdkconfig", {"CONFIG_ESP_MAC_UNIVERSAL_MAC_ADDRESSES": "4"}))


def field(source: str, more: str = "", place: str = "ns.key", encoding: str = "string") -> str:
    return f'[fields.{place}]\nencoding = "{encoding}"\nsource = "{source}"\n{more}\n'


def codes(tmp_path: Path, text: str, room: Room = PLACE) -> set[str]:
    path = tmp_path / "factory.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return {one.code for one in check(read_spec(path), room)}


UNIQUE = "unique = true"
MAC = '[sources.{}]\nkind = "mac"\nstart = "24:0A:C4:00:00:{}"\ncount = 16\nchip = "esp32"\n'
NUMBER = '[sources.n]\nkind = "number"\nhigh = 4095\n'
FAULTS = {
    "spec-name": SERIAL + field("s", UNIQUE, "ns.'éééééééé'"),
    "spec-source": '[sources.f]\nkind = "file"\npath = "missing"\n' + field("f"),
    "spec-value": '[sources.s]\nkind = "serial"\ntemplate = "{counter}"\nlast = 256\n'
    + field("s", UNIQUE, encoding="u8"),
    "spec-room": '[sources.b]\nkind = "bytes"\nsize_bytes = 4096\n'
    + "".join(field("b", place=f"ns.k{number}", encoding="binary") for number in range(3)),
    "spec-capacity": "count = 4097\n" + NUMBER + field("n", UNIQUE, encoding="u16"),
    "spec-crowded": "count = 4096\n" + NUMBER + field("n", UNIQUE, encoding="u16"),
    "spec-not-unique": SERIAL + field("s"),
    "spec-collision": SERIAL + field("s", 'unique = "x"') + field("s", 'unique = "x"', "ns.other"),
    "spec-mac-step": MAC.format("m", "00") + "step = 2\n" + field("m", UNIQUE),
    "spec-secret-place": '[sources.p]\nkind = "password"\n' + field("p", "secret = true"),
    "spec-secret-shown": '[sources.p]\nkind = "password"\n[notes.n]\nsource = "p"\n'
    + field("p", place="secrets.p"),
    "spec-weak": '[sources.p]\nkind = "password"\nlength = 8\n' + field("p", place="secrets.p"),
    "spec-same-secret": '[sources.c]\nkind = "constant"\nvalue = "x"\n' + field("c", place="secrets.p"),
    "spec-unused": SERIAL + field("s", UNIQUE) + NUMBER,
    "spec-sdk-type": SERIAL + field("s", UNIQUE, "rmaker_creds.node_id"),
    "spec-sdk-size": SERIAL + field("s", UNIQUE, "hap_setup.setup_id", "binary"),
    "spec-sdk-partition": SERIAL + field("s", UNIQUE, "chip-factory.serial-num"),
    "spec-sdk-write": SERIAL + field("s", UNIQUE, "rmaker_creds.node_id", "binary"),
    "spec-station": '[sources.m]\nkind = "station"\n' + field("m", UNIQUE),
}
PLACES = {
    "spec-sdk-partition": replace(PLACE, label="fctry"),  # Matter's is nvs unless the sdkconfig says so
    "spec-sdk-write": replace(PLACE, read_only=True),
}


@pytest.mark.parametrize("code", FAULTS)
def test_fault_is_found_and_nothing_else(tmp_path: Path, code: str) -> None:
    assert codes(tmp_path, FAULTS[code], PLACES.get(code, PLACE)) == {code}


def test_partition_that_the_sdkconfig_gives_to_the_sdk_is_right(tmp_path: Path) -> None:
    sdkconfig = Sdkconfig("sdkconfig", {MATTER.label_option: "fctry"})
    text = FAULTS["spec-sdk-partition"]
    assert codes(tmp_path, text, Room(0x3000, label="fctry", sdkconfig=sdkconfig)) == set()


@pytest.mark.parametrize("read_only", [True, False])
def test_namespace_that_matter_would_make_must_be_in_a_readonly_partition(
    tmp_path: Path, read_only: bool
) -> None:
    sdkconfig = Sdkconfig("sdkconfig", {MATTER.label_option: "fctry"})
    room = Room(0x3000, label="fctry", sdkconfig=sdkconfig, read_only=read_only)
    assert codes(tmp_path, SERIAL + field("s", UNIQUE), room) == ({"spec-sdk-write"} if read_only else set())


def test_number_is_of_no_size(tmp_path: Path) -> None:
    text = NUMBER + field("n", place="chip-factory.discriminator", encoding="u32")
    assert codes(tmp_path, text) == set()


def test_value_that_is_no_secret_may_stand_beside_secrets(tmp_path: Path) -> None:
    assert codes(tmp_path, SERIAL + field("s", "unique = true\nsecret = false", "secrets.s")) == set()


def test_every_rule_has_a_fault_and_an_explanation() -> None:
    assert {rule.code for rule in RULES} == set(FAULTS)
    sections = (ROOT / "docs/factory-spec.md").read_text(encoding="utf-8").split("\n### `")[1:]
    assert [section.partition("`")[0] for section in sections] == [rule.code for rule in RULES]


def test_blocks_of_addresses_that_overlap_are_found(tmp_path: Path) -> None:
    fields = field("a", UNIQUE, "ns.a") + field("b", UNIQUE, "ns.b")
    assert codes(tmp_path, MAC.format("a", "00") + MAC.format("b", "0F") + fields) == {"spec-collision"}
    assert codes(tmp_path, MAC.format("a", "00") + MAC.format("b", "10") + fields) == set()


@pytest.mark.parametrize(
    ("other", "is_found"),
    [
        ('template = "A{counter}"', True),
        ('template = "B{counter}"', False),
        ('template = "A{counter}"\nfirst = 901', False),
        ('template = "A{counter}"\nfirst = 900', True),
        ('template = "A{counter}"\nfirst = 2\nstep = 2', True),
        ('template = "A{counter}"\nfirst = 2\nstep = 3', False),
        ('template = "A{counter}"\nfirst = 4\nstep = 9', True),
    ],
)
def test_counters_that_would_meet_are_found(tmp_path: Path, other: str, is_found: bool) -> None:
    sources = (
        f'[sources.a]\nkind = "serial"\ntemplate = "A{{counter}}"\nlast = 900\nstep = {3 if "step" in other else 1}\n'
        f'[sources.b]\nkind = "serial"\n{other}\nlast = 2000\n'
    )
    fields = field("a", 'unique = "x"') + field("b", 'unique = "x"', "ns.other")
    assert codes(tmp_path, sources + fields) == ({"spec-collision"} if is_found else set())


def test_text_that_is_nothing_but_another_value_collides_with_it(tmp_path: Path) -> None:
    text = SERIAL + '[sources.t]\nkind = "computed"\ntemplate = "{s}"\n'
    text += field("s", 'unique = "x"') + field("t", 'unique = "x"', "ns.other")
    assert codes(tmp_path, text) == {"spec-collision"}


@pytest.mark.parametrize(
    "source",
    [
        SERIAL,
        MAC.format("s", "00"),
        NUMBER + '[sources.s]\nkind = "computed"\ntemplate = "pin{n}"\n',
        '[sources.c]\nkind = "serial"\ntemplate = "{counter}"\n[sources.s]\nkind = "computed"\ntemplate = "admin{c}"\n',
        '[sources.s]\nkind = "station"\n',
    ],
)
def test_secret_that_is_made_of_nothing_secret_is_found(tmp_path: Path, source: str) -> None:
    assert codes(tmp_path, source + field("s", UNIQUE, "secrets.s")) - {"spec-station"} == {"spec-weak"}


def test_text_is_as_hard_to_guess_as_the_hardest_part_of_it(tmp_path: Path) -> None:
    text = SERIAL + '[sources.p]\nkind = "password"\n[sources.t]\nkind = "computed"\ntemplate = "{s}-{p}"\n'
    assert codes(tmp_path, text + field("t", UNIQUE, "secrets.t")) == set()


def test_text_without_a_value_in_it_is_the_same_for_all(tmp_path: Path) -> None:
    text = '[sources.t]\nkind = "computed"\ntemplate = "{lot}"\n'
    assert codes(tmp_path, text + field("t", UNIQUE)) == {"spec-capacity"}
    assert codes(tmp_path, text + field("t", place="secrets.t")) == {"spec-same-secret"}


def test_namespace_without_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a namespace without a name"):
        codes(tmp_path, SERIAL + field("s", UNIQUE, "''.key"))


def test_number_at_the_end_of_a_random_range_is_tried(tmp_path: Path) -> None:
    assert codes(tmp_path, NUMBER + field("n", encoding="u8")) == {"spec-value"}


def test_constant_that_must_be_unique_is_found(tmp_path: Path) -> None:
    text = '[sources.c]\nkind = "constant"\nvalue = "x"\n' + field("c", UNIQUE)
    assert codes(tmp_path, text) == {"spec-capacity"}


def test_template_is_as_secret_as_what_it_is_made_of(tmp_path: Path) -> None:
    sources = '[sources.p]\nkind = "password"\n[sources.t]\nkind = "computed"\ntemplate = "x{p}"\n'
    assert codes(tmp_path, sources + field("t")) == {"spec-secret-shown"}


def test_finding_names_the_line_of_its_field(tmp_path: Path) -> None:
    path = tmp_path / "factory.toml"
    path.write_text(HEAD + FAULTS["spec-not-unique"], encoding="utf-8")
    (found,) = check(read_spec(path), PLACE)
    assert found.where == f"{path}:6"


def test_size_that_nobody_knows_is_not_judged(tmp_path: Path) -> None:
    assert codes(tmp_path, FAULTS["spec-room"], Room()) == set()


def test_spec_with_an_error_makes_no_devices(tmp_path: Path) -> None:
    path = tmp_path / "factory.toml"
    path.write_text(HEAD + FAULTS["spec-unused"], encoding="utf-8")
    require(read_spec(path))
    path.write_text(HEAD + FAULTS["spec-weak"], encoding="utf-8")
    with pytest.raises(InputError, match="46 bits"):
        require(read_spec(path))


def test_example_of_the_documents_is_right(tmp_path: Path) -> None:
    text = (ROOT / "docs/factory-spec.md").read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    assert codes(tmp_path, text.removeprefix(HEAD)) == set()
    jsonschema.validate(tomllib.loads(text), dict(json_schema()))


def test_severities_are_those_of_their_rules() -> None:
    warnings = {rule.code for rule in RULES if rule.severity is Severity.WARNING}
    assert warnings == {
        "spec-crowded",
        "spec-not-unique",
        "spec-same-secret",
        "spec-unused",
        "spec-sdk-partition",
    }
