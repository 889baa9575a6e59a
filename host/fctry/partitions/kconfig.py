"""The lines of an sdkconfig or of a file of defaults: which of their assignments ESP-IDF takes.

Later assignments and later files count, of a choice the last selection, and what is not understood is left out.
Source: ESP-IDF v5.5.5 components/*/Kconfig*; esp-idf-kconfig 3.14.0, Kconfig._load_config.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from fctry.errors import InputError
from fctry.files import read_file

ASSIGNMENT = re.compile(r"CONFIG_([^=]+)=(.*)", re.ASCII)
NOT_SET = re.compile(r"# CONFIG_([^ ]+) is not set", re.ASCII)
COMMENT = re.compile(r"\s+#")
LITERAL = re.compile(r'"((?:[^\\"]|\\.)*)"', re.ASCII)
BYTE_ORDER_MARK = "\ufeff"
ESCAPED = re.compile(r"\\(.)")

FLASH_SIZES_MB = (1, 2, 4, 8, 16, 32, 64, 128)
FLASH_SIZES = tuple(f"CONFIG_ESPTOOLPY_FLASHSIZE_{mb}MB" for mb in FLASH_SIZES_MB)
CUSTOM_TABLE = "CONFIG_PARTITION_TABLE_CUSTOM"
TABLE_FILE = "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME"
CHOICES = re.compile(
    f"({'|'.join(FLASH_SIZES)})"
    "|(CONFIG_PARTITION_TABLE_(?:CUSTOM|SINGLE_APP\\w*|TWO_OTA\\w*))"
    "|(CONFIG_ESP_COREDUMP_ENABLE_TO_(?:FLASH|UART|NONE))"
    "|(CONFIG_SECURE_BOOT_V[12]_ENABLED)"
    "|(CONFIG_NVS_SEC_KEY_PROTECT_(?:NONE|USING_FLASH_ENC|USING_HMAC))"
)
"""A group for each choice: options of which one is on, the last that was selected."""
BOOLS = frozenset(
    {
        "CONFIG_PARTITION_TABLE_MD5",
        "CONFIG_SECURE_BOOT",
        "CONFIG_SECURE_BOOT_ALLOW_SHORT_APP_PARTITION",
        "CONFIG_SECURE_FLASH_ENC_ENABLED",
        "CONFIG_NVS_ENCRYPTION",
        "CONFIG_ESP_PHY_INIT_DATA_IN_PARTITION",
        "CONFIG_ESP32_PHY_INIT_DATA_IN_PARTITION",
        "CONFIG_ESP32_ENABLE_COREDUMP_TO_FLASH",
    }
)
TEXTS = frozenset({"CONFIG_IDF_TARGET", "CONFIG_IDF_INIT_VERSION", TABLE_FILE})
HEX_NUMBERS = frozenset(
    {
        "CONFIG_PARTITION_TABLE_OFFSET",
        "CONFIG_BOOTLOADER_OFFSET_IN_FLASH",
        "CONFIG_BOOTLOADER_RECOVERY_OFFSET",
    }
)
WITHOUT_PROMPT: Mapping[str, str] = MappingProxyType(
    {
        "CONFIG_ESPTOOLPY_FLASHSIZE": "select the size: CONFIG_ESPTOOLPY_FLASHSIZE_16MB=y",
        "CONFIG_BOOTLOADER_OFFSET_IN_FLASH": "remove the line: the chip's ROM says where the boot loader is",
    }
)
"""Options that Kconfig works out: what a file of defaults says of them is ignored. With what to do instead."""


class Ignored(NamedTuple):
    """A line that ESP-IDF ignores, why, and what to write instead."""

    file: str
    line: int
    message: str
    hint: str


class Assignments:
    """Takes one assignment after the other, from one file after the other."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.places: dict[str, tuple[str, int]] = {}
        self.ignored: list[Ignored] = []
        self._selected: dict[int, str] = {}

    def drop_without_prompt(self) -> None:
        """Take back what is said of options that Kconfig works out: in a file of defaults it counts for nothing."""
        for option, hint in WITHOUT_PROMPT.items():
            if self.values.pop(option, None):
                self._ignore(*self.places[option], f"{option} is ignored: ESP-IDF works it out", hint)

    def read(self, path: Path) -> Assignments:
        """Take the assignments of a file. Raises InputError when it cannot be read."""
        try:
            text = read_file(path).decode()
        except UnicodeDecodeError:
            raise InputError("not UTF-8", hint="save it as UTF-8", file=path) from None
        file = str(path)
        for number, raw in enumerate(io.StringIO(text, newline=None), 1):
            line = raw.rstrip()
            if assigned := ASSIGNMENT.match(line):
                value = assigned[2]
                if not value.startswith('"'):
                    value = COMMENT.split(value, maxsplit=1)[0].rstrip()
                self._assign(f"CONFIG_{assigned[1]}", value, file, number)
            elif unset := NOT_SET.match(line):
                self._assign(f"CONFIG_{unset[1]}", "n", file, number)
            elif line and not line.lstrip().startswith("#"):
                shown = line.removeprefix(BYTE_ORDER_MARK)
                hint = "write CONFIG_NAME=value" if shown == line else "save the file without byte-order mark"
                message = f"`{shown.strip()}` is ignored: it is no option"
                self._ignore(file, number, message, hint)
        return self

    def _ignore(self, file: str, line: int, message: str, hint: str) -> None:
        self.ignored.append(Ignored(file, line, message, hint))

    def _assign(self, option: str, text: str, file: str, line: int) -> None:
        choice = choice_of(option)
        value = text.strip('"')
        if choice or option in BOOLS:
            value, wanted, is_valid = text[:1], "y or n", text.startswith(("y", "n"))
        elif option in TEXTS:
            literal = LITERAL.match(text)
            value = ESCAPED.sub(r"\1", literal[1]) if literal else ""
            wanted, is_valid = "a text in quotes", bool(literal)
        else:
            wanted, is_valid = "a number such as 0x8000", fits(option, text)
        if not is_valid:
            self._ignore(file, line, f"{option}={text} is ignored: it is not {wanted}", f"write {wanted}")
            return
        if choice and value == "y":
            self.values.pop(self._selected.get(choice, ""), None)
            self._selected[choice] = option
        elif self._selected.get(choice) == option:
            return  # a choice keeps its selection until another one is made
        self.values[option], self.places[option] = value, (file, line)


def fits(option: str, text: str) -> bool:
    """Whether the text is a value for the option: for those that are numbers, hex digits."""
    try:
        return option not in HEX_NUMBERS or int(text, 16) >= 0
    except ValueError:
        return False


def choice_of(option: str) -> int:
    """Which choice an option belongs to; 0 for none."""
    found = CHOICES.fullmatch(option)
    return found.lastindex or 0 if found else 0
