"""What the rooms of identities offer: removing a name is a decision."""

from __future__ import annotations

from types import ModuleType

import pytest

from fctry.identity import label, ledger


@pytest.mark.parametrize(
    ("package", "names"),
    [
        (label, ["Drawing", "Label", "LabelTemplate", "Sheet", "draw", "sheet_pdf", "svg", "zpl"]),
        (
            ledger,
            [
                "Device",
                "Ledger",
                "Product",
                "Reserved",
                "Station",
                "accept_restore",
                "create_ledger",
                "open_ledger",
                "state_folder",
                "upgrade_ledger",
            ],
        ),
    ],
)
def test_public_names_are_these(package: ModuleType, names: list[str]) -> None:
    assert list(package.__all__) == names
    assert all(getattr(package, name) for name in names)
