"""`fctry init`: shows what it would write, and writes it when that is agreed."""

from __future__ import annotations

import io
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


def test_end_of_input_is_no_agreement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    assert main(["init", str(tmp_path)]) == 1
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


@pytest.mark.parametrize(
    ("project", "application", "told"),
    [
        ("", None, "application: factory_data among the PRIV_REQUIRES in its CMakeLists.txt, `#include"),
        (
            "",
            "SRCS a.c PRIV_REQUIRES log",
            "factory_data among the PRIV_REQUIRES in main/CMakeLists.txt, `#include",
        ),
        ("MINIMAL_BUILD ON", "SRCS a.c", "PRIV_REQUIRES factory_data in main/CMakeLists.txt, with the other"),
        ("# MINIMAL_BUILD ON", "SRCS a.c # no REQUIRES", 'in your application: `#include "factory_data.h"`'),
    ],
    ids=["elsewhere", "requires", "minimal build", "requires all"],
)
def test_project_that_is_there_is_told_what_its_application_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], project: str, application: str | None, told: str
) -> None:
    (tmp_path / "CMakeLists.txt").write_text(f"idf_build_set_property({project}\n)\nproject(lamp)\n")
    if application is not None:
        (tmp_path / "main").mkdir()
        (tmp_path / "main" / "CMakeLists.txt").write_text(f"idf_component_register({application}\n)\n")
    assert main(["init", "--yes", str(tmp_path)]) == 0
    assert told in capsys.readouterr().out


def test_file_in_place_of_a_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["init", "--yes", str(tmp_path / "file")]) == 1
    assert "not a folder" in capsys.readouterr().err
    assert main(["init", "--yes", str(tmp_path / "file" / "project")]) == 1
    assert "cannot make the folder: Not a directory" in capsys.readouterr().err
