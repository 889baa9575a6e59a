"""The reference firmware as a program of this machine, compiled for a project's names and table, once.

A build is kept in the user's cache under the hash of all that it was made of: sources, configuration, table, compiler.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fctry.errors import BoardError, InputError
from fctry.files import REMEDIES
from fctry.partitions.binary import pack
from fctry.partitions.table import PartitionTable
from fctry.project import LABEL, Project
from fctry.reference import COMPONENT, FIRMWARE
from fctry.reference.build_folder import complete, describe

APP_NAME = "fctry"
IDF_VERSION = "native (v6.1)"
COMPILERS = ("cc", "gcc", "clang")
NATIVE = FIRMWARE / "native"
INCLUDES = (
    NATIVE / "port" / "include",
    NATIVE / "port",
    NATIVE / "port" / "nvs",
    FIRMWARE / "main",
    COMPONENT / "include",
    COMPONENT / "src",
)
NOT_NATIVE = {
    "hmac_sha256.c",
    "port_chip.c",
    "port_linux.c",
}  # a chip's; hmac_sha256_host.c is in their place
KEPT_BUILDS = 64
ABANDONED_AFTER_S = 3600
DEFAULT_FLASH_BYTES = 4 << 20
KCONFIG = "CONFIG_FACTORY_DATA_"
"""What the options of the component begin with, whose values a project's own sdkconfig gives."""
ENCRYPTED = f"{KCONFIG}ENCRYPTED"


@dataclass(frozen=True)
class Recipe:
    """What goes into a build. `config` are macros as ESP-IDF makes them of Kconfig options."""

    table: PartitionTable
    config: Mapping[str, str] = field(default_factory=dict)
    chip: str = "esp32"
    flash_bytes: int = DEFAULT_FLASH_BYTES

    @property
    def flags(self) -> list[str]:
        """For the compiler. gnu11 rather than c11: ESP-IDF compiles the same sources as gnu17."""
        macros = {
            "_GNU_SOURCE": "1",
            "PROJECT_NAME": f'"{APP_NAME}"',
            "PROJECT_VER": f'"{version()}"',
            "IDF_VER": f'"{IDF_VERSION}"',
            "CONFIG_IDF_TARGET": f'"{self.chip}"',
            **self.config,
        }
        return [
            "-std=gnu11",
            "-O0",
            "-g",
            "-pthread",
            *(f"-D{name}={value}" for name, value in macros.items()),
        ]


def recipe_of(project: Project, *, chip: str = "esp32", config: Mapping[str, str] | None = None) -> Recipe:
    """The build for a project: its table, what its sdkconfig says of the component, and `config`.

    Raises InputError for a project without a factory partition.
    """
    said = project.sdkconfig.values if project.sdkconfig else {}
    options = {LABEL: project.factory_partition.name}
    options |= {name: value for name, value in said.items() if name.startswith(KCONFIG) and value != "n"}
    options.pop(ENCRYPTED, None)  # a chip's keys would be needed
    flash_bytes = max(DEFAULT_FLASH_BYTES, project.options.flash_size_bytes or 0)
    while flash_bytes < max(partition.end for partition in project.table):
        flash_bytes *= 2
    macros = {name: "1" if value == "y" else f'"{value}"' for name, value in options.items()}
    return Recipe(project.table, macros | dict(config or {}), chip, flash_bytes)


def build(recipe: Recipe, *, cache: Path | None = None, log: Callable[[str], None] = lambda _: None) -> Path:
    """The build folder, compiled if it is not there yet; `log` is told when that is so.

    Raises BoardError without a C compiler, and when it fails; InputError when nothing can be written there.
    """
    compiler = find_compiler()
    cache = cache or cache_folder()
    folder = cache / _key(recipe, compiler)
    if not folder.is_dir():
        log("compiling the reference firmware for this machine, a few seconds, once …")
        try:
            _prune(cache)
            with tempfile.TemporaryDirectory(prefix="new-", dir=cache) as new:
                made = Path(new, "build")
                _compile(recipe, compiler, made)
                if not folder.is_dir():  # as another process may have made it meanwhile
                    made.rename(folder)
        except OSError as error:
            if not folder.is_dir():
                hint = REMEDIES.get(error.errno or 0, "name another folder with FCTRY_CACHE")
                raise InputError(f"cannot write: {error.strerror}", hint=hint, file=cache) from None
    with suppress(OSError):  # a cache that is only read: nothing is pruned there
        os.utime(folder)
    return folder


