"""The reference firmware, compiled once for each set of names, table and compiler, or refused in a line."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from fctry.cli.main import main
from fctry.errors import BoardError, InputError
from fctry.project import Settings, open_project
from fctry.reference import PARTITIONS
from fctry.reference import __main__ as reference
from fctry.reference import native_build as native
from fctry.reference.native_build import Recipe, build, recipe_of

RECIPE = recipe_of(open_project(Settings(PARTITIONS)))


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that would be compiled: the compiler costs seconds, and is not what is tested here."""
    folders: list[Path] = []

    def compile_(recipe: Recipe, compiler: Sequence[str], folder: Path) -> None:
        folder.mkdir()
        folders.append(folder)

    monkeypatch.setattr(native, "_compile", compile_)
    return folders


def test_project_gives_its_table_and_the_options_of_the_component(tmp_path: Path) -> None:
    (tmp_path / "partitions.csv").write_text(
        "nvs,data,nvs,0x9000,0x6000\nunique,data,nvs,0x10000,0x3000,readonly\napp,app,factory,0x600000,1M\n"
    )
    (tmp_path / "sdkconfig.defaults").write_text(
        'CONFIG_FACTORY_DATA_NAMESPACE="lamp"\nCONFIG_FACTORY_DATA_CONSOLE_ALWAYS=y\nCONFIG_FACTORY_DATA_ENCRYPTED=y\n'
        "CONFIG_ESPTOOLPY_FLASHSIZE_8MB=y\n"
    )
    recipe = recipe_of(open_project(Settings(tmp_path / "partitions.csv")))
    assert recipe.config == {
        "CONFIG_FACTORY_DATA_PARTITION_LABEL": '"unique"',
        "CONFIG_FACTORY_DATA_NAMESPACE": '"lamp"',
        "CONFIG_FACTORY_DATA_CONSOLE_ALWAYS": "1",
    }
    assert recipe.flash_bytes == 8 << 20


def test_same_content_is_compiled_once(compiled: list[Path], tmp_path: Path) -> None:
    told: list[str] = []
    folders = {build(RECIPE, cache=tmp_path, log=told.append) for _ in range(2)}
    assert len(folders) == len(compiled) == len(told) == 1
    assert [path.name for path in tmp_path.iterdir()] == [folders.pop().name]


def test_other_names_table_or_compiler_make_another_build(
    compiled: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = RECIPE.table.partitions[0]
    table = replace(
        RECIPE.table, partitions=(replace(first, size_bytes=0x5000), *RECIPE.table.partitions[1:])
    )
    recipes = [
        RECIPE,
        replace(RECIPE, config={"X": "1"}),
        replace(RECIPE, table=table),
        replace(RECIPE, chip="esp32c3"),
    ]
    folders = [build(recipe, cache=tmp_path) for recipe in recipes]
    other = tmp_path / "cc"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("CC", str(other))
    folders.append(build(RECIPE, cache=tmp_path))
    assert len(set(folders)) == 5


def test_cache_does_not_grow_for_ever_and_loses_what_was_abandoned(
    compiled: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "KEPT_BUILDS", 4)
    abandoned = tmp_path / "new-killed"
    abandoned.mkdir()
    os.utime(abandoned, (0, 0))
    used = build(RECIPE, cache=tmp_path)
    for number in range(7):
        build(replace(RECIPE, config={"N": str(number)}), cache=tmp_path)
        build(RECIPE, cache=tmp_path)  # what is in use stays
    assert len(list(tmp_path.iterdir())) == 4
    assert used.is_dir()


def test_demo_without_a_compiler_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["demo"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: no C compiler (cc, gcc, clang)")
    assert "apt install gcc libc6-dev" in err


def test_compiler_without_headers_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\necho 'port/bus.c:3:10: fatal error: stdio.h: No such file' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    with pytest.raises(BoardError, match=r"stdio\.h") as caught:
        build(RECIPE, cache=tmp_path)
    assert "libc6-dev" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["cc"]


def test_compiler_may_have_arguments(
    compiled: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cc, cache = tmp_path / "with space" / "cc", tmp_path / "cache"
    cc.parent.mkdir()
    cache.mkdir()
    cc.write_text("#!/bin/sh\n")
    cc.chmod(0o755)
    monkeypatch.setenv("CC", f"'{cc}' -m64")
    assert native.find_compiler() == (str(cc), "-m64")
    folders = {build(RECIPE, cache=cache) for _ in range(2)}
    monkeypatch.setenv("CC", str(cc))
    assert native.find_compiler() == (str(cc),)
    assert build(RECIPE, cache=cache) not in folders


def test_full_disk_is_what_the_error_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = tmp_path / "cc"
    text = "ld: final link failed: No space left on device\ncollect2: error: ld returned 1 exit status"
    compiler.write_text(f"#!/bin/sh\necho '{text}' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    with pytest.raises(InputError, match="No space left on device") as caught:
        build(RECIPE, cache=tmp_path)
    assert "make room" in caught.value.hint


def test_build_in_a_cache_that_can_only_be_read_is_used(
    compiled: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def utime(path: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    folder = build(RECIPE, cache=tmp_path)
    monkeypatch.setattr(os, "utime", utime)  # who runs the tests may be root, whom no mode keeps out
    assert build(RECIPE, cache=tmp_path) == folder


def test_folder_that_another_process_removes_meanwhile_is_no_error(
    compiled: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new-of-another").mkdir()
    stat = Path.stat

    def vanishing(self: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = stat(self, follow_symlinks=follow_symlinks)
        if self.name == "new-of-another":
            self.rmdir()
        return found

    monkeypatch.setattr(Path, "stat", vanishing)
    assert build(RECIPE, cache=tmp_path).is_dir()


def test_build_of_the_reference_firmware_says_what_it_takes() -> None:
    with pytest.raises(SystemExit, match=r"python -m fctry\.reference FOLDER"):
        reference.main([])
