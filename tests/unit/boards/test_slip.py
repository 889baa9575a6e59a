"""SLIP: what is framed comes out again, however the stream is cut and whatever noise is around it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fctry.boards.chip.slip import END, ESC, MAX_FRAME_BYTES, Decoder, encode

payloads = st.lists(st.binary(min_size=1, max_size=60), max_size=8)
noise = st.binary(max_size=20).map(lambda data: data.replace(bytes([END]), b""))


@given(payloads, noise, st.data())
def test_decoder_returns_what_was_framed_wherever_the_stream_is_cut(
    sent: list[bytes], before: bytes, data: st.DataObject
) -> None:
    stream = before + b"".join(map(encode, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    decoder = Decoder()
    received = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        received += decoder.feed(stream[start:end])
    assert received == sent


@given(st.binary(max_size=100))
def test_encode_leaves_end_only_at_the_ends(payload: bytes) -> None:
    assert END not in encode(payload)[1:-1]


@given(st.binary(max_size=200))
def test_decoder_survives_any_bytes(stream: bytes) -> None:
    Decoder().feed(stream)


def test_decoder_drops_a_frame_with_a_wrong_escape_and_takes_the_next() -> None:
    assert Decoder().feed(bytes([END, 1, ESC, 2, END]) + encode(b"next")) == [b"next"]


def test_decoder_drops_a_frame_that_ends_in_an_escape() -> None:
    assert Decoder().feed(bytes([END, 1, ESC, END]) + encode(b"next")) == [b"next"]


def test_decoder_drops_what_never_ends_and_takes_the_next_frame() -> None:
    decoder = Decoder()
    decoder.feed(bytes([END]))
    for _ in range(3 * MAX_FRAME_BYTES // 1000):
        assert decoder.feed(b"x" * 1000) == []
    assert decoder.feed(bytes([END]) + encode(b"next")) == [b"next"]
