from __future__ import annotations

import pytest

from fctry import nvs


def test_public_names_are_these() -> None:
    """Others build on them: a name that goes or changes its meaning is a new major version."""
    assert nvs.__all__ == [
        "Capacity",
        "Difference",
        "FactoryImage",
        "ImageTemplate",
        "Item",
        "ItemType",
        "Keys",
        "Value",
        "check",
        "decode",
        "decrypt",
        "diff",
        "encode",
        "encrypt",
        "format_csv",
        "make_image",
        "measure",
        "read_csv",
        "read_sheet",
    ]
    assert all(getattr(nvs, name) for name in nvs.__all__)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        nvs.nothing  # noqa: B018
