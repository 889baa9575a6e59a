"""The factory spec: read, refused with its line, drawn from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fctry.errors import InputError
from fctry.identity.draft import Context, CounterRange
from fctry.identity.ledger import Product, Station, create_ledger
from fctry.identity.sources.kinds import KINDS
from fctry.identity.sources.source import Given
from fctry.identity.spec import Spec
from fctry.identity.spec_file import json_schema, read_spec
from fctry.identity.spec_options import schema_of
from fctry.identity.toml_lines import tomllib
from fctry.nvs import ItemType, decode, encode

NOW = Context(datetime(2026, 3, 9, tzinfo=timezone.utc))
TEXT = """\
schema = 1
product = "lamp"
secret_namespaces = ["secrets", "hap_setup"]

[sources.serial]
kind = "serial"
template = "SN{counter:04}{check}"
check = "damm"
last = 9999

[sources.mac]
kind = "mac"
start = "02:00:00:00:00:00"
count = 400
chip = "esp32"
local = true

[sources.home]
kind = "homekit"

[sources.password]
kind = "password"

[sources.page]
kind = "computed"
template = "https://example.com/{serial}"

[sources.site]
kind = "column"
column = "site"

[sources.token]
kind = "bytes"
size_bytes = 4

[fields.fctryNamespace.serial_number]
encoding = "string"
source = "serial"
unique = true

[fields.fctryNamespace]
mac_addr = { encoding = "binary", source = "mac.bytes", unique = "mac" }
token = { encoding = "binary", source = "token", unique = true }
site = { encoding = "u16", source = "site", optional = true }

[fields.hap_setup]
setup_id = { encoding = "string", source = "home.setup_id" }
setup_salt = { encoding = "binary", source = "home.salt" }
setup_verifier = { encoding = "binary", source = "home.verifier" }

[fields.secrets.password]
encoding = "string"
source = "password"
unique = true

[notes.page]
source = "page"

