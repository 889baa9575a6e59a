"""SLIP: frames on a serial line, without I/O.

Source: RFC 1055; esptool's documentation, "Serial Protocol", chapter "Packet Description".
"""

from __future__ import annotations

END, ESC, ESC_END, ESC_ESC = 0xC0, 0xDB, 0xDC, 0xDD

_END = bytes([END])
_ESC = bytes([ESC])
_ESCAPED_END = bytes([ESC, ESC_END])
_ESCAPED_ESC = bytes([ESC, ESC_ESC])

MAX_FRAME_BYTES = 0x20000  # twice over the longest frame of esptool: 16 KiB of data, each byte escaped


def encode(payload: bytes) -> bytes:
    """The payload as a frame: an END on both sides, END and ESC in it escaped."""
    return _END + payload.replace(_ESC, _ESCAPED_ESC).replace(_END, _ESCAPED_END) + _END


class Decoder:
    """Takes frames out of a stream. What is not one (noise, a wrong escape, too long) is dropped, as the ROM does."""

    def __init__(self) -> None:
        self._partial = b""
        self._is_in_frame = False

    def feed(self, received: bytes) -> list[bytes]:
        """The payloads that these bytes complete, without empty ones."""
        payloads = []
        *ended, rest = received.split(_END)
        for part in ended:
            frame, self._partial = self._partial + part, b""
            if not self._is_in_frame:
                self._is_in_frame = True  # what came before the first END is noise
                continue
            payload = _unescape(frame)
            if payload:
                payloads.append(payload)
        self._partial += rest
        if len(self._partial) > MAX_FRAME_BYTES:
            self._partial = b""
            self._is_in_frame = False
        return payloads


def _unescape(frame: bytes) -> bytes | None:
    """The payload of a frame, None if an escape in it means nothing."""
    first, *escaped = frame.split(_ESC)
    payload = bytearray(first)
    for part in escaped:
        if part[:1] not in (bytes([ESC_END]), bytes([ESC_ESC])):
            return None
        payload.append(END if part[0] == ESC_END else ESC)
        payload += part[1:]
    return bytes(payload)
