"""A chip at a serial port, through esptool: write, read, erase, reset, and listen, on one connection.

One connection, because opening a port moves DTR and RTS on many adapters and so resets the board: what the
firmware prints after the reset would be lost. Only this module, resets and esptool_log import esptool.

Source: esptool 5, documentation "Scripting" (https://docs.espressif.com/projects/esptool).
"""

from __future__ import annotations

import contextlib
import hashlib
import struct
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import esptool
import serial
from esptool.loader import DEFAULT_CONNECT_ATTEMPTS
from esptool.util import FatalError

import fctry.serialport
from fctry.device import resets
from fctry.device.chip_ids import flash_ids_of, unique_id_of
from fctry.device.deadline import Deadline
from fctry.device.esptool_log import Log, logged
from fctry.device.permit import Permit
from fctry.errors import DeviceError, InputError, PortError
from fctry.serialport import ROM_BAUD

_T = TypeVar("_T")

FLASH_BAUD = 460800
_ADVICE = " This can have many causes"  # of esptool's own; the hint is ours
STUB_TIMEOUT_S = 3.0  # for its greeting
SLOW_UPLOAD_S = 0.2  # of the stub, 4 KiB and more, which take 0.4 s and more at the ROM's baud rate


@dataclass(frozen=True)
class ChipIdentity:
    """What a chip says of itself. `mac` is its base MAC address, aa:bb:cc:dd:ee:ff, as it is in the eFuses.

    `unique_id` is OPTIONAL_UNIQUE_ID of its eFuses, `flash_id` the unique id of its flash chip, in hexadecimal digits;
    all are empty where there is none, or where Secure Download mode does not let them be read.
    """

    name: str
    mac: str = ""
    unique_id: str = ""
    flash_id: str = ""

    @property
    def known_mac(self) -> str:
        """The MAC address, or nothing where none was burnt."""
        return "" if self.mac in ("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff") else self.mac


