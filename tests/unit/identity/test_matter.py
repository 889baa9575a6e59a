"""Matter's values against those of esp-matter-mfg-tool, recorded by tests/conformance/record_matter_golden.py."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace
from datetime import datetime, timezone
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from stdnum import verhoeff

from fctry.errors import InputError
from fctry.identity.draft import Context
from fctry.identity.sources.matter import Matter, spake2p_verifier
from fctry.identity.sources.setup_code import FORBIDDEN_CODES
from fctry.identity.sources.source import Given
from fctry.identity.spec_file import read_spec
from fctry.nvs import encode
from fctry.nvs.sdks import MATTER

DATA = Path(__file__).parents[2] / "data" / "matter"
CODES = json.loads((DATA / "codes.json").read_text(encoding="utf-8"))
DEVICES: list[dict[str, Any]] = CODES["devices"]
FACTORY = json.loads((DATA / "factory.json").read_text(encoding="utf-8"))


def source_of(device: dict[str, Any]) -> Matter:
    return Matter(**{name: device[name] for name in ("vendor_id", "product_id", "flow", "discovery")})


def test_verifiers_are_those_of_the_tool() -> None:
    for one in DEVICES:
        verifier = spake2p_verifier(one["passcode"], bytes.fromhex(one["salt"]), one["iterations"])
        assert verifier.hex() == one["verifier"]


def test_payloads_and_manual_codes_are_those_of_the_tool() -> None:
    assert {one["flow"] for one in DEVICES} == {0, 1, 2}
    for one in DEVICES:
        values = one["passcode"], one["discriminator"]
        assert source_of(one).qr_payload(*values) == one["payload"]
        assert source_of(one).manual_code(*values) == one["manual_code"]


def test_forbidden_passcodes_are_those_of_the_tool() -> None:
    assert set(CODES["forbidden"]) == FORBIDDEN_CODES


def test_drawn_values_belong_together() -> None:
    source = Matter(vendor_id=0xFFF1, product_id=0x8001, salt_size_bytes=16, iterations=1000)
    given = Given(0, Context(datetime(2026, 3, 9, tzinfo=timezone.utc)), {})
    drawn = {part: str(value) for part, value in source.draw(given).items()}
    assert drawn.keys() == Matter.PARTS.keys()
    passcode, discriminator = int(drawn["passcode"]), int(drawn["discriminator"])
    salt = b64decode(drawn["salt"])
    assert len(salt) == 16
    assert b64decode(drawn["verifier"]) == spake2p_verifier(passcode, salt, 1000)
    assert drawn["payload"] == source.qr_payload(passcode, discriminator)
    assert drawn["manual_code"] == source.manual_code(passcode, discriminator)
    assert verhoeff.is_valid(drawn["manual_code"])
    assert (drawn["vendor_id"], drawn["vid"], drawn["pid"]) == ("65521", "FFF1", "8001")


def test_capacities_are_those_of_the_drawn_numbers() -> None:
    source = Matter(vendor_id=1, product_id=1)
    parts = ("discriminator", "passcode", "vendor_id")
    assert [source.capacity(part) for part in parts] == [4096, 10**8 - len(CODES["forbidden"]), 1]


def test_discovery_with_the_reserved_bit_is_refused() -> None:
    with pytest.raises(InputError, match="reserved bit 0"):
        Matter(vendor_id=1, product_id=1, discovery=3)


def test_image_of_the_template_is_that_of_the_tool() -> None:
    """The tool's device by the names and encodings of the template, and by its own for what that leaves out."""
    template = read_spec(Path(str(files("fctry.identity") / "matter.toml")))
    fields = {one.key: one for one in template.fields if one.namespace == MATTER.namespace}
    items = []
    for key, encoding, text in FACTORY["values"]:
        content = b64decode(text) if encoding == "binary" else text
        one = fields.pop(key, None)
        if one and one.encoding == "binary" and encoding == "hex2bin":
            content = bytes.fromhex(text)
        one = one or replace(template.fields[-1], namespace=MATTER.namespace, key=key, encoding=encoding)
        items.append(one.item(one.parse(content)))
    assert not fields
    assert encode(items, 0x3000) == (DATA / "factory.bin").read_bytes()
    for item in items:
        read = MATTER.keys[item.key]
        assert item.type is read.type
        assert isinstance(item.value, int) or read.smallest <= len(item.value) <= read.largest  # type: ignore[arg-type]