[notes.payload]
source = "home.payload"
secret = true
"""


def spec_of(tmp_path: Path, text: str = TEXT) -> Spec:
    path = tmp_path / "factory.toml"
    path.write_text(text, encoding="utf-8")
    return read_spec(path)


def first_numbers(spec: Spec) -> dict[str, int]:
    return {name: numbers.first for name, numbers in spec.counters.items()}


def test_counters_are_the_products_own_but_for_blocks_of_addresses(tmp_path: Path) -> None:
    block = 0x020000000000
    assert spec_of(tmp_path).counters == {
        "lamp/serial": CounterRange(1, 9999),
        "mac/020000000000": CounterRange(block, block + 396, 4),
    }


def test_draft_tells_public_values_and_secrets_apart(tmp_path: Path) -> None:
    spec = spec_of(tmp_path)
    draft = spec.draw(first_numbers(spec), NOW)
    assert draft.values.keys() == {
        "fctryNamespace:serial_number",
        "fctryNamespace:mac_addr",
        "fctryNamespace:token",
    }
    assert draft.values["fctryNamespace:mac_addr"] == b"\x02\0\0\0\0\0"
    assert draft.public["page"] == f"https://example.com/{draft.public['serial_number']}"
    assert draft.public["mac_addr"] == "020000000000"
    assert set(draft.secrets) == {
        "hap_setup:setup_id",
        "hap_setup:setup_salt",
        "hap_setup:setup_verifier",
        "secrets:password",
        "payload",
    }
    assert str(draft.secrets["secrets:password"]) not in repr(draft)


def test_claims_say_scope_and_what_can_be_drawn_again(tmp_path: Path) -> None:
    spec = spec_of(tmp_path)
    claims = {one.scope: one for one in spec.draw(first_numbers(spec), NOW).claims}
    assert {scope: (one.is_random, one.is_secret) for scope, one in claims.items()} == {
        "lamp/fctryNamespace:serial_number": (False, False),
        "mac": (False, False),
        "lamp/fctryNamespace:token": (True, False),
        "lamp/secrets:password": (True, True),
    }
    assert claims["mac"].value == b"\x02\0\0\0\0\0"


def test_items_are_those_of_the_image_in_the_order_of_the_spec(tmp_path: Path) -> None:
    spec = spec_of(tmp_path)
    context = Context(NOW.now, columns={"site": "0x102"})
    items = spec.items(spec.draw(first_numbers(spec), context))
    assert [item.key for item in items] == [one.key for one in spec.fields if one.namespace]
    assert items[3].type is ItemType.U16
    assert items[3].value == 0x102
    assert decode(encode(items, 0x3000)) == items
    assert {item.namespace for item in items if item.is_secret} == {"hap_setup", "secrets"}


def test_kept_values_are_not_drawn_anew_and_secrets_are(tmp_path: Path) -> None:
    spec = spec_of(tmp_path)
    numbers = first_numbers(spec)
    before = spec.draw(numbers, NOW)
    after = spec.draw(numbers, NOW, before.values)
    assert after.values == before.values
    assert after.public == before.public
    assert not set(map(str, after.secrets.values())) & set(map(str, before.secrets.values()))


def test_value_that_a_device_has_not_is_refused_unless_optional(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, TEXT.replace(", optional = true", ""))
    with pytest.raises(InputError, match="fctryNamespace:site: this device has no value") as caught:
        spec.draw(first_numbers(spec), NOW)
    assert (
        caught.value.line
        == TEXT.splitlines().index(next(x for x in TEXT.splitlines() if x.startswith("site"))) + 1
    )


def test_value_that_its_encoding_does_not_take_is_refused_without_telling_it(tmp_path: Path) -> None:
    spec = spec_of(tmp_path)
    with pytest.raises(InputError, match="number") as caught:
        spec.draw(first_numbers(spec), Context(NOW.now, columns={"site": "70000"}))
    assert "70000" not in str(caught.value)


@pytest.mark.parametrize("text", ["a = " + "[" * 9999, "a = " + "9" * 5000])
def test_text_that_upsets_the_parser_is_no_toml(tmp_path: Path, text: str) -> None:
    (tmp_path / "factory.toml").write_text(text)
    with pytest.raises(InputError, match="not TOML"):
        read_spec(tmp_path / "factory.toml")


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        ("check = ", "chek = ", "unknown key", "`check`"),
        ('kind = "homekit"', 'kind = "homkit"', "unknown kind 'homkit'", "`homekit`"),
        ('source = "password"', 'source = "passwort"', "unknown source", "`password`"),
        ('"home.salt"', '"home.sault"', "draws no `sault`", "`home.salt`"),
        ('"home.salt"', '"home"', "draws several values", "home.salt"),
        ("secret = true", "secrt = true", "unknown key", "`secret`"),
        ("secret = true", 'secret = "yes"', "not boolean", "kept out"),
        ('"damm"', '"dam"', "none of its values", "`damm`"),
        ("schema = 1", "schema = 2", "not known", "schema = 1"),
        ("schema = 1\n", "", "no schema", "add schema"),
        ("last = 9999", 'last = "9999"', "not integer", "last number"),
        ("last = 9999", "last = -1", "out of range", "0 to"),
        ('["secrets", "hap_setup"]', '["secrets", 1]', "array of strings", "secrets"),
        ('encoding = "u16"', 'encoding = "u17"', "unknown encoding", "u16"),
        ('unique = "mac"', 'unique = ""', "a scope without a name", "unique = true"),
        ('template = "https://example.com/{serial}"', 'template = "{page}"', "circle: page → page", "first"),
        ("{serial}", "{seriall}", "unknown source", "`serial`"),
        ("[notes.page]", "[note.page]", "unknown key", "`notes`"),
        ("[sources.site]", "[sources.si-te]", "no name for a source", "underscores"),
        ('product = "lamp"', "product = lamp", "not TOML", "quotes"),
    ],
)
def test_mistake_is_refused_with_its_line_and_remedy(
    tmp_path: Path, old: str, new: str, message: str, hint: str
) -> None:
    assert TEXT.count(old) >= 1
    changed = TEXT.replace(old, new, 1)
    with pytest.raises(InputError, match=message) as caught:
        spec_of(tmp_path, changed)
    assert hint in caught.value.hint
    if new and "circle" not in message:
        table = [number for number, line in enumerate(changed.splitlines(), 1) if new.split("\n")[0] in line]
        assert caught.value.line in table


def test_json_schema_takes_the_spec_and_is_one_itself() -> None:
    schema = dict(json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(TEXT), schema)
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("check = ", "chek = "),
        ('kind = "homekit"', 'kind = "homkit"'),
        ("secret = true", 'secret = "yes"'),
        ('"damm"', '"dam"'),
        ("schema = 1", "schema = 2"),
        ('product = "lamp"\n', ""),
        ("last = 9999", "last = -1"),
        ('"u16"', '"u17"'),
        ('unique = "mac"', 'unique = ""'),
        ("SN{counter:04}{check}", "SN{check}"),
        ('"02:00:00:00:00:00"', '"02:00:00:00:00"'),
        ("[fields.secrets.password]", "[fields.''.password]"),
        ("[notes.page]", "[note.page]"),
        ("[sources.site]", "[sources.si-te]"),
    ],
)
def test_json_schema_refuses_what_the_reader_refuses(old: str, new: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(TEXT.replace(old, new, 1)), dict(json_schema()))


SMALL: dict[str, Any] = {
    "schema": 1,
    "product": "lamp",
    "sources": {
        "s": {"kind": "serial", "template": "A{counter}"},
        "m": {"kind": "mac", "start": "24:0A:C4:00:00:00", "count": 100},
        "n": {"kind": "number", "high": 9},
    },
    "fields": {"ns": {"key": {"encoding": "string", "source": "s", "unique": True}}},
    "notes": {"note": {"source": "n"}},
    "label": {"qr": "{note}"},
}
OPTIONS = sorted(
    {name for kind in KINDS.values() for name in schema_of(kind)["properties"]} | {"unique", "size"}
)
VALUES = st.one_of(
    st.booleans(),
    st.integers(-2, 3),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "STRING", "u8", "blob_fill(4;0xFF)", "s", "{counter:04}", "50x25", "pem", *KINDS]),
    st.sampled_from([[], ["a"], [1], {}, {"source": "s"}]),
)


VALIDATOR = jsonschema.Draft202012Validator(dict(json_schema()))


def tables(table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A table and all that are in it."""
    yield table
    for value in table.values():
        if isinstance(value, dict):
            yield from tables(value)


