"""Print labels of devices that the ledger has: as SVG, as a sheet in PDF, or as ZPL for a label printer.

DEVICE is a unique value of a device, such as its serial number; --batch takes all of a batch. What the label says is in
the spec, under [label], or in --qr, --text and --code. Texts have public fields in them; secrets, such as a setup code,
only with the private key that reads them: --private-key. The journal says what was printed, also again.

fctry label SN0000001G -o label.svg
fctry label SN0000001G --text "Lamp 2" --text "SN {serial_number}" --qr {serial_number} -o label.svg
fctry label --batch images --qr {serial_number} --text {serial_number} --sheet 3x8 -o labels.pdf
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

from fctry.cli.arguments import Argument, Arguments, BadParameter, Choice, Option, count, panel, path
from fctry.cli.ledgers import LEDGER_HERE, existing_ledger
from fctry.cli.text import counted, say_written
from fctry.errors import InputError
from fctry.identity.spec_label import SIZE

if TYPE_CHECKING:
    from fctry.identity.label import Drawing, LabelTemplate, Sheet
    from fctry.identity.ledger import Device, Ledger
    from fctry.nvs.item import Value

FORMATS = ("svg", "pdf", "zpl")
DPI = (203, 300, 600)
SPEC = Path("factory.toml")
SIZE_MM = (50.0, 25.0)


def pair(text: str) -> tuple[float, float]:
    """Two numbers, such as `50x25`."""
    found = SIZE.fullmatch(text)
    if not found:
        raise BadParameter(f"{text!r} is no pair of numbers: write it as 50x25")
    return float(found[1]), float(found[2])


PARAMETERS = (
    Argument(
        "device", nargs=-1, metavar="DEVICE", help="a unique value of the device, such as its serial number"
    ),
    Option("--batch", type=path, metavar="FOLDER|ZIP", help="all devices of this batch"),
    Option(
        "-o",
        "--output",
        type=path,
        required=True,
        metavar="FILE",
        help=f"where the labels go; ends in .{' or .'.join(FORMATS)}",
    ),
    Option(
        "--format",
        type=Choice(FORMATS),
        help="kind of label, where the name of the output does not say it (default: its ending)",
    ),
    Option(
        "--spec",
        type=path,
        metavar="FILE",
        excludes="--qr",
        help="spec whose [label] it is (default: factory.toml, if it is here)",
    ),
    Option(
        "--qr", metavar="TEXT", help="what the QR code says: {serial_number} (default: as the spec has it)"
    ),
    Option("--text", multiple=True, metavar="TEXT", help="a line of text on it"),
    Option(
        "--code",
        default="",
        metavar="TEXT",
        help="setup code of HomeKit, manual code of Matter: {setup_code}",
    ),
    Option("--size", type=pair, metavar="WxH", help="size of a label in mm (default: the spec's, or 50x25)"),
    Option(
        "--dpi",
        type=Choice(DPI),
        default=DPI[0],
        show_default=True,
        help="resolution of the label printer, for ZPL",
    ),
    Option(
        "--private-key",
        type=path,
        metavar="FILE",
        help="age key that reads the secrets that are on the label",
    ),
    *panel(
        "Sheets of label paper, for PDF",
        Option(
            "--sheet",
            type=pair,
            default="1x1",
            show_default=True,
            metavar="CxR",
            help="columns and rows of a page",
        ),
        Option(
            "--paper", type=pair, metavar="WxH", help="size of a page in mm (default: 210x297, or one label)"
        ),
        Option(
            "--margin", type=pair, default="0x0", show_default=True, metavar="XxY", help="left and top, in mm"
        ),
        Option(
            "--gap", type=pair, default="0x0", show_default=True, metavar="XxY", help="between labels, in mm"
        ),
        Option(
            "--skip",
            type=count,
            default="0",
            show_default=True,
            metavar="N",
            help="labels of the first page that are used up",
        ),
    ),
    *LEDGER_HERE,
)


def run(args: Arguments) -> int:
    from fctry.files import write_file

    form = args.format or args.output.suffix[1:]
    if form not in FORMATS:
        raise InputError(
            "no kind of label", hint=f"end the name in .{' or .'.join(FORMATS)}", file=args.output
        )
    template = _template(args)
    with existing_ledger(args) as ledger:
        devices = list(_devices(args, ledger))
        if len(devices) > 1 and form == "svg":
            raise InputError("one SVG is one label", hint="take .pdf or .zpl for several", file=args.output)
        secrets: Iterable[Mapping[str, Value]] = repeat({})
        if args.private_key:
            secrets = ledger.reveal_each([one.id for one in devices], args.private_key, why="label")
        drawings = [_drawing(args, one, held, template) for one, held in zip(devices, secrets, strict=False)]
        data = _document(form, drawings, args.dpi, _sheet(args, template))
        ledger.note([one.id for one in devices], "label", file=args.output.name)
        write_file(args.output, data)
    say_written(args.output, f"{counted(len(drawings), 'label')}")
    return 0


def _template(args: Arguments) -> LabelTemplate:
    """The label of the options, or that of the spec."""
    from fctry.identity.label import LabelTemplate

    if args.qr:
        return LabelTemplate(tuple(args.text), args.qr, args.code, *(args.size or SIZE_MM))
    file = args.spec or SPEC
    said = None
    if args.spec or file.exists():
        from fctry.identity.spec_file import read_spec

        said = read_spec(file).label
    if not said or args.text or args.code:
        hint = f"give --qr, or a table [label] in {file}"
        if said:
            hint = f"give --qr too; the [label] of {file} is printed without --text and --code"
        raise InputError("what shall the QR code say?", hint=hint)
    return LabelTemplate(said.lines, said.qr, said.code, *(args.size or said.size_mm))


def _devices(args: Arguments, ledger: Ledger) -> Iterator[Device]:
    for value in args.device:
        found = ledger.find(value)
        if len(found) != 1:
            raise InputError(
                f"{counted(len(found), 'device')} with the unique value {value!r}",
                hint="give one as manifest.csv has it; `fctry ledger show` lists them",
            )
        yield found[0]
    if args.batch:
        from fctry.identity.batch_zip import read_batch

        yield from ledger.devices(batch=read_batch(args.batch)["batch"])
    elif not args.device:
        raise InputError("labels of which devices?", hint="name them, or give --batch FOLDER")


def _drawing(
    args: Arguments, device: Device, secrets: Mapping[str, Value], template: LabelTemplate
) -> Drawing:
    from fctry.identity.label import draw

    values = {**_texts({**device.values, **secrets}), **device.public}
    try:
        label = template.fill(values)
    except InputError as error:
        if not args.private_key:
            error.hint += "; secrets are read with --private-key"
        raise
    return draw(label, template)


def _texts(values: Mapping[str, Value]) -> dict[str, str]:
    """Values as a label has them, by their whole names, and by their keys where no other has that key."""
    from fctry.identity.spec import shown

    keys = [name.rpartition(":")[2] for name in values]
    texts = {name: shown(value) for name, value in values.items()}
    return texts | {key: texts[name] for key, name in zip(keys, values, strict=True) if keys.count(key) == 1}


def _document(form: str, drawings: list[Drawing], dpi: int, sheet: Sheet) -> bytes:
    from fctry.identity.label import sheet_pdf, svg, zpl

    if form == "pdf":
        return sheet_pdf(drawings, sheet)
    if form == "zpl":
        return "".join(zpl(one, dpi) for one in drawings).encode()
    return svg(drawings[0]).encode()


def _sheet(args: Arguments, template: LabelTemplate) -> Sheet:
    from fctry.identity.label import Sheet

    columns, rows = map(int, args.sheet)
    if not columns or not rows:
        raise InputError("a sheet without labels", hint="give columns and rows: --sheet 3x8")
    paper = args.paper or (
        (template.width_mm, template.height_mm) if columns == rows == 1 else (210.0, 297.0)
    )
    left_mm, top_mm = args.margin
    gap_x_mm, gap_y_mm = args.gap
    return Sheet(columns, rows, paper, left_mm, top_mm, gap_x_mm, gap_y_mm, args.skip)
