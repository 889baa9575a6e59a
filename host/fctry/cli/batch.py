"""Make an image for each of many devices, and write down in the ledger who got what.

SPEC is a factory spec, or a CSV with all keys, as Espressif's generators take it. VALUES has a line per device: the
columns that the spec names, or the keys of the CSV.
The folder or ZIP file gets the images and a manifest of them, as CSV and as JSON lines, without secrets. The same
command again goes on where it was interrupted: no device is there twice, none is missing.
With --ledger none all values must come from the files, and nothing is known of them afterwards: that no two devices are
the same is seen to in this run alone.

fctry batch factory.toml --count 1000 -o images
fctry batch factory.toml customers.csv -o lot.zip
fctry batch config.csv values.csv -o images --name {id} --unique serial --ledger none
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fctry.cli.arguments import Argument, Arguments, Option, path
from fctry.cli.image.target import TARGET, target_of
from fctry.cli.ledgers import LEDGER, NONE, ledger_of
from fctry.cli.options import KEYS, keys_of
from fctry.cli.text import counted
from fctry.errors import InputError

if TYPE_CHECKING:
    from fctry.identity.batch import Batch
    from fctry.identity.batch_folder import BatchFolder
    from fctry.identity.csv_devices import Devices, Drawn
    from fctry.identity.draft import Draft
    from fctry.identity.foreseen import Foreseen
    from fctry.identity.images import ImageMaker
    from fctry.identity.ledger import Ledger
    from fctry.identity.spec import Spec
    from fctry.identity.writers import Writers
    from fctry.nvs.encryption import Keys

NAME = "{number}"


PARAMETERS = (
    Argument("spec", type=path, metavar="SPEC", help="factory.toml, or a CSV with all keys"),
    Argument("values", required=False, type=path, metavar="VALUES", help="a CSV with a line per device"),
    Option("-o", "--output", type=path, required=True, metavar="FOLDER|ZIP", help="where the images go"),
    Option("--count", type=int, default=0, help="devices (default: the spec's, or all of VALUES)"),
    Option(
        "--name",
        default=NAME,
        show_default=True,
        help="file name of each image, with public fields in it: {serial_number}",
    ),
    Option("--lot", default="", help="production lot, for serial numbers and the journal"),
    Option("--line", default="", help="production line, likewise"),
    *(
        Option(f"--{name}", multiple=True, metavar="KEY", help=f"with a CSV: a key or column {text}")
        for name, text in (
            ("unique", "that no two devices may share"),
            ("optional", "that a device may be without"),
            ("secret", "that is shown nowhere"),
        )
    ),
    Option("--seal", multiple=True, metavar="RECIPIENT", help="encrypt each file to this age recipient"),
    *KEYS,
    *TARGET,
    *LEDGER,
)


def run(args: Arguments) -> int:
    from fctry.identity.batch import make_batch
    from fctry.identity.batch_zip import is_complete, open_batch
    from fctry.identity.images import ImageMaker
    from fctry.identity.spec_check import require, require_difference
    from fctry.identity.spec_rules import Room
    from fctry.identity.writers import Writers

    spec, devices = _read(args)
    rows = len(devices.rows) if devices else 0
    count = args.count or rows or spec.count
    if count < 1 or (rows and count > rows):
        found = f"{args.values} has {counted(rows, 'device')}" if rows else "the spec does not say it"
        hint = f"give --count of {rows} at most, or more lines" if rows else "give --count"
        raise InputError(f"how many devices: {found}", hint=hint, file=args.spec)
    target = target_of(args)
    require(spec, Room(target.size_bytes, target.read_only, count))
    maker = ImageMaker(spec, target.size_bytes, read_only=target.read_only, version=target.version)
    batch = _batch(args, spec, count, devices)
    if not devices and count > 1:
        require_difference(spec)
    _try_name(args, batch, spec)
    keys = keys_of(args)
    finish = _finish(keys, args.seal)
    draw = _draw(batch, maker, devices) if devices else None

    def identity(ledger: Ledger | None) -> dict[str, Any]:
        return {
            "product": spec.product,
            "spec_sha256": spec.sha256,
            "ledger": ledger.id if ledger else None,
            "size_bytes": target.size_bytes,
            "name": args.name,
            **_wrapped(keys, args.seal),
        }

    with _naming(args.output):
        if args.output.is_file():
            with _ledger(args, spec) as ledger:
                is_there = is_complete(args.output, identity(ledger), count)
        if not args.output.is_file() or not is_there:
            with (
                open_batch(args.output) as folder,
                # before the ledger is imported, and before the progress bar's thread
                Writers(maker.parts, finish, max(count, rows), draw=draw) as writers,
            ):
                foreseen = _foresee(args, devices, folder, writers) if devices else None
                with _ledger(args, spec) as ledger:
                    folder.open(
                        identity(ledger),
                        [spec.public_names[one.name] for one in spec.fields if not one.is_secret],
                    )
                    for _ in _shown(make_batch(batch, ledger, folder, writers, foreseen), count):
                        pass
    print(f"{args.output}: {counted(count, 'image')} of {target.size_bytes:#x} bytes, and manifest.csv")
    return 0


def _foresee(args: Arguments, devices: Devices, folder: BatchFolder, writers: Writers) -> Foreseen | None:
    """Look at the devices of a CSV. Raises InputError for all that is wrong with them.

    They are given back if they do not depend on the ledger.
    """
    from fctry.identity.foreseen import Foreseen

    foreseen = Foreseen(writers, devices, str(folder.pending))
    looks = foreseen.looks()
    if args.ledger != NONE:
        import fctry.identity.ledger  # noqa: F401  takes as long as the others have to look
    devices.check(looks)
    return None if devices.is_drawn else foreseen


@contextmanager
def _ledger(args: Arguments, spec: Spec) -> Iterator[Ledger | None]:
    """The ledger, or None where the options say so. Raises InputError for a spec that cannot do without."""
    if args.ledger != NONE:
        with ledger_of(args, args.spec.parent) as ledger:
            yield ledger
        return
    from fctry.identity.spec_check import require_files

    require_files(spec)
    yield None


def _read(args: Arguments) -> tuple[Spec, Devices | None]:
    """The spec, and the devices that have a line each, if there is a CSV of them."""
    kind = ".toml" if str(args.spec) == "-" else args.spec.suffix.lower()
    if kind not in (".toml", ".csv"):
        raise InputError("neither a spec nor a CSV", hint="its name ends in .toml or .csv", file=args.spec)
    if kind == ".toml":
        from fctry.identity.spec_file import read_spec

        if args.unique or args.optional or args.secret:
            hint = "write it there"
            raise InputError(
                "a spec says itself what is unique, optional or secret", hint=hint, file=args.spec
            )
        spec = read_spec(args.spec)
        if not args.values:
            return spec, None
        from fctry.identity.csv_devices import devices_of

        return devices_of(spec, args.values)
    if not args.values:
        raise InputError(
            "one CSV says nothing of devices",
            hint="give a second one, with a line per device",
            file=args.spec,
        )
    from fctry.identity.csv_spec import CsvOptions, read_csv_spec

    return read_csv_spec(args.spec, args.values, CsvOptions(args.unique, args.optional, args.secret))


def _draw(batch: Batch, maker: ImageMaker, devices: Devices) -> Callable[[int], Drawn]:
    """What draws a device, and raises InputError where it, its image or its file cannot be."""
    from fctry.identity.batch_folder import check_file_name

    def draw(number: int) -> Drawn:
        def make(draft: Draft) -> tuple[str, Sequence[bytes]]:
            image = maker.parts(draft)
            check_file_name(name := batch.name(number, draft))
            return name, image

        return devices.draw(number, batch.context(number), make)

    return draw


def _try_name(args: Arguments, batch: Batch, spec: Spec) -> None:
    """Raise InputError for a name that is none, or is the same for all, before anything is handed out."""
    from fctry.identity.batch_folder import check_file_name
    from fctry.identity.named import fill
    from fctry.identity.spec_example import example

    known = {spec.public_names[one.name] for one in spec.fields if not one.is_secret} | {"number"}
    fill(args.name, dict.fromkeys(known, ""))
    if "{" not in args.name and batch.count > 1:
        hint = "name them by {number}, or by a field that is unique"
        if args.name in known:
            hint = f"for the value of that field write {{{args.name}}}"
        raise InputError(f"all devices would have the same file, {args.name!r}", hint=hint)
    if not args.values:  # those of a CSV are tried one by one
        check_file_name(batch.name(1, example(spec)))


def _batch(args: Arguments, spec: Spec, count: int, devices: Devices | None) -> Batch:
    from fctry.identity.batch import Batch
    from fctry.identity.draft import Context, Product
    from fctry.identity.named import fill

    now = datetime.now(timezone.utc)
    digits = max(5, len(str(count)))

    def context(number: int) -> Context:
        return Context(now, args.lot, args.line, devices.cells(number) if devices else {})

    def name(number: int, draft: Draft) -> str:
        text = fill(args.name, {**draft.public, "number": str(number).zfill(digits)})
        return f"{text}.bin{'.age' if args.seal else ''}"

    return Batch(Product(spec.product, spec.sha256), spec, count, context, name)


def _wrapped(keys: Keys | None, recipients: Sequence[str]) -> dict[str, Any]:
    """What a batch remembers of who can read its images: all of them, and not those alone that one run has made."""
    said: dict[str, Any] = {"seal": sorted(set(recipients))} if recipients else {}
    if keys:
        from hashlib import sha256

        said["keys"] = sha256(
            keys.encryption + keys.tweak
        ).hexdigest()  # of random bytes: it gives nothing away
    return said


def _finish(keys: Keys | None, recipients: Sequence[str]) -> Callable[[bytes], bytes] | None:
    """What is done to each image before it is written, if anything is."""
    if not keys and not recipients:
        return None
    if keys:
        from fctry.nvs.encryption import encrypt
    if recipients:
        from fctry.identity.sealing import check_recipients, encrypt_for

        check_recipients(recipients)

    def finish(image: bytes) -> bytes:
        image = encrypt(image, keys) if keys else image
        return encrypt_for(image, recipients) if recipients else image

    return finish


def _shown(done: Iterator[int], count: int) -> Iterator[int]:
    """Show on a terminal how far it is, at what rate, and how long it takes still."""
    if not sys.stderr.isatty():
        yield from done
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from fctry.cli.console import Console

    console = Console(stderr=True)
    columns = (TextColumn("images"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=count)
        for number in done:
            progress.update(task, completed=number)
            yield number


@contextmanager
def _naming(folder: Path) -> Iterator[None]:
    """Let errors of the system name the file."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"cannot write: {error.strerror}",
            hint="check the folder and the room on its disk; the same command goes on from here",
            file=error.filename or folder,
        ) from None