class Chip:
    """A chip on an open port. Made by `connect` or, around a connection of somebody else's, by hand.

    `esp` is esptool's object for the ROM loader; it holds the pyserial port. `is_in_download_mode` says that it
    has been connected just now; otherwise the chip is reset into download mode when that is first needed.
    `flash_baud` is for a line on which bytes take time: to change the baud rate takes a tenth of a second, which a
    chip's own USB and a simulated board would not give back. `console_baud` is the one at which its firmware prints.
    `is_own`: nobody else reads the port, so that a reset may listen to what the ROM says; `lines` has it too.
    """

    def __init__(
        self,
        esp: esptool.ESPLoader,
        *,
        is_in_download_mode: bool = False,
        flash_baud: int = FLASH_BAUD,
        console_baud: int = ROM_BAUD,
        is_own: bool = False,
        log: Log | None = None,
    ) -> None:
        self._rom = esp
        self._stub: esptool.ESPLoader | None = None
        self.is_in_download_mode = is_in_download_mode
        self._flash_baud = flash_baud
        self._is_at_flash_baud = False
        self._console_baud = console_baud
        self._is_own = is_own
        self._log = log
        self._received = b""

    @property
    def port(self) -> serial.Serial:
        """The open serial port, or any object of pyserial's with the same interface."""
        port: serial.Serial = self._rom._port
        return port

    def write(self, permit: Permit, writes: Sequence[tuple[int, bytes]]) -> None:
        """Write each (address, data) and check it by MD5. Sectors touched are erased first; addresses in bytes.

        Raises DeviceError, and writes nothing, outside of the permit; and when the chip does not answer or holds
        something else afterwards.
        """
        permit.check(writes)
        with self._esptool("write the flash") as stub:
            esptool.write_flash(stub, list(writes), no_progress=True)

    def read(self, address: int, size_bytes: int) -> bytes:
        """Read `size_bytes` of flash at `address`. Raises DeviceError."""
        with self._esptool("read the flash") as stub:
            return bytes(esptool.read_flash(stub, address, size_bytes, no_progress=True))

    def holds(self, address: int, data: bytes) -> bool:
        """Whether the flash holds these bytes; the chip itself reads it. Raises DeviceError."""
        with self._esptool("read the flash") as stub:
            digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
            return bool(stub.flash_md5sum(address, len(data)) == digest)

    def is_erased(self, address: int, size_bytes: int) -> bool:
        """Whether a region of the flash is blank; the chip itself reads it. Raises DeviceError."""
        return self.holds(address, b"\xff" * size_bytes)

    def identity(self) -> ChipIdentity:
        """Who the chip says it is, read twice: what it answers carries no checksum. Raises DeviceError."""
        if self.is_secure_download:
            return ChipIdentity(self.name)
        with self._esptool("read the chip's identity") as stub:
            flash_ids = flash_ids_of(stub, 2)
            first, second = (
                ChipIdentity(self.name, self.mac(), unique_id_of(stub), one) for one in flash_ids
            )
        if first != second:
            raise DeviceError(
                f"the chip's numbers were read twice, and differ: {first}, {second}",
                hint="check the cable, or try a lower baud rate, such as --baud 57600",
            )
        return first

    def flash_size_bytes(self) -> int | None:
        """How large its flash is; None where that is not said. Raises DeviceError."""
        if self.is_secure_download:
            return None
        with self._esptool("read the size of the flash") as stub:
            size_bytes: int | None = esptool.flash_size_bytes(esptool.detect_flash_size(stub))
            return size_bytes

    @property
    def is_secure_download(self) -> bool:
        """Whether its ROM is in Secure Download mode: flash can be written and erased, and nothing is read back."""
        return bool(self._rom.secure_download_mode)

    @property
    def name(self) -> str:
        """The chip's name, such as ESP32-C3."""
        return str(self._rom.CHIP_NAME)

    def mac(self) -> str:
        """The base MAC address from eFuse, as aa:bb:cc:dd:ee:ff. Raises DeviceError."""
        with self._esptool("read the MAC address") as stub:
            return ":".join(f"{byte:02x}" for byte in stub.read_mac())

    def reset(self) -> None:
        """Reset into the application. What it prints from then on is what `lines` gives, or whoever reads the port."""
        with self._captured("reset the chip"):
            loader = self._stub or self._rom
            is_told_more = (
                type(loader).hard_reset is not esptool.ESPLoader.hard_reset
            )  # than EN, at its baud rate
            if self._stub is not None and self._is_at_flash_baud and is_told_more:
                self._stub.change_baud(ROM_BAUD)
            self.port.baudrate = self._console_baud
            self._received = b""
            if self._is_own and not is_told_more and resets.is_heard(str(self.port.port)):
                self._received = resets.into_application(self.port)
            if not self._received:
                self.port.reset_input_buffer()
                esptool.reset_chip(loader, "hard-reset")
        self._stub = None
        self._is_at_flash_baud = False
        self.is_in_download_mode = False

    def send(self, data: bytes) -> None:
        """Send bytes to the firmware's console. Raises PortError."""
        with self._captured("send a command"):
            self.port.write(data)

    def lines(self, deadline: Deadline) -> Iterator[bytes]:
        """Console lines without line ends, as they come.

        A caller may stop in between; the next call goes on with the next line.
        """
        while (remaining_s := deadline.remaining_s) > 0:
            line, end, rest = self._received.partition(b"\n")
            if end:
                self._received = rest
                yield line.rstrip(b"\r")
                continue
            self.port.timeout = min(remaining_s, 0.1)
            with self._captured("listen"):
                self._received += self.port.read(max(1, self.port.in_waiting))

    @contextlib.contextmanager
    def _esptool(self, what: str) -> Iterator[esptool.ESPLoader]:
        with self._captured(what):
            try:
                if self._stub is None:
                    self._stub = self._start_stub()
                yield self._stub
            except BaseException:  # whatever state it is in now: begin from a reset the next time
                self._stub = None
                self.is_in_download_mode = False
                raise

    def _start_stub(self) -> esptool.ESPLoader:
        if not self.is_in_download_mode:
            if self._is_own:
                _connected(self.port, lambda mode, attempts: self._rom.connect(mode, attempts))
            else:
                self._rom.connect()
            self.is_in_download_mode = True
        if self.is_secure_download:  # which takes no stub, and is as slow as the ROM
            esptool.attach_flash(self._rom)
            return self._rom
        self.port.timeout = STUB_TIMEOUT_S
        began_s = time.monotonic()
        stub = esptool.run_stub(self._rom)
        is_slow = time.monotonic() - began_s > SLOW_UPLOAD_S
        self._is_at_flash_baud = self._flash_baud < ROM_BAUD or (is_slow and self._flash_baud > ROM_BAUD)
        if self._is_at_flash_baud:
            stub.change_baud(self._flash_baud)  # not in the ROM, which in QEMU does not answer it
        esptool.attach_flash(stub)
        return stub

    @contextlib.contextmanager
    def _captured(self, what: str) -> Iterator[None]:
        with _mapped(what, str(self.port.port), has_answered=self.is_in_download_mode), logged(self._log):
            yield


