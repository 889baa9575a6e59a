"""Write an NVS image into the factory partition of one device, start the firmware, and compare what it reads.

IMAGE is an image (`fctry image build`) or a CSV to make one of. Where the partition is comes from the partition table
of the project, and the device's own table must agree. Exit code 0 only if the firmware reports exactly what was
written, and proves to have what is in other namespaces than the one that it reports; 1 if the device failed, 3 if it
could not be tried. The namespace `secrets` is not shown.
With keys the image is an encrypted one; the device must have the keys already.

fctry flash device.csv --port /dev/ttyUSB0
fctry flash device.bin --port rfc2217://127.0.0.1:4000 --partitions my/partitions.csv
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path

from fctry import nvs, provision
from fctry.cli.arguments import Argument, Arguments, Option, baud, path, seconds
from fctry.cli.image.dump import Where, partition_in
from fctry.cli.options import KEYS, PROJECT, keys_of, project_of
from fctry.cli.proof_table import print_proof
from fctry.cli.text import escaped
from fctry.device import flasher
from fctry.device.commands import stored_bytes
from fctry.errors import FormatError, InputError
from fctry.files import naming, read_file
from fctry.findings import ERROR
from fctry.nvs import SECRET_NAMESPACES
from fctry.nvs.csv import read_sheet
from fctry.nvs.encryption import Keys
from fctry.nvs.factory_image import FactoryImage, make_image
from fctry.nvs.item import with_secrets
from fctry.partitions.table import Partition
from fctry.printable import Curtain
from fctry.serialport import only_port

LINES_SHOWN = 10
_OTHERS = "the name of a CSV ends in .csv, and a spec is for `fctry provision` and `fctry verify`"
EXIT_NOT_TRIED = 3


IMAGE = "NVS image, dump of a whole flash, or CSV ending in .csv"
BY_SERIAL = (
    Option(
        "--baud", type=baud, default=str(flasher.FLASH_BAUD), show_default=True, help="baud rate for flashing"
    ),
    Option(
        "--timeout",
        type=seconds,
        default=f"{provision.REPORT_TIMEOUT_S:g}",
        show_default=True,
        help="how long to wait for the report",
    ),
)
DEVICE = (
    Option(
        "--port",
        "-p",
        metavar="PORT",
        help="serial port: a device name or a pyserial URL (default: $ESPPORT, or the only board that is connected)",
    ),
    *PROJECT,
    *KEYS,
    *BY_SERIAL,
    Option("--verbose", "-v", is_flag=True, help="show what esptool and the firmware print"),
)
PARAMETERS = (
    Argument("image", type=path, help=IMAGE),
    *DEVICE,
    Option("--force", is_flag=True, help="overwrite another device's data"),
    Option("--dry-run", is_flag=True, help="say what would be erased and written, and write nothing"),
)


def run(args: Arguments) -> int:
    return take(args, provision.flash_steps(is_dry=args.dry_run), is_forced=args.force)


def take(args: Arguments, steps: Sequence[provision.Step], *, is_forced: bool = False) -> int:
    """Take steps on the device that the options of DEVICE name, and show them. Returns the exit code."""
    project = project_of(args)
    partition = project.factory_partition
    image = load_image(args.image, partition, keys_of(args), project.settings.secret_namespaces)
    provision.check_fits(image.data, partition)
    heard: deque[str] = deque(maxlen=LINES_SHOWN)

    curtain = Curtain(
        stored_bytes(item.value)
        for item in image.items
        if item.is_secret and isinstance(item.value, str | bytes)
    )

    def listen(line: str) -> None:
        line = curtain.hide(line)
        heard.append(line)
        if show:
            show(line)

    show = (lambda line: print(escaped(line))) if args.verbose else None
    port = args.port or os.environ.get("ESPPORT") or only_port()
    with flasher.connect(port, chip=args.chip or "auto", flash_baud=args.baud, log=show) as chip:
        run = provision.Run(
            chip,
            project.table,
            partition,
            image,
            target=project.target,
            is_forced=is_forced,
            timeout_s=args.timeout,
            on_line=listen,
        )
        record = provision.perform(run, steps, print_step)
    if record.failed and not show:
        print_last(heard)
    if run.proof:
        print_proof(run.proof)
    return print_failure(record)


def print_failure(record: provision.Record) -> int:
    """Say why a device failed, if it did. Returns the exit code."""
    if not record.failed:
        return 0
    print(f"error: {escaped(record.failed.error)}", file=sys.stderr)
    print(f"hint: {escaped(record.failed.hint)}", file=sys.stderr)
    return 1


def print_step(step: provision.StepRecord) -> None:
    """A line for each step of a run."""
    print(escaped(f"{step.name:15} {step.did or 'FAILED'}  ({step.seconds:.2f} s)"), flush=True)


def print_last(lines: Iterable[str]) -> None:
    """The last lines of the console, without those that show values: they may be secrets."""
    for line in lines:
        if line.strip() and '"event":"item"' not in line:
            print(f"  console: {escaped(line)}")


def load_image(
    path: Path,
    partition: Partition,
    keys: Keys | None = None,
    secret_namespaces: Sequence[str] = SECRET_NAMESPACES,
) -> FactoryImage:
    """The image in a file, which is decrypted if there are keys; a CSV is built for the partition.

    Of the dump of a whole flash it is the partition of that name.

    Raises InputError or FormatError that names the file, also when there are no items in it.
    """
    if path.suffix.lower() == ".csv":
        sheet = read_sheet(path)
        image = make_image(sheet, partition.size_bytes, read_only=partition.readonly).encrypted(keys)
    else:
        data = read_file(path, "make it with `fctry image build`")
        if len(data) > partition.size_bytes:  # the dump of a whole flash
            data, _ = partition_in(path, data, Where(partition.name, None, is_whole=False))
        with naming(path):
            plain = nvs.decrypt(data, keys) if keys else data
            _refuse_errors(path, plain, partition, keys)
            image = FactoryImage(data, tuple(nvs.decode(plain)))
    if not image.items:
        raise InputError("no keys in it", hint="give it at least one: nothing could be proven", file=path)
    return FactoryImage(image.data, tuple(with_secrets(image.items, secret_namespaces)))


def _refuse_errors(path: Path, plain: bytes, partition: Partition, keys: Keys | None) -> None:
    """Raise FormatError for what the firmware would stumble over, before anything is written."""
    found = nvs.check(plain, read_only=partition.readonly, is_decrypted=keys is not None)
    for one in sorted(found, key=lambda one: one.code != "nvs-wrong-key"):
        if one.severity is ERROR:
            hint = f"{one.hint}; {_OTHERS}" if one.code == "nvs-size" else one.hint
            raise FormatError(f"{one.where}: {one.message} ({one.code})", hint=hint, file=path)
