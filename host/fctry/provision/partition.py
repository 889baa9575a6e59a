"""A partition of a connected device: nothing writes to it unless the device's own table agrees where it is."""

from __future__ import annotations

from collections.abc import Iterator

from fctry.device.flasher import Chip
from fctry.device.permit import Permit
from fctry.errors import CapacityError, DeviceError, FormatError
from fctry.partitions import binary
from fctry.partitions.keywords import subtype_name, type_name
from fctry.partitions.table import Partition, PartitionTable
from fctry.project import check_partition

SECTOR_BYTES = 0x1000
BLANK = b"\xff" * SECTOR_BYTES


class DevicePartition:
    """Made by `open_partition`. Addresses are in flash; every method raises DeviceError and PortError."""

    def __init__(self, chip: Chip, partition: Partition) -> None:
        self._chip = chip
        self.partition = partition
        self._is_blank: bool | None = None  # as far as it is known: nobody else writes

    def read(self) -> bytes:
        """All of it."""
        return self._chip.read(self.partition.offset, self.partition.size_bytes)

    def is_blank(self) -> bool:
        """Whether it is erased; the chip itself reads it."""
        if self._is_blank is None:
            self._is_blank = self.holds(b"")
        return self._is_blank

    def holds(self, image: bytes) -> bool:
        """Whether it holds this image and is erased behind it; the chip itself reads it."""
        return self._chip.holds(self.partition.offset, _padded(image, self.partition))

    def differing(self, image: bytes) -> list[tuple[int, bytes]]:
        """The sectors that are not as this image has them: address, and what they should hold.

        Of a device that lets nothing be read these are all. Raises CapacityError for an image that does not fit.
        """
        check_fits(image, self.partition)
        if self._chip.is_secure_download:
            return list(self._sectors(image))
        if not self._is_blank and self.holds(image):
            return []
        is_blank = self.is_blank()  # as most are: then the chip need not read each sector
        return [
            (address, sector)
            for address, sector in self._sectors(image)
            if not (sector == BLANK if is_blank else self._chip.holds(address, sector))
        ]

    def write(self, image: bytes) -> int:
        """Write an image and erase what it does not cover, as far as that is not so already.

        Returns the number of sectors written. Raises CapacityError for an image that does not fit.
        """
        differing = self.differing(image)
        if differing:
            place = range(self.partition.offset, self.partition.end)
            self._is_blank = None
            self._chip.write(Permit([place]), list(_joined(differing)))
        return len(differing)

    def _sectors(self, image: bytes) -> Iterator[tuple[int, bytes]]:
        padded = _padded(image, self.partition)
        return (
            (self.partition.offset + at, padded[at : at + SECTOR_BYTES])
            for at in range(0, len(padded), SECTOR_BYTES)
        )


def open_partition(chip: Chip, table: PartitionTable, partition: Partition) -> DevicePartition:
    """The partition on this device. Raises InputError or DeviceError when it is none for an image there.

    An image at a wrong offset destroys whatever lies there; the device's table decides where that is.
    """
    check_partition(table, partition)
    if chip.holds(table.offset, binary.pack(table)):  # most do: nothing has to be read
        return DevicePartition(chip, partition)
    try:
        found = binary.unpack(chip.read(table.offset, binary.TABLE_BYTES))
    except FormatError as error:
        raise DeviceError(
            f"the device has no valid partition table at 0x{table.offset:x}: {error.message}",
            hint="flash the application with its partition table first (`idf.py flash`)",
        ) from error
    on_device = next((entry for entry in found if entry.name == partition.name), None)
    if on_device != partition:
        raise DeviceError(
            f"the partition '{partition.name}' is not the same on the device: {_differences(partition, on_device)}",
            hint="flash this layout's table first (`idf.py flash`), or give the device's layout (--partitions)",
        )
    return DevicePartition(chip, partition)


def check_fits(image: bytes, partition: Partition) -> None:
    """Raise CapacityError when the image is larger than the partition."""
    if len(image) > partition.size_bytes:
        raise CapacityError(
            f"the image has 0x{len(image):x} bytes, the partition '{partition.name}' 0x{partition.size_bytes:x}",
            hint=f"build it for this partition: fctry image build … --size 0x{partition.size_bytes:x}",
        )


def _padded(image: bytes, partition: Partition) -> bytes:
    return image.ljust(partition.size_bytes, b"\xff")


def _joined(writes: list[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Neighbours as one write: each costs the chip a command of its own."""
    address, data = writes[0]
    for at, sector in writes[1:]:
        if at != address + len(data):
            yield address, data
            address, data = at, b""
        data += sector
    yield address, data


def _differences(layout: Partition, device: Partition | None) -> str:
    if device is None:
        return "it is absent on the device"
    sides = [_properties(layout), _properties(device)]
    return ", ".join(
        f"{name} {there} on the device, {here} in the layout"
        for name, here, there in ((name, *(side[name] for side in sides)) for name in sides[0])
        if here != there
    )


def _properties(partition: Partition) -> dict[str, str]:
    flags = [name for name in ("encrypted", "readonly") if getattr(partition, name)]
    subtype = subtype_name(partition.type, partition.subtype)
    return {
        "type": type_name(partition.type),
        "subtype": f"0x{partition.subtype:x}" if subtype.isdecimal() else subtype,
        "offset": f"0x{partition.offset:x}",
        "size": f"0x{partition.size_bytes:x}",
        "flags": " ".join(flags) or "none",
    }