@contextlib.contextmanager
def connect(
    port: str,
    *,
    chip: str = "auto",
    flash_baud: int = FLASH_BAUD,
    log: Log | None = None,
) -> Iterator[Chip]:
    """Open `port` (a device name or a pyserial URL), reset the chip into download mode and yield it.

    When it is left, the chip runs its application: it is reset if nobody has done so.

    `chip` is esptool's name of a chip or "auto". `log` gets what esptool prints, line by line.
    Raises InputError for an unknown chip, PortError when the port cannot be opened, DeviceError when no such chip
    answers.
    """
    if chip != "auto" and chip not in esptool.CHIP_DEFS:
        raise InputError(
            f"esptool knows no chip called {chip!r}",
            hint=f"choose auto or one of {', '.join(esptool.CHIP_DEFS)}",
        )
    with fctry.serialport.open_port(port) as line:
        with _mapped("connect", port), logged(log):
            esp = _connected(line, lambda mode, attempts: _loader(line, chip, mode, attempts))
        connected = Chip(esp, is_in_download_mode=True, flash_baud=flash_baud, is_own=True, log=log)
        try:
            yield connected
        finally:
            if connected.is_in_download_mode:
                with contextlib.suppress(DeviceError, PortError):
                    connected.reset()


def _loader(line: serial.Serial, chip: str, mode: str, attempts: int) -> esptool.ESPLoader:
    """The chip's ROM, connected, as esptool has it."""
    if chip == "auto":
        return esptool.detect_chip(line, connect_mode=mode, connect_attempts=attempts)
    esp = esptool.CHIP_DEFS[chip](line)
    esp.connect(mode, attempts)
    return esp


def _connected(line: serial.Serial, connect: Callable[[str, int], _T]) -> _T:
    """What connects, when the ROM has said that it waits; where it does not, esptool resets and tries in its way."""
    if resets.is_heard(str(line.port)) and resets.into_download(line):
        try:
            return connect("no-reset", 1)
        except FatalError:
            if line.is_open:  # another chip than named: it has answered
                raise
            line.open()
    return connect("default-reset", DEFAULT_CONNECT_ATTEMPTS)


def run_esptool(arguments: Sequence[str]) -> int:
    """Run esptool's own command line in this process, with the fast RFC2217 client. Returns its exit code."""
    fctry.serialport.register()
    argv, sys.argv = sys.argv, ["esptool", *arguments]
    try:
        esptool._main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.argv = argv
    return 0


@contextlib.contextmanager
def _mapped(what: str, port: str, *, has_answered: bool = False) -> Iterator[None]:
    """Turn the errors of pyserial and esptool into ours."""
    try:
        yield
    except serial.SerialException as error:
        raise PortError(
            f"cannot {what} at {port}: {error}",
            hint="is the cable in place, and the board's server still there?",
        ) from error
    except (IndexError, UnicodeDecodeError, struct.error) as error:  # what esptool makes of a cut-off answer
        raise DeviceError(
            f"cannot {what} at {port}: the chip's answer was damaged",
            hint="check the cable, or try a lower baud rate, such as --baud 57600",
        ) from error
    except (FatalError, OSError) as error:
        text = next(iter(str(error).strip().splitlines()), type(error).__name__).partition(_ADVICE)[0]
        raise DeviceError(f"cannot {what} at {port}: {text}", hint=_hint(text, has_answered)) from error


def _hint(text: str, has_answered: bool) -> str:
    if "Wrong chip" in text:
        return "leave out the chip's name, or give the right one"
    if "not fit" in text:
        return "check the addresses against the size of the board's flash"
    if has_answered:
        return "its ROM has answered, so cable and wiring are right: try a lower baud rate, such as --baud 115200"
    return (
        "check the cable and the power, and that EN and IO0 are on RTS and DTR; "
        "or hold BOOT down, press EN, and try again"
    )