def find_compiler() -> tuple[str, ...]:
    """A C compiler, with its arguments: `CC`, or what is installed. Raises BoardError that says what to install."""
    names = [os.environ["CC"]] if os.environ.get("CC", "").strip() else COMPILERS
    for name in names:
        program, *arguments = [name] if shutil.which(name) else shlex.split(name)
        if found := shutil.which(program):
            return (found, *arguments)
    raise BoardError(
        f"no C compiler ({', '.join(names)}): the simulated board runs firmware that is compiled for this machine",
        hint="install one: `apt install gcc libc6-dev` (Debian, Ubuntu), `dnf install gcc` (Fedora), "
        "`xcode-select --install` (macOS)",
    )


def cache_folder() -> Path:
    """Where builds are kept: FCTRY_CACHE, or the user's cache."""
    import platformdirs

    said = os.environ.get("FCTRY_CACHE")
    folder = Path(said) if said else platformdirs.user_cache_path("fctry")
    folder = folder / "native"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot make it: {error.strerror}", hint="name another with FCTRY_CACHE", file=folder
        ) from None
    return folder


def version() -> str:
    """The reference firmware's version."""
    return (FIRMWARE / "version.txt").read_text("utf-8").strip()


def sources() -> list[Path]:
    """What is compiled."""
    folders = (COMPONENT / "src", NATIVE / "port", NATIVE / "port" / "nvs", FIRMWARE / "main")
    return [file for folder in folders for file in sorted(folder.glob("*.c")) if file.name not in NOT_NATIVE]


def _compile(recipe: Recipe, compiler: Sequence[str], folder: Path) -> None:
    folder.mkdir()
    elf = folder / f"{APP_NAME}.elf"
    include = [f"-I{path}" for path in INCLUDES]
    command = [*compiler, *recipe.flags, *include, "-o", str(elf), *map(str, sources())]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        if os.strerror(errno.ENOSPC) in done.stderr:  # of the folder, or of the compiler's temporary files
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        lines = done.stderr.splitlines()
        first = next((line for line in lines if "error" in line), lines[0] if lines else "no message")
        is_header = "No such file" in first and ".h" in first
        raise BoardError(
            f"{shlex.join(compiler)} cannot compile the reference firmware: {first}",
            hint="install the C library's headers: `apt install libc6-dev` (Debian, Ubuntu)"
            if is_header
            else "it needs a C compiler for C11 with GNU extensions: name another with CC=…",
        )
    program = describe(elf, version=version(), idf_version=IDF_VERSION)
    complete(folder, program, recipe.table, recipe.chip, recipe.flash_bytes)


def _key(recipe: Recipe, compiler: Sequence[str]) -> str:
    """The hash of all that a build is made of."""
    digest = hashlib.sha256()
    stat = Path(compiler[0]).resolve().stat()
    parts = [*compiler, str(stat.st_size), str(stat.st_mtime_ns), *recipe.flags, str(recipe.flash_bytes)]
    digest.update("\0".join([*parts, str(recipe.table.offset)]).encode())
    digest.update(pack(recipe.table))
    headers = {file for folder in INCLUDES for file in folder.rglob("*.h")}
    for file in (*sorted(headers), *sources(), Path(__file__).with_name("build_folder.py")):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:24]


def _prune(cache: Path) -> None:
    """Leave no more than KEPT_BUILDS - 1, the last used, and nothing that a killed process has left behind."""
    found = []
    for folder in cache.iterdir():
        with suppress(OSError):  # another process has removed it meanwhile
            if folder.is_dir():
                found.append((folder.stat().st_mtime, folder))
    now = time.time()
    builds = sorted(one for one in found if not one[1].name.startswith("new-"))
    old = [folder for _, folder in builds[: max(0, len(builds) - KEPT_BUILDS + 1)]]
    old += [f for since, f in found if f.name.startswith("new-") and now - since > ABANDONED_AFTER_S]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
