"""Errors keep what they are when they learn where they are."""

from fctry.errors import CapacityError, FormatError


def test_error_at_a_place_keeps_class_and_data() -> None:
    error = FormatError("wrong magic", hint="dump it again", offset=32)
    placed = error.at(file="table.bin", line=3)
    assert (type(placed), placed.hint, placed.offset) == (FormatError, "dump it again", 32)
    assert str(placed) == "table.bin:3: wrong magic"


def test_place_that_an_error_knows_stays() -> None:
    assert (
        str(CapacityError("too long", file="a.csv", line=1).at(file="b.csv", line=2)) == "a.csv:1: too long"
    )
