"""Application images of the ESP chips: what the native firmware is flashed as.

Such an image carries no code. One DROM segment holds `esp_app_desc_t`, whose `app_elf_sha256` names the ELF that a
board runs for it. Header, checksum and digest are those of any application image.

Source: ESP-IDF v5.5.5 components/bootloader_support/include/esp_app_format.h and src/esp_image_format.c,
components/esp_app_format/include/esp_app_desc.h.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from functools import reduce
from operator import xor

from fctry.boards.chip.chips import chip_named
from fctry.errors import FormatError, InputError

MAGIC = 0xE9
MAGIC_AT, SEGMENT_COUNT_AT = 0, 1
SEGMENT_BYTES_MAX = 16 << 20
DESCRIPTION_MAGIC = 0xABCD5432
CHECKSUM_SEED = 0xEF
MAX_SEGMENTS = 16
DIGEST_BYTES = 32

# esp_image_header_t: magic, segment_count, spi_mode, spi_speed | spi_size << 4, entry_addr, wp_pin, spi_pin_drv[3],
# chip_id, min_chip_rev, min_chip_rev_full, max_chip_rev_full, reserved[4], hash_appended
_HEADER = struct.Struct("<BBBBIB3sHBHH4sB")
_SEGMENT = struct.Struct("<II")  # load address, size in bytes
# esp_app_desc_t: magic_word, secure_version, reserv1[2], version, project_name, time, date, idf_ver, app_elf_sha256,
# min_efuse_blk_rev_full, max_efuse_blk_rev_full, mmu_page_size, reserv3[3], reserv2[18]
_DESCRIPTION = struct.Struct("<II8s32s32s16s16s32s32sHHB3s72s")
assert _HEADER.size == 24
assert _DESCRIPTION.size == 256

_SPI_MODE_DIO = 2
_SPI_SPEED_40M_SIZE_4MB = 0x20
_WP_PIN_DISABLED = 0xEE
_MAX_REVISION = 0xFFFF
_MMU_PAGE_SIZE_LOG2 = 16


@dataclass(frozen=True)
class AppDescription:
    """`esp_app_desc_t`. Texts are ASCII of at most 31 characters (`time` and `date`: 15); the digest has 32 bytes."""

    project_name: str
    version: str
    idf_version: str
    elf_sha256: bytes
    time: str = ""
    date: str = ""
    secure_version: int = 0

    def pack(self) -> bytes:
        """The 256 bytes. Raises InputError when a text or the digest does not fit."""
        if len(self.elf_sha256) != DIGEST_BYTES:
            raise InputError(f"an ELF's SHA-256 has 32 bytes, not {len(self.elf_sha256)}")
        return _DESCRIPTION.pack(
            DESCRIPTION_MAGIC,
            self.secure_version,
            bytes(8),
            _pack_text("version", self.version, 32),
            _pack_text("project_name", self.project_name, 32),
            _pack_text("time", self.time, 16),
            _pack_text("date", self.date, 16),
            _pack_text("idf_version", self.idf_version, 32),
            self.elf_sha256,
            0,
            _MAX_REVISION,
            _MMU_PAGE_SIZE_LOG2,
            bytes(3),
            bytes(72),
        )

    @classmethod
    def unpack(cls, data: bytes) -> AppDescription:
        """The description at the start of `data`. Raises FormatError if there is none."""
        if len(data) < _DESCRIPTION.size:
            raise FormatError(
                f"cut off: {len(data)} bytes of an application description of {_DESCRIPTION.size}"
            )
        magic, secure_version, _, version, name, time, date, idf, digest, *_ = _DESCRIPTION.unpack_from(data)
        if magic != DESCRIPTION_MAGIC:
            raise FormatError("no application description")
        return cls(
            project_name=_unpack_text(name),
            version=_unpack_text(version),
            idf_version=_unpack_text(idf),
            elf_sha256=digest,
            time=_unpack_text(time),
            date=_unpack_text(date),
            secure_version=secure_version,
        )


@dataclass(frozen=True)
class AppImage:
    """An image that `unpack` found in order. `size_bytes` counts checksum and digest."""

    description: AppDescription
    chip_id: int
    size_bytes: int


def pack(description: AppDescription, chip: str = "esp32") -> bytes:
    """The image for a chip (ESP-IDF's IDF_TARGET). Raises InputError."""
    target = chip_named(chip)
    header = _HEADER.pack(
        MAGIC,
        1,
        _SPI_MODE_DIO,
        _SPI_SPEED_40M_SIZE_4MB,
        0,
        _WP_PIN_DISABLED,
        bytes(3),
        target.image_chip_id,
        0,
        0,
        _MAX_REVISION,
        bytes(4),
        1,
    )
    segment = description.pack()
    # the address has the same place in its MMU page as the data has in flash
    load_address = target.drom_address + _HEADER.size + _SEGMENT.size
    image = header + _SEGMENT.pack(load_address, len(segment)) + segment
    image += bytes(15 - len(image) % 16) + bytes([reduce(xor, segment, CHECKSUM_SEED)])
    return image + hashlib.sha256(image).digest()


def chip_id_of(image: bytes) -> int:
    """`chip_id` of the image's header. Raises FormatError on a wrong magic byte."""
    if len(image) < _HEADER.size:
        raise FormatError(f"cut off: {len(image)} bytes of an image header of {_HEADER.size}")
    magic, *_, chip_id, _, _, _, _, _ = _HEADER.unpack_from(image)
    if magic != MAGIC:
        raise FormatError("has invalid magic byte (nothing flashed here?)", offset=MAGIC_AT)
    return int(chip_id)


def unpack(image: bytes, partition_bytes: int | None = None) -> AppImage:
    """Check an image as the boot loader does, in its words and its order; what follows it is ignored.

    Its partition ends after `partition_bytes`, by default with `image`, which may go on behind it.
    Raises FormatError on a wrong magic byte, a segment beyond the end, a wrong checksum or digest, or a first segment
    without an application description.
    """
    chip_id = chip_id_of(image)
    _, segment_count, *_, has_digest = _HEADER.unpack_from(image)
    if segment_count > MAX_SEGMENTS:
        raise FormatError(
            f"segment count {segment_count} exceeds max {MAX_SEGMENTS}", offset=SEGMENT_COUNT_AT
        )
    segments, end = _segments(image, segment_count)
    found = reduce(xor, b"".join(segments), CHECKSUM_SEED)
    checksum_offset = end | 15
    size_bytes = checksum_offset + 1
    _check_fits(size_bytes, len(image))
    if (stored := image[checksum_offset]) != found:
        raise FormatError(f"Checksum failed. Calculated {found:#x} read {stored:#x}", offset=checksum_offset)
    with_digest = size_bytes + DIGEST_BYTES * has_digest
    _check_fits(with_digest, len(image) if partition_bytes is None else partition_bytes)
    if has_digest and image[size_bytes:with_digest] != hashlib.sha256(image[:size_bytes]).digest():
        raise FormatError("Image hash failed - image is corrupt", offset=size_bytes)
    return AppImage(AppDescription.unpack(b"".join(segments[:1])), chip_id, with_digest)


def _segments(image: bytes, count: int) -> tuple[list[bytes], int]:
    """Data of the segments, and where the last one ends."""
    segments = []
    position = _HEADER.size
    for _ in range(count):
        _check_fits(position + _SEGMENT.size, len(image))
        _, size = _SEGMENT.unpack_from(image, position)
        position += _SEGMENT.size
        if size % 4 or size >= SEGMENT_BYTES_MAX:
            raise FormatError(f"invalid segment length {size:#x}", offset=position)
        _check_fits(position + size, len(image))
        segments.append(image[position : position + size])
        position += size
    return segments, position


def _check_fits(size_bytes: int, room_bytes: int) -> None:
    if size_bytes > room_bytes:
        message = f"Image length {size_bytes} doesn't fit in partition length {room_bytes}"
        raise FormatError(message, offset=room_bytes)


def _pack_text(name: str, text: str, field_bytes: int) -> bytes:
    if not text.isascii() or "\0" in text or len(text) >= field_bytes:
        raise InputError(
            f"{name} {text!r} does not fit: it takes {field_bytes - 1} ASCII characters",
            hint="shorten it",
        )
    return text.encode().ljust(field_bytes, b"\0")


def _unpack_text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("ascii", "replace")
