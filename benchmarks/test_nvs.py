"""NVS images: against Espressif's generator, mfg_gen.py and nvs_tool.py, and against just writing the files.

The generator is installed from its package. The other two come with ESP-IDF only: with IDF_PATH set they are run from
there, without it those cases are skipped. Each ratio compares the least processor time of several turns, taken in turn,
child processes included: on a machine that does other things too, the clock on the wall tells about those. What a user
waits for is that clock: mfg_gen.py works by one core, `fctry batch` by all, and they are compared by both.
"""

from __future__ import annotations

import io
import itertools
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pytest
from esp_idf_nvs_partition_gen import nvs_partition_gen as generator
from pytest_benchmark.fixture import BenchmarkFixture

from fctry.cli.main import main
from fctry.files import write_new
from fctry.identity.cores import cores
from fctry.nvs import ImageTemplate, Item, ItemType, encode, read_sheet

ARTICLE_CSV = Path(__file__).parents[1] / "tests" / "data" / "nvs" / "article.csv"
SIZE_BYTES = 0x6000
GOALS = (5.0, 8.0)  # times as many devices as mfg_gen.py by the clock, with a ledger and without
LEAST = (2.0, 3.3)  # of which so much is left where others use the cores, too
TRIES = 3
SERIAL, MAC = 164589345735, "0A:0B:0C:0D:0E:0F"
ITEMS = read_sheet(ARTICLE_CSV).items
FCTRY = [sys.executable, "-m", "fctry", "image"]


class Least(NamedTuple):
    """The least that an action took."""

    processor_s: float
    clock_s: float


def least(*actions: Callable[[], object], turns: int = 5) -> list[Least]:
    """Of several runs of each action, all of them in each turn."""
    times: list[list[tuple[float, float]]] = [[] for _ in actions]
    for _ in range(turns):
        for action, taken in zip(actions, times, strict=True):
            began, began_s = _processor_s(), time.perf_counter()
            action()
            taken.append((_processor_s() - began, time.perf_counter() - began_s))
    return [Least(*map(min, zip(*taken, strict=True))) for taken in times]


def fastest(*actions: Callable[[], object], turns: int = 5) -> list[float]:
    """Seconds of processor time of the fastest run of each action, all of them in each turn."""
    return [one.processor_s for one in least(*actions, turns=turns)]


def _processor_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def idf_tool(path: str) -> Path:
    if "IDF_PATH" not in os.environ:
        pytest.skip(f"{path} comes with ESP-IDF: set IDF_PATH")
    return Path(os.environ["IDF_PATH"]) / path


def report(text: str) -> None:
    print(f"\n{text}")


def generator_image(serial: int) -> bytes:
    """The article's two items, by the generator's own classes."""
    result = io.BytesIO()
    nvs = generator.nvs_open(result, SIZE_BYTES - 4096, generator.Page.VERSION2)
    nvs.write_namespace("fctryNamespace")
    nvs.write_entry("serial_number", str(serial), "string")
    nvs.write_entry("mac_addr", MAC, "string")
    generator.nvs_close(nvs)
    return result.getvalue()


def test_images_in_memory(benchmark: BenchmarkFixture) -> None:
    layout = ImageTemplate(ITEMS, SIZE_BYTES)
    assert layout.encode([str(SERIAL), MAC]) == generator_image(SERIAL)
    count = 2000

    def theirs() -> None:
        for serial in range(SERIAL, SERIAL + count):
            generator_image(serial)

    def ours() -> None:
        for serial in range(SERIAL, SERIAL + count):
            layout.encode([str(serial), MAC])

    generator_s, layout_s = fastest(theirs, ours, turns=15)
    benchmark(layout.encode, [str(SERIAL), MAC])
    ratio = generator_s / layout_s
    rates = f"generator {count / generator_s:,.0f} images/s, prepared layout {count / layout_s:,.0f}"
    report(f"in memory: {rates}: {ratio:.1f} times as many")


@pytest.fixture
def common_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All keys, in a folder that may have a ledger."""
    monkeypatch.setenv("FCTRY_STATE", str(tmp_path / "state"))
    path = tmp_path / "common.csv"
    path.write_bytes(ARTICLE_CSV.read_bytes())
    return path


@pytest.fixture
def batch_csv(tmp_path: Path) -> Path:
    lines = [f"{SERIAL + i},0A:0B:0C:0D:{i >> 8:02X}:{i & 255:02X}" for i in range(5000)]
    path = tmp_path / "values.csv"
    path.write_text("\n".join(["serial_number,mac_addr", *lines]))
    return path


def test_5000_devices_to_files(
    benchmark: BenchmarkFixture, common_csv: Path, batch_csv: Path, tmp_path: Path
) -> None:
    """With a ledger; the whole command in this process."""
    image = encode(ITEMS, SIZE_BYTES)
    (tmp_path / "plain").mkdir()
    folders = iter(range(100))

    def images() -> None:
        folder = tmp_path / f"images{next(folders)}"
        assert main(["batch", str(common_csv), str(batch_csv), "-o", str(folder), "--size", "0x6000"]) == 0

    def plain_files() -> None:
        for number in range(5000):
            (tmp_path / "plain" / f"device-{number:05}.bin").write_bytes(image)

    files, plain = fastest(images, plain_files, turns=2)
    benchmark.pedantic(images, rounds=1)
    report(
        f"5,000 devices: {files:.2f} s, just writing 5,000 such files {plain:.2f} s: {files / plain:.2f} times"
    )


def _folder_in_memory() -> Path:
    """Where files cost the least: a disk's file system may take any time to find a free inode."""
    return Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))


