"""What a rule for NVS partitions is.

How bad a breach is depends on the partition. In one that the firmware writes to, leftovers of a power cut are normal:
it clears them away as it mounts. In one flagged `readonly` it cannot, and mounting or reading fails.
Source: seen with the nvs_flash of ESP-IDF v5.5.5, and read in components/nvs_flash/src.
"""

from __future__ import annotations

from fctry.findings import Finding, Rule, Severity
from fctry.nvs.contents import Contents

REBUILD = "build the image again and flash it; of a device's partition, only a backup brings this back"
RECOVERED = "nothing to do: the firmware clears it away when it mounts the partition"
TOOL = "whatever made this image is wrong: build it with `fctry image build`"


class NvsRule(Rule[Contents, bool]):
    """A rule for NVS partitions. Its function gets the contents, and whether the partition is read-only.

    `hint` is the remedy, `read_only` how bad a breach is in a read-only partition if that differs.
    """

    def __init__(
        self, code: str, severity: Severity, title: str, hint: str, *, read_only: Severity | None = None
    ) -> None:
        super().__init__(code, severity, title)
        self.hint = hint
        self.severity_read_only = read_only or severity

    def at(self, place: str, message: str) -> Finding:
        """A breach at a place such as `page 1 entry 17`, as bad as in a partition that is written to."""
        return Finding(self, self.severity, message, self.hint, place=place)
