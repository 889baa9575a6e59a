"""Listening to a chip. (Flashing is tested against the simulated board, with real esptool: tests/boards.)"""

from types import SimpleNamespace

from fctry.device.flasher import Chip


class Port:
    """A serial port that receives given chunks, one a read."""

    port = "fake"
    in_waiting = 0
    timeout = None

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = list(chunks)

    def read(self, _: int) -> bytes:
        return self.chunks.pop(0) if self.chunks else b""


def listening(*chunks: bytes) -> Chip:
    return Chip(SimpleNamespace(_port=Port(*chunks)))


def test_lines_cut_anywhere_are_put_together() -> None:
    assert list(listening(b"a", b"b\r", b"\nc\r\n\r\nd").lines(timeout_s=0.01)) == [b"ab", b"c", b""]


def test_lines_not_yet_taken_come_with_the_next_call() -> None:
    chip = listening(b"one\ntwo\nthr", b"ee\n")
    assert next(chip.lines(timeout_s=1)) == b"one"
    lines = chip.lines(timeout_s=1)
    assert [next(lines), next(lines)] == [b"two", b"three"]
