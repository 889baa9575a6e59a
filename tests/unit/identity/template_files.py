"""The files that the specs for SDKs name: a CA, an intermediate of Matter, a declaration."""

from __future__ import annotations

import subprocess
from pathlib import Path


def write_certificates(folder: Path) -> None:
    command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=Test"
    files = ["-keyout", "ca.key", "-out", "ca.pem"]
    subprocess.run(["openssl", *command.split(), *files], cwd=folder, check=True, capture_output=True)
    (folder / "pai.pem").write_bytes((folder / "ca.pem").read_bytes())
    (folder / "pai.key").write_bytes((folder / "ca.key").read_bytes())
    for name in ("pai.der", "cd.der"):
        (folder / name).write_bytes(b"\x30\x00")
