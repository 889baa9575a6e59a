"""Boards without a board: all that esptool, a monitor and the firmware see of one, on a serial port.

`port/` is what a cable is plugged into, `chip/` a chip with its flash, `cpu/` what runs the application; none of them
knows another. A board puts them together.

Locks, outermost first; who holds one takes only those below it:

    SimulatedChip._lock, QemuMachine._lock    the machine does something
    UartProcess.lock                          its firmware's output is passed on, an operation on the bus is done
    NorFlash._lock                            one operation of the flash
    Cable._to_host                            what the chip says is passed on, with the faults of the line
    Rfc2217Port._state, _Outbox._changed      who the client is, what waits for it

The client's thread comes with none and takes any. A thread that waits for room in the outbox may hold all of them; so
it does not wait while the client's thread acts on what the client said.
"""

from fctry.boards.board import Board
from fctry.boards.chip.nor_flash import NorFlash, Wear
from fctry.boards.chip.tear import Tear
from fctry.boards.fault_plan import Fault, parse_fault, read_plan
from fctry.boards.faults import AddressError, FlashFileError, PowerCutError
from fctry.boards.port import Port, Wire
from fctry.boards.qemu_board import QemuBoard

__all__ = [
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
