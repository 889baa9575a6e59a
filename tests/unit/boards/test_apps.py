"""Finding the applications that a board may run."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fctry.boards.chip.apps import find_apps
from fctry.errors import InputError


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "build"
    folder.mkdir()
    (folder / "fctry.elf").write_bytes(b"elf")
    (folder / "fctry.elf").chmod(0o755)
    return folder


def test_elf_of_a_build_folder_is_known_by_its_digest(build: Path) -> None:
    apps = find_apps([build])
    assert list(apps) == [hashlib.sha256(b"elf").digest()]
    assert apps[hashlib.sha256(b"elf").digest()].elf == build / "fctry.elf"
    assert find_apps([build / "fctry.elf"]) == apps


def test_change_of_the_elf_is_noticed(build: Path) -> None:
    (app,) = find_apps([build]).values()
    assert app.is_unchanged
    (build / "fctry.elf").write_bytes(b"new")
    assert not app.is_unchanged
    (build / "fctry.elf").unlink()
    assert not app.is_unchanged


def test_folder_that_is_absent_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        find_apps([tmp_path / "absent"])
    assert caught.value.file == tmp_path / "absent"
    assert "python -m fctry.reference" in caught.value.hint


def test_folder_without_an_elf_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no ELF files") as caught:
        find_apps([tmp_path])
    assert "python -m fctry.reference" in caught.value.hint


def test_file_that_is_no_program_is_refused(build: Path) -> None:
    (build / "fctry.elf").chmod(0o644)
    with pytest.raises(InputError, match="no program"):
        find_apps([build])


def test_folder_with_two_elves_names_the_remedy(build: Path) -> None:
    (build / "other.elf").write_bytes(b"elf")
    with pytest.raises(InputError, match="2 ELF files") as caught:
        find_apps([build])
    assert caught.value.hint == "name the ELF itself"
