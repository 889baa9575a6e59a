"""The component as the registry gets it: its manifest, its headers in C++, its hook for frameworks."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from fctry.identity.spec_file import read_spec
from fctry.nvs import Item, ItemType, encode
from fctry.partitions.table import PartitionTable
from tests.unit.firmware.conftest import NATIVE, SECTOR_BYTES, flash_of

ROOT = Path(__file__).parents[3]
COMPONENT = ROOT / "firmware" / "components" / "factory_data"
MANIFESTS = [COMPONENT / name / "main/idf_component.yml" for name in ("examples/minimal", "test_apps")]
MARK = b"fctry: reset to factory begun".ljust(32, b"\0")  # Source: src/reset.c
INCLUDES = [f"-I{COMPONENT / 'include'}", f"-I{NATIVE / 'port/include'}"]
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wold-style-cast", "-Werror"]


def said(name: str, text: str) -> str:
    """What a manifest has at a key."""
    found = re.search(rf'(?m)^\s*{name}: "?(.*?)"?$', text)
    assert found, name
    return found[1]


def test_versions_agree_everywhere() -> None:
    manifest = (COMPONENT / "idf_component.yml").read_text("utf-8")
    changes = re.findall(r"(?m)^## (\S+)", (COMPONENT / "CHANGELOG.md").read_text("utf-8"))
    (declared,) = re.findall(r'(?m)^version = "(.*)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert {
        "pyproject.toml": declared,
        "installed": version("fctry"),
        "firmware/version.txt": (ROOT / "firmware/version.txt").read_text("utf-8").strip(),
        "CHANGELOG.md": changes[0],
    } == dict.fromkeys(
        ("pyproject.toml", "installed", "firmware/version.txt", "CHANGELOG.md"), said("version", manifest)
    )
    for path in MANIFESTS:
        assert said("version", path.read_text("utf-8")) == f"^{said('version', manifest)}"


def test_package_and_component_name_one_repository() -> None:
    manifest = (COMPONENT / "idf_component.yml").read_text("utf-8")
    urls = dict(re.findall(r'(?m)^(\w+) = "(https://.*)"$', (ROOT / "pyproject.toml").read_text("utf-8")))
    assert urls["Repository"] == said("url", manifest)
    assert urls["Issues"] == said("issues", manifest)
    assert all(one.startswith(urls["Repository"]) for one in urls.values())


def test_manifest_has_all_that_the_registry_shows() -> None:
    manifest = (COMPONENT / "idf_component.yml").read_text("utf-8")
    base = said("url", manifest)
    assert said("repository", manifest) == f"{base}.git"
    assert said("issues", manifest) == f"{base}/issues"
    place = said("path", manifest)
    assert said("documentation", manifest) == f"{base}/blob/main/{place}/README.md"
    assert (ROOT / place).samefile(COMPONENT)
    assert said("license", manifest) == "Apache-2.0"
    assert (COMPONENT / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("manifest", MANIFESTS, ids=["example", "test_apps"])
def test_project_beside_the_component_takes_the_component_around_it(manifest: Path) -> None:
    place = said("override_path", manifest.read_text("utf-8"))
    assert (manifest.parent / place).samefile(COMPONENT)


def test_secrets_that_sdks_read_are_in_no_report_by_default() -> None:
    kconfig = (COMPONENT / "Kconfig").read_text("utf-8")
    found = re.search(r'config FACTORY_DATA_SECRET_KEYS\n.*\n +default "(.*)"', kconfig)
    assert found
    native = (NATIVE / "port/include/sdkconfig.h").read_text("utf-8").replace('" \\\n    "', "")
    assert f'CONFIG_FACTORY_DATA_SECRET_KEYS \\\n    "{found[1]}"' in native
    specs = [
        read_spec(ROOT / f"host/fctry/identity/{name}.toml") for name in ("rainmaker", "matter", "homekit")
    ]
    secrets = {one.name for spec in specs for one in spec.fields if one.is_secret and one.namespace}
    assert secrets == set(found[1].split(","))


@pytest.mark.skipif(not shutil.which("c++"), reason="needs a C++ compiler")
@pytest.mark.parametrize("standard", ["gnu++11", "c++17", "gnu++23"])
@pytest.mark.parametrize("header", ["factory_data.h", "factory_data_report.h"])
def test_header_is_without_warnings_in_cplusplus(standard: str, header: str, tmp_path: Path) -> None:
    used = (
        "factory_data_config_t config = FACTORY_DATA_CONFIG_DEFAULT();" if header == "factory_data.h" else ""
    )
    program = tmp_path / "program.cpp"
    program.write_text(f'#include "{header}"\n{used}\n')
    command = ["c++", f"-std={standard}", *WARNINGS, *INCLUDES, "-fsyntax-only", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


STARTS_NVS = """
#include <stdlib.h>
#include "nvs.h"
#include "nvs_flash.h"
void app_main(void)
{
    nvs_handle_t nvs;
    if (nvs_flash_init() != ESP_OK) {
        exit(2);
    }
    exit(nvs_open("settings", NVS_READONLY, &nvs) == ESP_OK ? 0 : 1);
}
"""
FINISHES_FIRST = "-DCONFIG_FACTORY_DATA_FINISH_RESET_FIRST=1"


@pytest.fixture(scope="module")
def objects() -> list[str]:
    """The component and the port, compiled, but for the hook."""
    subprocess.run(["make", "--no-print-directory", "--silent", "-C", NATIVE, "library"], check=True)
    found = (NATIVE / "build/library/obj").rglob("*.o")
    return [str(path) for path in found if path.stem not in ("nvs_hook", "main", "bus")]


@pytest.mark.parametrize(("options", "code"), [([FINISHES_FIRST, "-Wl,--wrap=nvs_flash_init"], 1), ([], 0)])
def test_framework_that_starts_nvs_first_finishes_a_reset_with_the_hook(
    objects: list[str], table: PartitionTable, tmp_path: Path, options: list[str], code: int
) -> None:
    """Exit code 1: the settings are gone, as the user wanted when the power went; 0: they are there still."""
    place = table.find("nvs")
    settings = bytearray(encode([Item("settings", "on", ItemType.U8, 1)], place.size_bytes))
    settings[-SECTOR_BYTES:] = MARK.ljust(SECTOR_BYTES, b"\xff")
    (tmp_path / "flash.bin").write_bytes(flash_of(table, nvs=bytes(settings)))
    (tmp_path / "main.c").write_text(STARTS_NVS)
    sources = [str(tmp_path / "main.c"), str(COMPONENT / "src/nvs_hook.c"), *objects]
    subprocess.run(["cc", *options, *INCLUDES, *sources, "-o", str(tmp_path / "program")], check=True)
    flash = {"FCTRY_FLASH_FILE": str(tmp_path / "flash.bin")}
    done = subprocess.run([tmp_path / "program"], check=False, capture_output=True, env=flash)
    assert done.returncode == code, done.stderr.decode()
