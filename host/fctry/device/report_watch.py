"""Whether a report can still come, told by what the device says since a reset. No I/O.

Source: the boot loader's and the ROM's messages, ESP-IDF v5.5 components/bootloader_support/src/bootloader_utility.c
and docs/firmware.md, "The reference application".
"""

from __future__ import annotations

from fctry.device.report import Event, Report, ReportCollector
from fctry.errors import DeviceError

STARTS_MAX = 3
_NO_APPLICATION = (b"No bootable app partitions", b"load partition table error", b"invalid header: 0x")


class ReportWatch:
    """Collects the report on a partition. Both methods raise DeviceError as soon as none will come."""

    def __init__(self, partition: str) -> None:
        self._collector = ReportCollector(partition)
        self._partition = partition
        self._others: list[str] = []
        self._starts = 0

    def listen(self, line: bytes) -> None:
        """Take any console line."""
        if any(text in line for text in _NO_APPLICATION):
            raise DeviceError(
                "the device has no application that can start",
                hint="flash the application with its partition table first (`idf.py flash`)",
            )
        self._starts += line.startswith(b"rst:0x")
        if self._starts > STARTS_MAX:
            raise DeviceError(
                f"the device has started {self._starts} times and not reported its partition '{self._partition}'",
                hint="its firmware crashes: a monitor shows what it says before it starts over",
            )

    def feed(self, event: Event) -> Report | None:
        """Take an event; the whole report once its last line has come, else None."""
        if event.name == "end":
            self._others.append(str(event.get("partition")))
        if event.name == "sealed":
            raise DeviceError(
                "the device is sealed: its firmware reports nothing and answers nothing",
                hint="compare its flash with the image; unless an eFuse sealed it, an image without the seal opens it",
            )
        report = self._collector.feed(event)
        if event.name == "ready" and "id" not in event.fields:
            raise self._refusal()
        return report

    def _refusal(self) -> DeviceError:
        message = f"the firmware is ready and has not reported the partition '{self._partition}'"
        if not self._others:
            return DeviceError(message, hint="it must call factory_data_report() before its console starts")
        others = ", ".join(repr(name) for name in self._others)
        return DeviceError(
            f"{message}, but {others}",
            hint="the label of the partition that it reports is set by CONFIG_FACTORY_DATA_PARTITION_LABEL "
            '(idf.py menuconfig, "Factory data"); or name that partition (--partition)',
        )
