"""The main job in one go, on a simulated board: a CSV becomes an NVS image, real esptool flashes application, partition
table and image, the firmware boots, and what it says is compared with what was written.

It is what these commands do, in one process:

  fctry image build device.csv -o device.bin
  fctry board --app firmware/native/build --port 4000 --flash board.bin
  cd firmware/native/build
  fctry esptool --port rfc2217://127.0.0.1:4000 write-flash 0x8000 partition_table/partition-table.bin 0x20000 fctry.bin
  cd -
  fctry flash device.csv --port rfc2217://127.0.0.1:4000
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from fctry import provision
from fctry.boards import Board
from fctry.cli.flash import load_image
from fctry.cli.options import add_project, project_of
from fctry.cli.proof_table import print_proof
from fctry.device import Console, Deadline, flasher
from fctry.partitions.flasher_args import read_flasher_args


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "csv", nargs="?", type=Path, default=Path("examples/device.csv"), help="default: %(default)s"
    )
    add_project(parser)
    parser.add_argument(
        "--app", type=Path, default=Path("firmware/native/build"), help="default: %(default)s"
    )


def run(args: argparse.Namespace) -> int:
    project = project_of(args)
    partition = project.factory_partition
    image = load_image(args.csv, partition, None, project.settings.secret_namespaces)
    writes = read_flasher_args(args.app).writes()
    print(
        f"[1/4] image: {args.csv} -> {len(image.items)} keys, 0x{len(image.data):x} bytes for '{partition.name}'"
    )
    with tempfile.TemporaryDirectory() as folder, Board(Path(folder, "board.bin"), [args.app]) as board:
        print(f"[2/4] board: {board.url} (simulated ESP32, empty flash)")
        with flasher.connect(board.url, log=print_esptool) as chip:
            print("[3/4] esptool: application, partition table and image")
            chip.write(writes)
            provision.write_image(chip, image.data, partition)
            print("[4/4] reset: the board's console")
            chip.reset()
            proof = provision.read_proof(
                Console(chip, print_indented),
                image.items,
                partition,
                Deadline.after(provision.REPORT_TIMEOUT_S),
            )
    print_proof(proof)
    return 0 if proof.is_proven else 1


def print_indented(line: str) -> None:
    print(f"      {line}")


def print_esptool(line: str) -> None:
    if line.startswith(("Detecting", "Stub flasher running", "Wrote", "Hash of data")):
        print_indented(line)