def _write_and_hash(folder: Path, numbers: range) -> None:
    image = encode(ITEMS, SIZE_BYTES)
    for number in numbers:
        write_new(f"{folder}/{number}.bin", image)
        sha256(image).hexdigest()


@pytest.mark.timeout(300)
def test_5000_devices_against_mfg_gen(
    benchmark: BenchmarkFixture, batch_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole commands as users run them, and the least that ours could take: to begin, to write and hash files."""
    tool = idf_tool("tools/mass_mfg/mfg_gen.py")
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # as users have it
    place = _folder_in_memory()
    monkeypatch.setenv("FCTRY_STATE", str(place / "state"))
    names = ("config.csv", "mfg_values.csv", "mfg_one.csv", "one.csv", "common.csv")
    config, values, mfg_one, one, common_csv = (place / name for name in names)
    shutil.copy(ARTICLE_CSV, common_csv)
    config.write_text("fctryNamespace,namespace,\nserial_number,data,string\nmac_addr,data,string\n")
    head, *rows = batch_csv.read_text().split("\n")
    values.write_text("\n".join([f"id,{head}", *(f"{number},{row}" for number, row in enumerate(rows, 1))]))
    mfg_one.write_text(f"id,{head}\n1,{rows[0]}")
    one.write_text("\n".join([head, rows[0]]))
    folders = (place / str(number) for number in itertools.count())

    def theirs(devices: Path = values) -> None:
        arguments = ["generate", config, devices, "device", "0x6000", "--outdir", next(folders)]
        _run([sys.executable, tool, *arguments])

    def ours(devices: Path = batch_csv, *options: object) -> None:
        arguments = ["batch", common_csv, devices, "-o", next(folders), "--size", "0x6000", *options]
        _run([*FCTRY[:-1], *arguments])

    def without_ledger(devices: Path = batch_csv) -> None:
        ours(devices, "--ledger", "none")

    def files() -> None:
        folder = next(folders)
        folder.mkdir()
        _write_and_hash(folder, range(len(rows)))

    beginnings = (partial(theirs, mfg_one), partial(ours, one), partial(without_ledger, one))
    try:
        ours(one)  # the ledger is made
        tries = [_times_as_many(theirs, ours, without_ledger)]
        while any(one < goal for one, goal in zip(tries[-1], GOALS, strict=True)) and len(tries) < TRIES:
            tries.append(_times_as_many(theirs, ours, without_ledger))
        bare, *begun = least(files, *beginnings)
        benchmark.pedantic(ours, rounds=1)
    finally:
        shutil.rmtree(place)
    report(
        f"the least, by the clock: files and hashes by one core {bare.clock_s:.2f} s, beginning "
        + ", ".join(
            f"{name} {one.clock_s:.2f} s"
            for name, one in zip(("mfg_gen.py", "with a ledger", "without"), begun, strict=True)
        )
    )
    for ratio, at_least in zip(map(max, zip(*tries, strict=True)), LEAST, strict=True):
        assert ratio >= at_least


def _times_as_many(theirs: Callable[[], object], *ours: Callable[[], object]) -> tuple[float, ...]:
    """How many times as many devices ours make by the clock as theirs in the same time, the best runs of each."""
    mfg_gen, *ones = least(theirs, *ours)
    text = [f"5,000 devices: mfg_gen.py {mfg_gen.clock_s:.2f} s, of a processor {mfg_gen.processor_s:.2f} s"]
    for name, one in zip(("with a ledger", "without"), ones, strict=True):
        text.append(
            f"`fctry batch` {name} {one.clock_s:.2f} s: {mfg_gen.clock_s / one.clock_s:.1f} times as many; of "
            f"{cores()} processors {one.processor_s:.2f} s: {mfg_gen.processor_s / one.processor_s:.1f} times"
        )
    report("\n".join(text))
    return tuple(mfg_gen.clock_s / one.clock_s for one in ones)


@pytest.mark.parametrize("count", [1, 100])
@pytest.mark.timeout(300)
def test_check_against_nvs_tool(benchmark: BenchmarkFixture, tmp_path: Path, count: int) -> None:
    """nvs_tool.py takes one image; both are whole processes. A start of Python alone is 1/4 of one nvs_tool.py."""
    tool = idf_tool("components/nvs_flash/nvs_partition_tool/nvs_tool.py")
    items = [Item("n", f"k{i}", ItemType.STR, "x" * (30 + i % 40)) for i in range(180)]
    paths = [tmp_path / f"{number}.bin" for number in range(count)]
    for path in paths:
        path.write_bytes(encode(items, SIZE_BYTES))

    def theirs() -> None:
        for path in paths:
            _run([sys.executable, tool, "-d", "none", "-i", path])

    def ours() -> None:
        _run([*FCTRY, "check", *paths])

    nvs_tool_s, ours_s = fastest(theirs, ours, turns=10 if count == 1 else 2)
    (start_s,) = fastest(lambda: _run([sys.executable, "-c", "pass"]), turns=10)
    benchmark.pedantic(ours, rounds=1)
    report(
        f"check of {count}: nvs_tool.py {nvs_tool_s * 1e3:.0f} ms, `image check` {ours_s * 1e3:.0f} ms: "
        f"{nvs_tool_s / ours_s:.1f} times as fast; python -c pass {start_s * 1e3:.0f} ms"
    )


def _run(command: list[object]) -> None:
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
