"""From what a project is to what it lacks. Nothing that is there is replaced; a second time there is nothing to do."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from fctry.errors import InputError
from fctry.files import REMEDIES, read_file, write_file
from fctry.partitions.sdkconfig import Sdkconfig, find_sdkconfig, tables_named_in
from fctry.project import LABEL, PARTITIONS_FILE, Settings
from fctry.reference import COMPONENT, SPEC
from fctry.settings import find_settings
from fctry.starter.table import factory_name, table_text

SPEC_FILE = "factory.toml"
WORKFLOW = ".github/workflows/factory-data.yml"
DEFAULT_LABEL, DEFAULT_NAMESPACE = "fctry", "fctryNamespace"
EXAMPLE = COMPONENT / "examples" / "minimal"
COMPONENT_PARTS = ("CMakeLists.txt", "Kconfig", "idf_component.yml", "README.md", "LICENSE", "include", "src")
REQUIREMENTS = re.compile(r"(?m)^[^#\n]*\b(PRIV_)?REQUIRES\b")
MINIMAL = re.compile(r"(?m)^[^#\n]*\b(MINIMAL_BUILD\s+(ON|1|TRUE|YES)\b|set\(\s*COMPONENTS\b)")
NO_PROJECT_NAME = re.compile(r"[^A-Za-z0-9_]+")
"""What CMake allows in no name of a target; `project(NAME)` makes one, NAME.elf."""
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Change:
    """A file that is made, or gets more lines."""

    path: Path
    before: str | None
    after: str


@dataclass(frozen=True)
class Plan:
    """What is to be written into a project, and what is left to a person."""

    folder: Path
    changes: tuple[Change, ...]
    notes: tuple[str, ...]


def plan(folder: Path) -> Plan:
    """What a project, or an empty folder, lacks. Raises InputError for one that is not understood."""
    is_new = not (folder / "CMakeLists.txt").is_file()
    if is_new and (folder / "main").exists():
        raise InputError(
            "no project of ESP-IDF's: there is no CMakeLists.txt", hint="name its folder", file=folder
        )
    settings = _settings(folder)
    sdkconfig = find_sdkconfig(folder / PARTITIONS_FILE)
    table = settings.partitions
    before = _text(table)
    after = table_text(settings, sdkconfig, before)
    label = factory_name(settings, sdkconfig, after)
    changes = [
        *(_project(folder) if is_new else ()),
        *_component(folder),
        Change(table, before, after),
        *_defaults(folder, table, sdkconfig, label),
        *_missing(folder, {"table": _name(table, folder)}, _namespace(sdkconfig)),
    ]
    return Plan(
        folder,
        tuple(change for change in changes if change.before != change.after),
        tuple(_notes(folder, sdkconfig, is_new=is_new)),
    )


def difference(change: Change, folder: Path) -> str:
    """The change as a unified diff, with paths relative to the folder."""
    name = _name(change.path, folder)
    lines = difflib.unified_diff(
        (change.before or "").splitlines(),
        change.after.splitlines(),
        "/dev/null" if change.before is None else f"a/{name}",
        f"b/{name}",
        lineterm="",
    )
    return "\n".join(lines)


def write(made: Plan) -> None:
    """Make the changes. Raises InputError when a file cannot be written, or is another than when it was planned."""
    for change in made.changes:
        if _text(change.path) != change.before:
            raise InputError("has changed meanwhile", hint="run it again", file=change.path)
        try:
            change.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            hint = REMEDIES.get(error.errno or 0, "choose another folder")
            raise InputError(
                f"cannot make the folder: {error.strerror}", hint=hint, file=change.path.parent
            ) from None
        write_file(change.path, change.after.encode())


def _text(path: Path) -> str | None:
    if not path.exists():
        return None
    try:
        return read_file(path).decode()
    except UnicodeDecodeError:
        raise InputError("not UTF-8", hint="store it as UTF-8", file=path) from None


def _settings(folder: Path) -> Settings:
    """Those of this folder: a project around it is another one."""
    settings = find_settings(folder=folder)
    table = settings.partitions.resolve()
    is_own = table.is_relative_to(folder.resolve()) or table in map(Path.resolve, tables_named_in(folder))
    return settings if is_own else Settings(folder / PARTITIONS_FILE)


def _name(path: Path, folder: Path) -> str:
    """The path as the files of the project name it; a table that projects share is outside of it."""
    return Path(os.path.relpath(path, folder)).as_posix()


def _project(folder: Path) -> Iterator[Change]:
    """A new project: the component's example."""
    text = (EXAMPLE / "CMakeLists.txt").read_text("utf-8")
    name = NO_PROJECT_NAME.sub("_", folder.resolve().name).strip("_") or "product"
    text = re.sub(r"(?m)^set\(EXTRA_COMPONENT_DIRS .*\n", "", text)
    yield Change(folder / "CMakeLists.txt", None, re.sub(r"(?m)^project\(.*\)", f"project({name})", text))
    for file in sorted((EXAMPLE / "main").iterdir()):
        if file.suffix in (".c", ".h", ".txt"):
            yield Change(folder / "main" / file.name, None, file.read_text("utf-8"))


