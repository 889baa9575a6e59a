"""Files that are written. Devices are pipes and symbolic links here, never those of the system."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fctry import files
from fctry.errors import InputError
from fctry.files import keep_inputs, read_file, write_file, write_secrets


def test_new_file_is_written_and_an_existing_one_replaced_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, b"1")
    path.chmod(0o640)
    write_file(path, b"2")
    assert path.read_bytes() == b"2"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(path.read_bytes()), daemon=True)
    reader.start()
    write_file(path, b"data")
    reader.join(30)
    assert found == [b"data"]
    assert path.is_fifo()


def test_pipe_without_a_name_is_written_to() -> None:
    reader, writer = os.pipe()
    write_file(Path(f"/dev/fd/{writer}"), b"data")
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        assert file.read() == b"data"


@pytest.mark.parametrize("is_there", [True, False])
def test_symbolic_link_stays_and_its_target_is_written(tmp_path: Path, is_there: bool) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    if is_there:
        target.write_bytes(b"before")
    link.symlink_to("target")
    write_file(link, b"after")
    assert link.is_symlink()
    assert target.read_bytes() == b"after"
    assert sorted(tmp_path.iterdir()) == [link, target]


@pytest.mark.parametrize("name", [".", "", "/", "file/x", "no/file"])
def test_output_that_cannot_be_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(b"before")
    with pytest.raises(InputError, match="cannot write: ") as caught:
        write_file(Path(name), b"data")
    assert caught.value.hint
    assert Path("file").read_bytes() == b"before"
    assert list(Path().iterdir()) == [Path("file")]


def test_write_that_is_stopped_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"before")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "file", b"data")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]


def test_private_file_is_its_owners_alone_and_keeps_a_mode_that_it_had(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, b"1", is_private=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o400)
    write_file(path, b"2", is_private=True)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"2", 0o400)


def test_content_is_on_the_disk_before_its_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    real_sync, real_replace = os.fsync, os.replace

    def sync(opened: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(opened).st_mode) else "file")
        real_sync(opened)

    def replace(source: str, target: str) -> None:
        done.append("name")
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", replace)
    write_file(tmp_path / "file", b"data")
    assert done == ["file", "name", "folder"]


KILLED = """
import os, sys
from fctry import files
os.replace = lambda *_: os.kill(os.getpid(), 9)
files.write_file(files.Path(sys.argv[1]), b"half")
"""


def test_what_a_killed_run_left_goes_at_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"before")
    assert subprocess.run([sys.executable, "-c", KILLED, tmp_path / "file"], check=False).returncode == -9
    assert len(list(tmp_path.iterdir())) == 2
    assert (tmp_path / "file").read_bytes() == b"before"
    monkeypatch.setattr(files, "YOUNG_S", -1.0)
    write_file(tmp_path / "other", b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "other"]


def test_what_another_run_is_writing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = tmp_path / f".fctry-{'0' * 16}.part"
    monkeypatch.setattr(files, "YOUNG_S", -1.0)
    with part.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write_file(tmp_path / "other", b"")
        assert part.exists()
    (tmp_path / f".fctry-{'1' * 16}.part").symlink_to("other")
    write_file(tmp_path / "other", b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".fctry-{'1' * 16}.part", "other"]


def test_part_of_a_file_is_never_written_through_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "victim").write_bytes(b"before")
    monkeypatch.setattr(os, "urandom", bytes)
    (tmp_path / f".fctry-{'0' * 16}.part").symlink_to("victim")
    with pytest.raises(InputError, match="cannot write: File exists"):
        write_file(tmp_path / "file", b"data")
    assert (tmp_path / "victim").read_bytes() == b"before"


def test_device_is_not_read() -> None:
    with pytest.raises(InputError, match="/dev/zero: cannot read: it is a device"):
        read_file(Path("/dev/zero"))


def test_output_that_is_an_input_is_refused_by_whatever_name(tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(b"")
    (tmp_path / "link").symlink_to("input")
    for output in ("input", "link"):
        with pytest.raises(InputError, match=f"{output}: this is an input: it would be overwritten"):
            keep_inputs([tmp_path / output], [None, str(tmp_path / "no"), str(tmp_path / "input")])
    keep_inputs([tmp_path / "other"], [str(tmp_path / "input")])


def test_secrets_are_written_all_or_none(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    second.write_bytes(b"before")
    with pytest.raises(InputError, match="second: is there already"):
        write_secrets((first, b"1"), (second, b"2"))
    with pytest.raises(InputError, match="No such file"):
        write_secrets((first, b"1"), (tmp_path / "no" / "folder", b"2"))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (errno.ENOSPC, "make room on the disk"),
        (errno.EACCES, "choose a folder that you may write to"),
        (errno.EROFS, "choose another folder"),
        (errno.ENOTDIR, "give the name of a file, in a folder that is there"),
    ],
)
def test_remedy_is_that_of_the_reason(
    code: int, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files, "replace_file", fail)
    with pytest.raises(InputError, match=os.strerror(code)) as caught:
        files.write_file(tmp_path / "out", b"")
    assert hint in caught.value.hint


def test_file_that_may_not_be_read_has_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    (tmp_path / "in").touch()
    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(InputError, match="Permission denied") as caught:
        read_file(tmp_path / "in")
    assert "let you read it" in caught.value.hint