def as_toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {as_toml(one)}" for key, one in value.items()) + "}"
    return json.dumps(value)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.integers(1, 3))
def test_json_schema_takes_what_the_reader_takes(tmp_path: Path, data: st.DataObject, changes: int) -> None:
    spec = deepcopy(SMALL)
    for _ in range(changes):
        table = data.draw(st.sampled_from(list(tables(spec))))
        key = data.draw(st.sampled_from([*table, *OPTIONS]))
        table[key] = deepcopy(data.draw(VALUES))
    with suppress(InputError):
        spec_of(tmp_path, "\n".join(f"{json.dumps(key)} = {as_toml(value)}" for key, value in spec.items()))
        VALIDATOR.validate(spec)


def test_spec_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_spec(tmp_path / "missing.toml")
    (tmp_path / "latin.toml").write_bytes(b'product = "\xe4"')
    with pytest.raises(InputError, match="not UTF-8"):
        read_spec(tmp_path / "latin.toml")


def test_spec_without_fields_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no fields"):
        spec_of(tmp_path, 'schema = 1\nproduct = "lamp"\n')


def test_device_that_is_made_again_is_stored_with_what_is_in_its_image(tmp_path: Path) -> None:
    """A certificate goes with its key, a setup id with its code: the ledger tells of the new one."""
    spec = spec_of(tmp_path, TEXT.replace('["secrets", "hap_setup"]', '["secrets"]'))
    station = Station("bench", "eve", tmp_path / "state")
    (tmp_path / "ledger").mkdir()
    ledger, _ = create_ledger(str(tmp_path / "ledger/ledger.db"), station)
    (first,) = ledger.reserve(Product(spec.product, spec.sha256), spec, [NOW])
    second = ledger.renew(first.id, spec, NOW)
    stored = ledger.device(first.id)
    ledger.close()
    assert second.draft.values["fctryNamespace:token"] == first.draft.values["fctryNamespace:token"]
    assert second.draft.values["hap_setup:setup_id"] != first.draft.values["hap_setup:setup_id"]
    assert stored.values == second.draft.values
    assert stored.public == second.draft.public


def test_digest_changes_with_the_spec(tmp_path: Path) -> None:
    assert spec_of(tmp_path).sha256 != spec_of(tmp_path, TEXT + "\n").sha256


def test_what_a_device_is_drawn_from_shows_no_cells_scans_and_draws() -> None:
    context = Context(NOW.now, columns={"pin": "5180"}, station={"code": "5181"}, prepared={"key": "5182"})
    assert "518" not in repr(Given(7, context, {"pin": "5183"}, prepared="5184"))


@pytest.mark.parametrize(
    ("kind", "used", "slow"),
    [
        ("homekit", "code", "homekit.srp_verifier"),
        ('matter"\nvendor_id = 0xFFF1\nproduct_id = 0x8000\n#"', "passcode", "matter.spake2p_verifier"),
    ],
)
def test_verifier_that_no_field_has_is_not_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, used: str, slow: str
) -> None:
    text = f'schema = 1\nproduct = "lamp"\n[sources.one]\nkind = "{kind}"\n'
    field = '[fields.secrets.{0}]\nencoding = "string"\nsource = "one.{0}"\n'
    without = spec_of(tmp_path, text + field.format(used))
    monkeypatch.setattr(f"fctry.identity.sources.{slow}", lambda *_: pytest.fail("it is computed"))
    for prepared in ({}, without.prepare()):
        assert without.draw({}, NOW._replace(prepared=prepared)).secrets
