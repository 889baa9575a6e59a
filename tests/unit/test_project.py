"""A project is the same one to every command and to the fixtures of pytest."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fctry import provision
from fctry.cli.main import main
from fctry.device import flasher
from fctry.device.permit import Permit
from fctry.errors import InputError
from fctry.partitions.binary import pack
from fctry.partitions.table import Partition
from fctry.project import Settings, open_project
from tests.pytest_server import RunPytest

TABLE = "nvs,data,nvs,,0x6000\nfctry,data,nvs,,$FSIZE,readonly\napp,app,factory,,1M\nmap,data,pictures,,4K\n"
EXTRA = "--extra-subtype=data,pictures,0x40"
FACTORY = Partition("fctry", 1, 2, 0x17000, 0x5000, readonly=True)
DEVICE = "key,type,encoding,value\nfctryNamespace,namespace,,\nserial_number,data,string,1\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose table is at 0x10000, takes a size from the environment and has a subtype of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FSIZE", "0x5000")
    (tmp_path / "partitions.csv").write_text(TABLE)
    (tmp_path / "sdkconfig").write_text(
        'CONFIG_IDF_TARGET="esp32"\nCONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_PARTITION_TABLE_OFFSET=0x10000\n'
    )
    (tmp_path / "device.csv").write_text(DEVICE)
    return tmp_path


def settings() -> Settings:
    return Settings(extra_subtypes=("data,pictures,0x40",))


def test_factory_partition_is_where_the_configured_table_puts_it(folder: Path) -> None:
    project = open_project(settings(), variables=os.environ)
    assert project.factory_partition == FACTORY
    assert project.table.offset == 0x10000
    assert project.bootloader_offset == 0x1000


def test_subtypes_that_the_projects_cmake_files_add_are_known(folder: Path) -> None:
    component = folder / "components/pictures"
    component.mkdir(parents=True)
    text = '# idf_build_set_property(EXTRA_PARTITION_SUBTYPES "data, other, 0x41" APPEND)\n'
    text += (
        'idf_build_set_property(EXTRA_PARTITION_SUBTYPES "app, mine, 0x41" "data, pictures, 0x40" APPEND)\n'
    )
    (component / "project_include.cmake").write_text(text)
    project = open_project(Settings(), variables=os.environ)
    assert project.factory_partition == FACTORY
    assert project.layout.entries[-1].partition.subtype == 0x40
    assert project.options.keywords.subtypes[0]["mine"] == 0x41


def test_setting_counts_more_than_the_sdkconfig(folder: Path) -> None:
    said = Settings(extra_subtypes=("data,pictures,0x40",), table_offset=0x20000, chip="esp32c3")
    project = open_project(said, variables=os.environ)
    assert project.table.offset == 0x20000
    assert project.factory_partition.offset == 0x27000
    assert project.bootloader_offset == 0


@pytest.mark.parametrize("project", ["", "a project"])
def test_missing_table_is_made_by_the_remedy(
    project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    table = ["--partitions", f"{project}/partitions.csv"] if project else []
    said = ["flash", "device.csv", "--port", "/dev/ttyFCTRY0", *table]
    assert main(said) == 3
    err = capsys.readouterr().err
    assert "there is no partition table" in err
    remedy = re.search("`fctry (init.*?)`", err)
    assert remedy
    assert main([*shlex.split(remedy[1]), "--yes"]) == 0
    assert main(said) == 3
    assert "device.csv: cannot read" in capsys.readouterr().err


def test_unknown_chip_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(InputError, match="unknown chip `esp33`") as caught:
        open_project(Settings(chip="esp33"))
    assert "esp32c3" in caught.value.hint


def test_image_is_as_large_as_the_partition_of_the_project(folder: Path) -> None:
    assert main(["image", "build", "device.csv", "-o", "device.bin", EXTRA]) == 0
    assert (folder / "device.bin").stat().st_size == FACTORY.size_bytes


class WriteReachedError(Exception):
    """What was about to be written is known."""


class StubbedChip:
    """A device with the project's partition table."""

    is_secure_download = False

    def flash_size_bytes(self) -> int | None:
        return None

    def __init__(self) -> None:
        self.written: list[tuple[int, int]] = []
        self.table = pack(open_project(settings(), variables=os.environ).table)

    def identity(self) -> flasher.ChipIdentity:
        return flasher.ChipIdentity("ESP32", "24:0a:c4:00:00:01")

    def holds(self, address: int, data: bytes) -> bool:
        return data.count(0xFF) == len(data)

    def read(self, address: int, size_bytes: int) -> bytes:
        return self.table[:size_bytes] if address == 0x10000 else b"\xff" * size_bytes

    def write(self, permit: Permit, writes: list[tuple[int, bytes]]) -> None:
        permit.check(writes)
        self.written += [(address, len(data)) for address, data in writes]
        raise WriteReachedError


def test_flash_reads_the_device_s_table_where_the_project_has_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chip = StubbedChip()

    @contextmanager
    def connect(*_: object, **__: object) -> Iterator[StubbedChip]:
        yield chip

    monkeypatch.setattr(flasher, "connect", connect)
    with pytest.raises(WriteReachedError):
        main(["flash", "device.csv", "--port", "unused", EXTRA])
    assert chip.written == [(FACTORY.offset, 0x1000)]  # behind that it is blank


PLUGINS = ("-p", "no:cacheprovider", "-p", "pytest_embedded.plugin", "-p", "fctry.pytest_plugin")


def test_fixtures_take_the_project_s_table(folder: Path, run_pytest: RunPytest) -> None:
    (folder / "partitions.csv").write_text(TABLE.replace("pictures", "fat"))
    (folder / "test_fixtures.py").write_text(
        "def test_project(factory_partition, partition_table):\n"
        "    assert (factory_partition.offset, factory_partition.size_bytes) == (0x17000, 0x5000)\n"
        "    assert partition_table.offset == 0x10000\n"
    )
    done = run_pytest(*PLUGINS, "test_fixtures.py", cwd=folder)
    assert done.returncode == 0, done.stdout


def test_options_of_pytest_are_those_of_the_commands(folder: Path, run_pytest: RunPytest) -> None:
    (folder / "partitions.csv").write_text(TABLE.replace("pictures", "fat"))
    (folder / "test_fixtures.py").write_text(
        "def test_project(factory_project):\n"
        "    assert factory_project.factory_partition.name == 'nvs'\n"
        "    assert factory_project.table.offset == 0xC000\n"
        "    assert factory_project.options.flash_size_bytes == 8 << 20\n"
        "    assert factory_project.bootloader_offset == 0\n"
    )
    said = [
        "--fctry-partition=nvs",
        "--fctry-table-offset=0xC000",
        "--fctry-flash-size=8MB",
        "--fctry-chip=esp32c3",
        "--fctry-sdkconfig=sdkconfig",
    ]
    done = run_pytest(*PLUGINS, "test_fixtures.py", *said, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_partition_that_is_not_nvs_is_none_for_factory_data(folder: Path) -> None:
    said = Settings(partition="app", extra_subtypes=("data,pictures,0x40",))
    with pytest.raises(InputError, match="`app` is not of type data, nvs") as caught:
        _ = open_project(said, variables=os.environ).factory_partition
    assert caught.value.hint.endswith(": nvs, fctry")


def test_table_of_a_device_is_looked_for_where_the_layout_has_its_own(folder: Path) -> None:
    project = open_project(settings(), variables=os.environ)
    provision.open_partition(StubbedChip(), project.table, project.factory_partition)  # type: ignore[arg-type]
