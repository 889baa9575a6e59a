"""What the package offers: removing a name is a decision."""

from __future__ import annotations

from fctry import boards


def test_public_names_are_these() -> None:
    assert boards.__all__ == [
        "AddressError",
        "Board",
        "Fault",
        "FlashFileError",
        "NorFlash",
        "Port",
        "PowerCutError",
        "QemuBoard",
        "Tear",
        "Wear",
        "Wire",
        "parse_fault",
        "read_plan",
    ]
    assert all(getattr(boards, name) for name in boards.__all__)
