"""Boards without a board: all that esptool, a monitor and the firmware see of one, on a TCP port."""

from fctry.boards.board import Board
from fctry.boards.nor_flash import NorFlash, PowerCutError, Wear
from fctry.boards.qemu_board import QemuBoard

__all__ = ["Board", "NorFlash", "PowerCutError", "QemuBoard", "Wear"]
