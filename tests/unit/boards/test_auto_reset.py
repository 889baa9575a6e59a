"""The auto-reset circuit: its table, and the sequences that the tools of this field send."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from esp_pylib.serial_reset import (
    classic_bootloader_reset,
    execute_custom_reset,
    hard_reset,
    usb_jtag_bootloader_reset,
)
from hypothesis import given
from hypothesis import strategies as st

from fctry.boards.port.auto_reset import AutoReset, Held, Released
from fctry.boards.reset import Boot

HELD, FLASH, DOWNLOAD = Held(), Released(Boot.FLASH), Released(Boot.DOWNLOAD)


class Port:
    """As much of a pyserial port as reset sequences use, on the circuit."""

    def __init__(self) -> None:
        self.circuit = AutoReset()
        self.events: list[Held | Released] = []
        self._rts = self._dtr = False

    def _set(self) -> None:
        event = self.circuit.set_lines(rts=self._rts, dtr=self._dtr)
        if event is not None:
            self.events.append(event)

    @property
    def dtr(self) -> bool:
        return self._dtr

    def setDTR(self, state: bool) -> None:  # noqa: N802  # pyserial's name
        self._dtr = state
        self._set()

    def setRTS(self, state: bool) -> None:  # noqa: N802
        self._rts = state
        self._set()

    def open(self) -> None:
        """What opening a pyserial port does: DTR, then RTS, both asserted."""
        self.setDTR(True)
        self.setRTS(True)

    def close(self) -> None:
        """What closing it does: both released at once."""
        self._rts = self._dtr = False
        self._set()


@pytest.fixture
def wire() -> Port:
    return Port()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


@pytest.mark.parametrize(
    ("rts", "dtr", "event", "is_io0_low"),
    [
        (False, False, None, False),
        (True, False, HELD, False),
        (False, True, None, True),
        (True, True, None, False),
    ],
)
def test_circuit_follows_its_table_from_rest(rts: bool, dtr: bool, event: object, is_io0_low: bool) -> None:
    circuit = AutoReset()
    assert circuit.set_lines(rts=rts, dtr=dtr) == event
    assert circuit.is_io0_low == is_io0_low


@pytest.mark.parametrize(
    ("lines", "events"),
    [
        ([(True, False), (True, True), (False, True)], [HELD, None, DOWNLOAD]),
        ([(True, False), (False, False)], [HELD, FLASH]),
        ([(True, False), (True, True), (True, False), (False, False)], [HELD, None, None, FLASH]),
        ([(True, False), (True, True), (False, False)], [HELD, None, FLASH]),
        ([(False, True), (True, True), (True, False), (False, False)], [None, None, HELD, FLASH]),
        ([(True, False), (True, False)], [HELD, None]),
        ([(True, True), (False, True), (False, False)], [None, None, None]),
    ],
    ids=[
        "download through both asserted",
        "reset",
        "both asserted and back keeps holding",
        "both released at once boots the flash",
        "IO0 before EN",
        "asserted again",
        "never held",
    ],
)
def test_circuit_passes_through_sequences(lines: list[tuple[bool, bool]], events: list[object]) -> None:
    circuit = AutoReset()
    assert [circuit.set_lines(rts=rts, dtr=dtr) for rts, dtr in lines] == events


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30))
def test_held_and_released_alternate_for_any_sequence(lines: list[tuple[bool, bool]]) -> None:
    circuit = AutoReset()
    events = [event for rts, dtr in lines if (event := circuit.set_lines(rts=rts, dtr=dtr)) is not None]
    assert all(isinstance(event, Held) for event in events[::2])
    assert all(isinstance(event, Released) for event in events[1::2])


def test_boot_button_at_the_end_of_a_reset_means_download(wire: Port) -> None:
    wire.setRTS(True)
    wire.circuit.is_boot_button_down = True
    wire.setRTS(False)
    assert wire.events == [HELD, DOWNLOAD]


Sequence = Callable[[Port], None]
SEQUENCES: dict[str, tuple[Sequence, list[Held | Released]]] = {
    "esptool classic reset": (classic_bootloader_reset, [HELD, DOWNLOAD]),
    # a pulse on RTS alone does nothing while DTR is asserted, as on a board
    "esptool hard reset right after opening": (hard_reset, []),
    # DTR stays asserted, and so the transistors block each other: boards with a CP2102C have another circuit
    "esptool classic reset with flow control": (
        lambda wire: classic_bootloader_reset(wire, flow_control=True),
        [HELD, DOWNLOAD],
    ),
    # meant for the chip's own USB, which remembers DTR; this circuit does not
    "esptool USB-JTAG reset": (usb_jtag_bootloader_reset, [HELD, FLASH]),
    "esptool custom sequence": (
        lambda wire: execute_custom_reset(wire, "D0|R1|W0.1|D1|R0|W0.05|D0"),
        [HELD, DOWNLOAD],
    ),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequence_of_a_tool_on_an_open_port_resets_once(name: str, wire: Port) -> None:
    sequence, events = SEQUENCES[name]
    wire.open()
    assert wire.events == []
    sequence(wire)
    assert wire.events == events


def test_sequence_of_esptool_ends_in_the_application(wire: Port) -> None:
    wire.open()
    classic_bootloader_reset(wire)
    hard_reset(wire)
    wire.close()
    assert wire.events == [HELD, DOWNLOAD, HELD, FLASH]


def test_sequence_of_idf_monitor_resets_once(wire: Port) -> None:
    # Source: esp-idf-monitor 1.10.0 esp_idf_monitor/base/serial_reader.py, open_serial
    wire.open()
    wire.setRTS(False)
    wire.setDTR(False)
    assert wire.events == []
    hard_reset(wire)
    assert wire.events == [HELD, FLASH]


def test_opening_and_closing_a_port_resets_nothing(wire: Port) -> None:
    for _ in range(3):
        wire.open()
        wire.close()
    assert wire.events == []


def test_closing_a_port_in_reset_boots_the_flash(wire: Port) -> None:
    wire.open()
    wire.setDTR(False)
    assert wire.events == [HELD]
    wire.close()
    assert wire.events == [HELD, FLASH]
