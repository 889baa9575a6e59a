"""What a rule for partition layouts is, and what a layout is held against."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from fctry.findings import Finding, Rule, Severity
from fctry.partitions.keywords import OLDEST_IDF, IdfVersion, version_name

if TYPE_CHECKING:
    from fctry.partitions.additions import NewLine
    from fctry.partitions.flasher_args import FlasherArgs, FlashFile
    from fctry.partitions.layout import Layout
    from fctry.partitions.sdkconfig import Sdkconfig
    from fctry.partitions.table import PartitionTable


class Needs(str, Enum):
    """What a rule looks at beside the table."""

    TABLE = "table"
    IMAGE = "image"
    SDKCONFIG = "sdkconfig"
    BUILD = "build"
    AGAINST = "against"
    DEVICE = "device"


class LayoutRule(Rule["Layout", "Evidence"]):
    """A rule for layouts; its title states what a layout must be like.

    `since` is the ESP-IDF release from which on it holds, and `enforced` says that gen_esp32part.py refuses a table
    that breaks it: no binary is made from such a table.
    """

    def __init__(
        self,
        code: str,
        severity: Severity,
        title: str,
        *,
        enforced: bool = False,
        since: IdfVersion = OLDEST_IDF,
        needs: Needs = Needs.TABLE,
    ) -> None:
        super().__init__(code, severity, title)
        self.enforced = enforced
        self.since = since
        self.needs = needs
        self.scope = "" if since == OLDEST_IDF else f"since {version_name(since)}"

    def at(
        self, line: int, message: str, hint: str = "", file: str = "", *, adds: NewLine | None = None
    ) -> Finding:
        """A breach in this line of the CSV (0: in none), or of another `file`; `adds` is a line that is missing."""
        return Finding(self, self.severity, message, hint, file, line, adds=adds)

    def as_dict(self) -> dict[str, Any]:
        return {"since": version_name(self.since), **super().as_dict()}


@dataclass(frozen=True)
class Evidence:
    """What a layout is held against, as far as it is there.

    `factory` is the name of the factory partition when it is not to be guessed, `image` the bytes of a factory
    image, `old` the layout that devices in the field have, `device` the table of a connected board.
    """

    factory: str | None = None
    image: bytes | None = None
    sdkconfig: Sdkconfig | None = None
    build: FlasherArgs | None = None
    old: Layout | None = None
    device: PartitionTable | None = None

    @property
    def kinds(self) -> list[Needs]:
        """Which rules have what they need."""
        given = {
            Needs.IMAGE: self.image,
            Needs.SDKCONFIG: self.sdkconfig,
            Needs.BUILD: self.build,
            Needs.AGAINST: self.old,
            Needs.DEVICE: self.device,
        }
        return [Needs.TABLE, *(kind for kind, evidence in given.items() if evidence is not None)]

    @property
    def flashed(self) -> tuple[FlashFile, ...]:
        """The files that the build flashes."""
        return self.build.files if self.build else ()


NOTHING = Evidence()
