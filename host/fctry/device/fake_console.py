"""Firmware that is not there: a wire for `Console`, in tests of whatever uses one. Speaks as docs/firmware.md says."""

from __future__ import annotations

import base64
import shlex
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from fctry.device.commands import proof_of
from fctry.device.deadline import Deadline
from fctry.device.report import format_line
from fctry.device.seal import SEAL
from fctry.nvs.item import Item


class FakeConsole:
    """Firmware that reports the items of one namespace at once, is ready, and answers `factory` and `prove`.

    `said` are the lines that are still to come; a test may add to them. `sent` are the commands that it was given.
    A silent one answers none; one whose items have the seal says only that. It waits for nothing: where lines are
    at an end, so is the time.
    """

    def __init__(
        self,
        items: Iterable[Item] = (),
        *,
        partition: str = "fctry",
        namespace: str = "fctryNamespace",
        is_silent: bool = False,
    ) -> None:
        self.items = list(items)
        self.partition = partition
        self.namespace = namespace
        self.is_silent = is_silent
        self.said: deque[bytes] = deque()
        self.sent: list[str] = []
        self.say("boot", reset="power-on")
        if SEAL in self.items:
            self.is_silent = True
            self.say("sealed")
            return
        self.say_report()
        self.say("ready")

    def say(self, event: str, **fields: Any) -> None:
        """Add a report line."""
        self.said.append(format_line({"event": event, **fields}).encode())

    def say_report(self, **fields: Any) -> None:
        """Add the lines of a report."""
        reported = [item for item in self.items if item.namespace == self.namespace]
        for item in reported:
            self.say("item", **fields, partition=self.partition, **_fields(item))
        self.say("end", **fields, partition=self.partition, items=len(reported))

    def send(self, data: bytes) -> None:
        """Take a command."""
        command, *arguments, mark = shlex.split(data.decode())
        self.sent.append(data.decode().strip())
        if self.is_silent:
            return
        own = {"id": mark.removeprefix("#")}
        result = "ESP_OK"
        if command == "factory":
            self.say_report(**own)
        elif command == "prove":
            namespace, key, challenge, kind = arguments
            proofs = [
                proof_of(item, bytes.fromhex(challenge))
                for item in self.items
                if (item.namespace, item.key, item.type.value) == (namespace, key, kind)
            ]
            for proof in proofs:
                self.say("proof", **own, hmac=proof)
            result = "ESP_OK" if proofs else "ESP_ERR_NVS_NOT_FOUND"
        else:
            result = "ESP_ERR_NOT_FOUND"
        self.say("done", **own, command=command, result=result)

    def lines(self, deadline: Deadline) -> Iterator[bytes]:
        """What it said and nobody has heard yet."""
        while self.said:
            yield self.said.popleft()


def _fields(item: Item) -> dict[str, Any]:
    value = item.value
    if isinstance(value, bytes):
        value = base64.b64encode(value).decode()
    return {
        "namespace": item.namespace,
        "key": item.key,
        "type": item.type.value,
        "value": value.hex() if isinstance(value, float) else value,
    }
