"""One CSV with the items of all devices, one with the values in which they differ: an image for each device.

The second has a column per key, named `key`, or `namespace:key` where two namespaces have that key, and a line per
device. Keys without a column keep the value of the first CSV. Values are encoded as the first CSV says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from fctry.errors import InputError
from fctry.files import replace_file, sweep, sync_folder
from fctry.nvs.csv import Sheet
from fctry.nvs.csv_records import Record, read_records
from fctry.nvs.encoder import ImageTemplate
from fctry.nvs.encodings import parse_value
from fctry.nvs.item import Value
from fctry.nvs.refusals import Refusals

FILE_NAME = re.compile(r"[^./\\:*?\"<>|-]([^/\\:*?\"<>|]*[^/\\:*?\"<>|. ])?")  # on every system
RESERVED = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³])(\.|$)", re.IGNORECASE)  # by Windows
NAME_BYTES_MAX = 200  # with ".bin" and what a temporary file adds, 255 are allowed


class DeviceValues(NamedTuple):
    """A device of the batch: its name, which is that of its file without `.bin`, and its values, one per item."""

    name: str
    values: tuple[Value, ...]
    file: Path
    line: int


def read_batch(sheet: Sheet, path: str | Path, *, name_column: str = "") -> list[DeviceValues]:
    """The devices of the second CSV.

    They are named by the column `name_column`, which need not be a key, or `device-00001` and so on. Raises
    InputError with file, line and remedy for a column that is no key, a bad value, and two devices of one name.
    """
    path = Path(path)
    devices: dict[str, DeviceValues] = {}
    columns: list[tuple[str, int]] = []
    refusals = Refusals()
    for record in read_records(path, [name_column] if name_column else [], refusals):
        columns = columns or _columns(sheet, record, name_column)
        with refusals.collected():
            values = [item.value for item in sheet.items]
            for column, index in columns:
                values[index] = _value(sheet, record, column, index)
            name = record.cells.get(name_column, "") if name_column else f"device-{len(devices) + 1:05}"
            _check_name(record, name, devices)
            devices[name.casefold()] = DeviceValues(name, tuple(values), path, record.line)
    refusals.tell()
    if not devices:
        raise InputError("no devices", hint="give one line per device", file=path)
    return list(devices.values())


def _check_name(record: Record, name: str, taken: Mapping[str, DeviceValues]) -> None:
    """Raise InputError when a device cannot have this name on every system, beside those that there are."""
    hint = "name the devices by another column"
    if not FILE_NAME.fullmatch(name) or not name.isprintable() or RESERVED.match(name):
        raise record.refusal(f"{name!r} cannot be the name of a file", hint)
    if len(name.encode()) > NAME_BYTES_MAX:
        raise record.refusal(f"{name[:20]!r}… is too long for the name of a file", hint)
    if earlier := taken.get(name.casefold()):
        raise record.refusal(
            f"two devices of the name {name!r}",
            f"line {earlier.line} has {earlier.name!r}: each device needs its own, also where case does not count",
        )


def write_batch(
    template: ImageTemplate,
    devices: list[DeviceValues],
    folder: Path,
    *,
    finish: Callable[[bytes], bytes] = bytes,
) -> Iterator[Path]:
    """Write the image of each device and yield its path. `finish` is applied to each image, to encrypt it.

    Nothing is written before every device has been tried. An image that was there stays until the new one is complete.
    Raises InputError that names the device's line, and OSError that names the image.
    """
    refusals = Refusals()
    for device in devices:
        with refusals.collected():
            try:
                template.check(device.values)
            except InputError as error:
                raise InputError(error.message, hint=error.hint, file=device.file, line=device.line) from None
    refusals.tell()
    folder.mkdir(parents=True, exist_ok=True)
    sweep(str(folder))
    for device in devices:
        path = folder / f"{device.name}.bin"
        try:
            replace_file(str(path), finish(template.encode(device.values)), is_private=True)
        except OSError as error:
            error.filename, error.filename2 = str(path), None
            raise
        yield path
    sync_folder(str(folder))


def _columns(sheet: Sheet, record: Record, name_column: str) -> list[tuple[str, int]]:
    """Column -> index of the item whose value it has."""
    indices: dict[str, list[int]] = {}
    for index, item in enumerate(sheet.items):
        indices.setdefault(item.key, []).append(index)
        indices.setdefault(f"{item.namespace}:{item.key}", []).append(index)
    columns = []
    for column in record.columns:
        found = indices.get(column, [])
        if len(found) == 1:
            columns.append((column, found[0]))
        elif found:
            raise record.refusal(f"column {column!r} names {len(found)} keys", f"write `namespace:{column}`")
        elif column != name_column:
            raise record.refusal(
                f"column {column!r} is no key", "name the columns after keys of the first CSV"
            )
    return columns


def _value(sheet: Sheet, record: Record, column: str, index: int) -> Value:
    try:
        return parse_value(sheet.encodings[index], record.cells[column].encode())[1]
    except KeyError:
        raise record.refusal(f"no {column}", "give each device a value for each column") from None
    except ValueError as error:
        hint = f"correct the value, or its encoding {sheet.encodings[index]!r}"
        raise record.refusal(f"{column}: {error}", hint) from None
