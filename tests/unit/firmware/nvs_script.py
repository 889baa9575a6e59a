"""Drives `nvs_script`, the program that calls nvs_flash as its stdin says: see firmware/native/nvs_script."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

POWER_CUT_STATUS = 3
_LOG_LINE = re.compile(r"[EWIDV] \(\d+\) ")
_ERROR_NAME = re.compile(r"ESP_|ERROR$|UNKNOWN ERROR$")


@dataclass(frozen=True)
class Answer:
    """What a command printed before the name of its error, and that name."""

    lines: tuple[str, ...]
    code: str


class ProgramEndedError(Exception):
    """The program ended in the middle: a crash, or a power cut that was asked for."""

    def __init__(self, status: int) -> None:
        super().__init__(f"nvs_script ended with status {status}")
        self.status = status


class NvsScript:
    """A running nvs_script on a flash file.

    `power_cut_at`: the write operation, counted from 1, in whose middle it ends; if negative, just before it.
    """

    def __init__(self, program: Path, flash: Path, *, power_cut_at: int = 0) -> None:
        environment = {"FCTRY_FLASH_FILE": str(flash), "FCTRY_POWER_CUT_AT": str(power_cut_at)}
        self._process = subprocess.Popen(
            [program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
            encoding="latin-1",  # keys of a damaged image may hold any bytes
            bufsize=1,
        )

    def __enter__(self) -> NvsScript:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def run(self, commands: Iterable[str]) -> list[Answer]:
        """Send commands and collect an answer to each. Raises ProgramEndedError."""
        commands = list(commands)
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("".join(command + "\n" for command in commands))
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ProgramEndedError(self._process.wait()) from None
        return [self._answer() for _ in commands]

    def ask(self, command: str) -> Answer:
        """Send one command."""
        return self.run([command])[0]

    def _answer(self) -> Answer:
        lines: list[str] = []
        assert self._process.stdout is not None
        for line in self._process.stdout:
            text = line.removesuffix("\n")
            if _ERROR_NAME.match(text):
                return Answer(tuple(lines), text)
            if not _LOG_LINE.match(text):
                lines.append(text)
        raise ProgramEndedError(self._process.wait())
