"""The ledger's JSON is what Python's encoder writes: fingerprints of older ledgers are made of it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from fctry.identity.ledger.json_text import json_text

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@given(VALUES)
def test_text_is_that_of_the_encoder(value: object) -> None:
    assert json_text(value) == json.dumps(value)
    assert json_text(value, is_sorted=True) == json.dumps(value, sort_keys=True)
