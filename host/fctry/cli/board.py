"""Serve a simulated board on an RFC2217 port: flash it with esptool or idf.py, watch it with any monitor.

The board runs the application that is in its flash, if the application's build folder was named with --app; with
--cpu qemu, whatever ESP-IDF built for the chip. It listens on loopback only, and stops on Ctrl-C.

  fctry board --app firmware/native/build --port 4000 --flash board.bin
  fctry board --cpu qemu --port 4000 --flash board.bin
  esptool --port rfc2217://127.0.0.1:4000 flash-id          (slow; `fctry esptool …` is the same, quick)
  python -m serial.tools.miniterm rfc2217://127.0.0.1:4000 115200
"""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from fctry.boards import Board, QemuBoard
from fctry.boards.board import DEFAULT_MAC
from fctry.boards.chip.chips import CHIPS
from fctry.boards.chip.nor_flash import SIZES_BYTES
from fctry.boards.served_board import ServedBoard
from fctry.cli.arguments import mac, path, size, tcp_port
from fctry.cli.options import add_table_offset
from fctry.errors import InputError
from fctry.partitions.table import TABLE_OFFSET

SIZES_TEXT = ", ".join(f"{size >> 20}MB" for size in SIZES_BYTES)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `fctry board`."""
    parser.add_argument(
        "--cpu",
        choices=("native", "qemu"),
        default="native",
        help="what runs the application: native, the ELF that --app names, as a process of this machine; qemu, "
        "Espressif's QEMU, which runs what is in the flash (default: %(default)s)",
    )
    parser.add_argument(
        "--app",
        type=path,
        action="append",
        default=[],
        metavar="DIR",
        help="build folder (or ELF) of an application that the board may run; may be given more than once",
    )
    parser.add_argument(
        "--port", type=tcp_port, default=4000, help="TCP port; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--flash",
        type=path,
        default=Path("board.bin"),
        metavar="FILE",
        help="file of the flash, made if it is absent (default: %(default)s)",
    )
    add_table_offset(parser)
    parser.add_argument("--chip", choices=CHIPS, default="esp32", help="kind of chip (default: %(default)s)")
    parser.add_argument(
        "--flash-size",
        type=size,
        choices=SIZES_BYTES,
        default="4MB",
        metavar="SIZE",
        help=f"size of the flash: {SIZES_TEXT} (default: %(default)s)",
    )
    parser.add_argument(
        "--mac",
        type=mac,
        default=DEFAULT_MAC.hex(":"),
        help="MAC address in the chip's eFuses (default: %(default)s)",
    )
    parser.add_argument(
        "--efuses",
        type=path,
        metavar="FILE",
        help="with --cpu qemu: file of the eFuses (default: FLASH.efuses)",
    )
    parser.add_argument(
        "--qemu",
        default="",
        metavar="PROGRAM",
        help="with --cpu qemu: the program (default: the chip's, on the PATH)",
    )


def run(args: argparse.Namespace) -> int:
    """Run `fctry board` until SIGINT or SIGTERM."""
    is_asked_to_stop = threading.Event()
    board = make_board(args)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: is_asked_to_stop.set())
    with board:
        print(f"listening on {board.url}", flush=True)
        is_asked_to_stop.wait()
    return 0


def make_board(args: argparse.Namespace) -> ServedBoard:
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
        )
    if args.app:
        raise InputError(
            "--app is not for --cpu qemu", hint="QEMU runs what is in the flash: flash it with esptool"
        )
    return QemuBoard(
        args.flash,
        chip=args.chip,
        flash_size_bytes=args.flash_size,
        mac=args.mac,
        efuses=args.efuses,
        qemu=args.qemu,
        port=args.port,
    )
