"""Images that others made: see tests/data/nvs/README.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from fctry.cli.main import main
from fctry.nvs import Item, ItemType, check, decode, read_sheet
from fctry.nvs.checker import RULES
from fctry.nvs.contents import read
from fctry.nvs.values import read_erased_items
from tests.unit.nvs.conftest import DATA

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"


def test_partition_that_firmware_has_written_to_is_read() -> None:
    image = (DATA / "used.bin").read_bytes()
    assert check(image) == []
    assert decode(image) == [
        Item("wifi", "power", ItemType.I8, -3),
        Item("app", "first_seen", ItemType.U64, 1_700_000_000_000),
        Item("wifi", "ssid", ItemType.STR, "a house with a long name"),
        Item("app", "log", ItemType.BLOB, b"b" * 3500),
        Item("app", "boots", ItemType.U32, 14),
        Item("app", "last_reset", ItemType.STR, "reset 14, after a while, by hand"),
    ]


def test_values_that_firmware_has_overwritten_are_still_there() -> None:
    erased = [item for item, _ in read_erased_items(read((DATA / "used.bin").read_bytes()))]
    assert [item.value for item in erased if item.key == "boots"] == list(range(1, 14))
    assert Item("wifi", "ssid", ItemType.STR, "factory") in erased
    assert Item("app", "trial", ItemType.U8, 1) in erased
    assert Item("app", "log", ItemType.BLOB, b"a" * 3000) in erased


def test_csv_of_all_types_has_one_of_each() -> None:
    assert {item.type for item in read_sheet(DATA / "all-types.csv").items} == set(ItemType)


@pytest.mark.parametrize("name", ["article", "all-types", "used"])
def test_pictures_of_the_documentation_are_what_the_command_draws(name: str, tmp_path: Path) -> None:
    """On purpose changed? `fctry image show tests/data/nvs/NAME.bin --svg docs/pictures/nvs-NAME.svg`."""
    image = DATA / f"{name}.bin"
    if not image.exists():
        image = tmp_path / f"{name}.bin"
        assert main(["image", "build", str(DATA / f"{name}.csv"), "-o", str(image), "--size", "0x4000"]) == 0
    assert main(["image", "show", str(image), "--svg", str(tmp_path / "picture.svg")]) == 0
    assert (tmp_path / "picture.svg").read_text() == (PICTURES / f"nvs-{name}.svg").read_text()


def test_documentation_has_every_code_of_finding_with_its_severities() -> None:
    text = (PICTURES.parent / "nvs-format.md").read_text()
    for code, rule in RULES.items():
        severities = f"{rule.severity.value} | {rule.severity_read_only.value}"
        assert f'| <a id="{code}"></a>`{code}` | {severities} | {rule.title} |' in text
    assert text.count("</a>`nvs-") == len(RULES)