def _component(folder: Path) -> Iterator[Change]:
    place = folder / "components" / COMPONENT.name
    if place.exists():
        return
    for part in COMPONENT_PARTS:
        path = COMPONENT / part
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                yield Change(place / file.relative_to(COMPONENT), None, file.read_text("utf-8"))


def _defaults(folder: Path, table: Path, sdkconfig: Sdkconfig | None, label: str) -> Iterator[Change]:
    """The lines of sdkconfig.defaults that are not said already."""
    path = folder / "sdkconfig.defaults"
    before = _text(path)
    wanted = {
        "CONFIG_PARTITION_TABLE_CUSTOM": "y",
        "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME": _name(table, folder),
    }
    if label != DEFAULT_LABEL:
        wanted[LABEL] = label
    said = sdkconfig.values if sdkconfig else {}
    if sdkconfig and sdkconfig.platformio:
        wanted = {}
    lacking = [
        f"{name}={value if value == 'y' else json.dumps(value)}\n"
        for name, value in wanted.items()
        if said.get(name) != value and not (name.endswith("_FILENAME") and name in said)
    ]
    if lacking:
        lines = f"# factory data\n{''.join(lacking)}"
        if before and before.strip():
            lines = ("\n" if before.endswith("\n") else "\n\n") + lines
        end = "\r\n" if "\r\n" in (before or "") else "\n"
        yield Change(path, before, (before or "") + lines.replace("\n", end))


def _missing(folder: Path, names: dict[str, str], namespace: str) -> Iterator[Change]:
    """Spec, tests and workflow, as far as there is no file of their name."""
    product = json.dumps(folder.resolve().name, ensure_ascii=False)  # a string of JSON is one of TOML
    spec = (
        SPEC.read_text("utf-8")
        .replace('"my-product"', product, 1)
        .replace(DEFAULT_NAMESPACE, _toml_key(namespace))
    )
    texts = {
        SPEC_FILE: spec,
        "tests/test_factory.py": _template("test_factory.py.in"),
        WORKFLOW: _template("factory-data.yml.in").replace("@table@", names["table"]),
    }
    for name, text in texts.items():
        if not (folder / name).exists():
            yield Change(folder / name, None, text)


def _toml_key(name: str) -> str:
    return name if BARE_KEY.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _template(name: str) -> str:
    return (files("fctry.starter") / name).read_text(encoding="utf-8")


def _namespace(sdkconfig: Sdkconfig | None) -> str:
    return (
        sdkconfig.text("CONFIG_FACTORY_DATA_NAMESPACE", DEFAULT_NAMESPACE) if sdkconfig else DEFAULT_NAMESPACE
    )


def _notes(folder: Path, sdkconfig: Sdkconfig | None, *, is_new: bool) -> Iterator[str]:
    if sdkconfig and sdkconfig.is_whole and not sdkconfig.is_on("CONFIG_PARTITION_TABLE_CUSTOM"):
        yield "sdkconfig is there and wins over sdkconfig.defaults: delete it before the next build, or use menuconfig"
    if root := _repository_around(folder):
        place = folder.resolve().relative_to(root).as_posix()
        yield (
            f"GitHub reads workflows at the root of a repository: move {WORKFLOW} to {root}, with "
            f"`defaults: {{run: {{working-directory: {json.dumps(place, ensure_ascii=False)}}}}}`"
        )
    if not is_new:
        yield (
            f'in your application: {_requirement(folder)}`#include "factory_data.h"`, then factory_data_open, '
            "factory_data_get_str and factory_data_report, as components/factory_data/README.md shows"
        )


def _repository_around(folder: Path) -> Path | None:
    """The root of the repository that the project is only a part of."""
    places = [folder.resolve(), *folder.resolve().parents]
    root = next((place for place in places if (place / ".git").exists()), None)
    return None if root == places[0] else root


def _requirement(folder: Path) -> str:
    """What to say in main/CMakeLists.txt, so that ESP-IDF builds the component and finds its header.

    Source: ESP-IDF v5.5.5 tools/cmake/project.cmake: a `main` that requires nothing depends on all that is built, which
    is every component of the project, but in a minimal build; once it requires something, on no other.
    """
    main = _text(folder / "main" / "CMakeLists.txt")
    if main is None or REQUIREMENTS.search(main):
        return (
            f"factory_data among the PRIV_REQUIRES in {'its ' if main is None else 'main/'}CMakeLists.txt, "
        )
    if MINIMAL.search(_text(folder / "CMakeLists.txt") or ""):
        return (
            "PRIV_REQUIRES factory_data in main/CMakeLists.txt, with the other components whose headers it includes "
            "(idf.py names them), "
        )
    return ""
