"""Hooks: what they are told, and what becomes of one that fails."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from fctry.errors import InputError
from fctry.provision import hooks
from fctry.provision.hooks import check_hooks, run_hook


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write_hook(folder: Path, name: str, body: str) -> None:
    hook = folder / name
    hook.write_text(f"#!{sys.executable}\nimport os, sys, time\n{body}\n")
    hook.chmod(0o700)


def test_hook_gets_the_record_and_the_slot(folder: Path) -> None:
    write_hook(
        folder,
        "passed",
        f"open({str(folder / 'out')!r}, 'w').write(os.environ['FCTRY_SLOT'] + sys.stdin.read())",
    )
    run_hook(folder, "passed", {"outcome": "proven"}, slot="left", port="/dev/x")
    assert (folder / "out").read_text() == "left" + json.dumps({"outcome": "proven"})
    run_hook(folder, "failed", {})  # there is none


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("print('door is open', file=sys.stderr); sys.exit(4)", "the hook ended with 4: door is open"),
        ("time.sleep(9)", "the hook did not end within 0.3 s"),
    ],
)
def test_hook_that_fails_is_an_error_that_names_it(
    folder: Path, body: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "TIMEOUT_S", 0.3)
    write_hook(folder, "before", body)
    with pytest.raises(InputError) as caught:
        run_hook(folder, "before", {})
    assert said in str(caught.value)
    assert str(folder / "before") in str(caught.value)


def test_hook_that_nothing_can_run_is_an_error_that_says_what_it_lacks(folder: Path) -> None:
    (folder / "before").write_text("echo no first line\n")
    (folder / "before").chmod(0o700)
    with pytest.raises(InputError, match="cannot be run: Exec format error") as caught:
        run_hook(folder, "before", {})
    assert "#!/bin/sh" in caught.value.hint


def test_folder_without_a_hook_is_refused(folder: Path) -> None:
    (folder / "on-pass").write_text("another name")
    with pytest.raises(InputError, match="no hooks"):
        check_hooks(folder)
    with pytest.raises(InputError, match="no such folder"):
        check_hooks(folder / "absent")


def test_hook_that_would_never_be_run_is_refused_beside_one_that_is(folder: Path) -> None:
    write_hook(folder, "passed", "")
    check_hooks(folder)
    (folder / "failed").write_text("#!/bin/sh\n")
    with pytest.raises(InputError, match="not executable") as caught:
        check_hooks(folder)
    assert f"chmod +x {folder / 'failed'}" in caught.value.hint
