"""`fctry init`: shows what it would write, and writes it when that is agreed."""

from __future__ import annotations

from pathlib import Path

import pytest

from fctry.cli.main import main


def test_without_yes_it_is_shown_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert "+fctry, data, nvs, 0x110000, 0x6000, readonly" in printed.out
    assert "--yes" in printed.err
    assert not list(tmp_path.iterdir())


def test_with_yes_it_is_written_and_the_second_time_there_is_nothing_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new"
    assert main(["init", "--yes", str(folder)]) == 0
    assert "pytest --board native" in capsys.readouterr().out
    assert main(["init", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder}: nothing to do\n"
    assert main(["layout", "check", str(folder / "partitions.csv")]) == 0
    assert main(["spec", "check", str(folder / "factory.toml")]) == 0


def test_project_that_is_there_is_told_what_its_application_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.16)\nproject(lamp)\n")
    assert main(["init", "--yes", str(tmp_path)]) == 0
    assert "PRIV_REQUIRES factory_data in its CMakeLists.txt" in capsys.readouterr().out


def test_file_in_place_of_a_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["init", "--yes", str(tmp_path / "file")]) == 1
    assert "not a folder" in capsys.readouterr().err
