"""Serve a simulated board on an RFC2217 port: flash it with esptool or idf.py, watch it with any monitor.

The board runs the application that is in its flash, if the application's build folder was named with --app; with
--cpu qemu, whatever ESP-IDF built for the chip. It listens on loopback only, and stops on Ctrl-C. The reference
firmware is built into the folder build by `python -m fctry.reference build`.

fctry board --app build --port 4000 --flash board.bin
fctry board --cpu qemu --port 4000 --flash board.bin
esptool --port rfc2217://127.0.0.1:4000 flash-id  # slow; `fctry esptool …` is the same, quick
python -m serial.tools.miniterm rfc2217://127.0.0.1:4000 115200
"""

from __future__ import annotations

import signal
import threading
from pathlib import Path

from fctry.boards import Board, QemuBoard, parse_fault, read_plan
from fctry.boards.board import DEFAULT_MAC
from fctry.boards.chip.chips import CHIPS
from fctry.boards.chip.nor_flash import SIZES_BYTES
from fctry.boards.served_board import ServedBoard
from fctry.cli.arguments import Arguments, BadParameter, Choice, Option, mac, path, size, tcp_port
from fctry.cli.options import table_offset
from fctry.errors import InputError
from fctry.partitions.table import TABLE_OFFSET

SIZES_TEXT = ", ".join(f"{size >> 20}MB" for size in SIZES_BYTES)


def flash_size(text: str) -> int:
    """The size of a flash that there is, in bytes."""
    if (size_bytes := size(text)) not in SIZES_BYTES:
        raise BadParameter(f"{text!r} is no size of a flash: there are {SIZES_TEXT}")
    return size_bytes


PARAMETERS = (
    Option(
        "--cpu",
        type=Choice(("native", "qemu")),
        default="native",
        show_default=True,
        help="what runs the application: the ELF of --app as a process of this machine, or Espressif's QEMU what is in "
        "the flash",
    ),
    Option(
        "--app",
        multiple=True,
        type=path,
        metavar="FOLDER",
        help="build folder (or ELF) of an application that the board may run",
    ),
    Option("--port", type=tcp_port, default="4000", show_default=True, help="TCP port; 0 takes a free one"),
    Option(
        "--flash",
        type=path,
        default=Path("board.bin"),
        metavar="FILE",
        show_default=True,
        help="file of the flash, made if it is absent",
    ),
    table_offset(),
    Option("--chip", type=Choice(CHIPS), default="esp32", show_default=True, help="kind of chip"),
    Option(
        "--flash-size",
        type=flash_size,
        default="4MB",
        metavar="SIZE",
        show_default=True,
        help=f"size of the flash: {SIZES_TEXT}",
    ),
    Option(
        "--mac",
        type=mac,
        default=DEFAULT_MAC.hex(":"),
        show_default=True,
        help="MAC address in the chip's eFuses",
    ),
    Option(
        "--fault",
        multiple=True,
        metavar="FAULT",
        help="what goes wrong, such as 'power-cut erase=3' (`fctry docs boards` has all)",
    ),
    Option("--faults", type=path, metavar="FILE", help="the same from a file, one fault a line"),
    Option(
        "--efuses",
        type=path,
        metavar="FILE",
        help="with --cpu qemu: file of the eFuses (default: FLASH.efuses)",
    ),
    Option(
        "--qemu",
        default="",
        metavar="PROGRAM",
        help="with --cpu qemu: the program (default: the chip's, on the PATH)",
    ),
)


def run(args: Arguments) -> int:
    """Run `fctry board` until SIGINT or SIGTERM."""
    is_asked_to_stop = threading.Event()
    board = make_board(args)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: is_asked_to_stop.set())
    with board:
        print(f"listening on {board.url}", flush=True)
        is_asked_to_stop.wait()
    return 0


def make_board(args: Arguments) -> ServedBoard:
    """The board that the options describe, still off. Raises FctryError."""
    if args.cpu == "native":
        return Board(
            args.flash,
            args.app,
            chip=args.chip,
            flash_size_bytes=args.flash_size,
            mac=args.mac,
            port=args.port,
            table_offset=args.table_offset or TABLE_OFFSET,
            faults=[*(read_plan(args.faults) if args.faults else ()), *map(parse_fault, args.fault)],
        )
    if args.app:
        raise InputError(
            "--app is not for --cpu qemu", hint="QEMU runs what is in the flash: flash it with esptool"
        )
    if args.fault or args.faults:
        raise InputError("faults are not for --cpu qemu", hint="leave out --cpu: native boards have them")
    return QemuBoard(
        args.flash,
        chip=args.chip,
        flash_size_bytes=args.flash_size,
        mac=args.mac,
        efuses=args.efuses,
        qemu=args.qemu,
        port=args.port,
    )
