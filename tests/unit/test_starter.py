"""What `fctry init` makes of projects: new ones, ESP-IDF's examples, and OTA layouts."""

from __future__ import annotations

from pathlib import Path

import pytest

from fctry import reference
from fctry.cli.spec.new import default_spec
from fctry.errors import InputError
from fctry.identity.spec_check import check as check_spec
from fctry.identity.spec_file import read_spec
from fctry.partitions.checker import check
from fctry.partitions.rule import Evidence
from fctry.project import Project, open_project
from fctry.settings import find_settings
from fctry.starter import difference, plan, write

# As ESP-IDF v5.5.5 has them: get-started/hello_world, system/ota/simple_ota_example, system/ota/native_ota_example
EXAMPLES = {
    "hello_world": "",
    "simple_ota_example": "CONFIG_PARTITION_TABLE_TWO_OTA=y\nCONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\n",
    "ota_of_8_mb": 'CONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_PARTITION_TABLE_CUSTOM_FILENAME="ota.csv"\n'
    "CONFIG_ESPTOOLPY_FLASHSIZE_8MB=y\n",
}
OTA_8_MB = """# Name, Type, SubType, Offset, Size
nvs, data, nvs, 0x9000, 0x4000
otadata, data, ota, , 0x2000
phy_init, data, phy, , 0x1000
ota_0, app, ota_0, 0x10000, 0x3E0000
ota_1, app, ota_1, 0x400000, 0x3E0000
storage, data, spiffs, , 0x20000
"""


@pytest.fixture(params=["", *EXAMPLES])
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A project: an empty folder, or one of the examples."""
    if request.param:
        (tmp_path / "main").mkdir()
        (tmp_path / "CMakeLists.txt").write_text("project(example)\n")
        if said := EXAMPLES[request.param]:
            (tmp_path / "sdkconfig.defaults").write_text(said)
        if "ota.csv" in said:
            (tmp_path / "ota.csv").write_text(OTA_8_MB)
    return tmp_path


def _project(folder: Path) -> Project:
    return open_project(find_settings(folder=folder))


def test_project_has_a_factory_partition_that_the_rules_approve(folder: Path) -> None:
    write(plan(folder))
    project = _project(folder)
    assert project.factory_partition.readonly
    findings = check(project.layout, Evidence(sdkconfig=project.sdkconfig))
    assert not [one for one in findings if one.severity.value != "info"]
    assert project.sdkconfig is not None
    assert project.sdkconfig.is_on("CONFIG_PARTITION_TABLE_CUSTOM")
    assert (folder / "components" / "factory_data" / "include" / "factory_data.h").is_file()
    assert not check_spec(read_spec(folder / "factory.toml"))
    compile((folder / "tests" / "test_factory.py").read_text(), "test_factory.py", "exec")


def test_spec_is_the_one_that_spec_new_writes() -> None:
    assert reference.SPEC.read_text() == default_spec("my-product")


def test_partitions_that_were_there_stay_where_they_were(folder: Path) -> None:
    table = folder / "ota.csv"
    before = {*_project(folder).table} if table.is_file() else set()
    write(plan(folder))
    assert before <= {*_project(folder).table}


def test_second_time_there_is_nothing_to_do(folder: Path) -> None:
    made = plan(folder)
    assert made.changes
    assert all(difference(change, folder).startswith("--- ") for change in made.changes)
    write(made)
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert not plan(folder).changes
    assert files == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_that_is_there_is_replaced(tmp_path: Path) -> None:
    own = {"tests/test_factory.py": "mine", "factory.toml": "mine", "components/factory_data/x.c": "mine"}
    for name, text in {**own, "CMakeLists.txt": "project(p)"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    write(plan(tmp_path))
    assert {name: (tmp_path / name).read_text() for name in own} == own


def test_names_of_the_project_are_in_its_spec(tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text("project(p)")
    (tmp_path / "sdkconfig.defaults").write_text('CONFIG_FACTORY_DATA_NAMESPACE="lamp"\n')
    write(plan(tmp_path))
    assert "[fields.lamp.serial_number]" in (tmp_path / "factory.toml").read_text()


def test_label_of_the_project_is_its_partitions_name(tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text("project(p)")
    (tmp_path / "sdkconfig.defaults").write_text('CONFIG_FACTORY_DATA_PARTITION_LABEL="mfg"\n')
    write(plan(tmp_path))
    assert _project(tmp_path).factory_partition.name == "mfg"
    assert not plan(tmp_path).changes


def test_partition_that_the_projects_label_names_is_taken(tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text("project(p)")
    (tmp_path / "sdkconfig.defaults").write_text('CONFIG_FACTORY_DATA_PARTITION_LABEL="mfg"\n')
    table = "nvs, data, nvs, 0x9000, 0x6000\nfactory, app, factory, , 1M\nmfg, data, nvs, , 0x6000\n"
    (tmp_path / "partitions.csv").write_text(table)
    write(plan(tmp_path))
    assert (tmp_path / "partitions.csv").read_text() == table
    assert _project(tmp_path).factory_partition.name == "mfg"


@pytest.mark.parametrize("namespace", ["my lamp", "lamp.v2", "lämp"])
def test_namespace_that_is_no_bare_key_of_toml_is_in_the_spec(tmp_path: Path, namespace: str) -> None:
    (tmp_path / "CMakeLists.txt").write_text("project(p)")
    (tmp_path / "sdkconfig.defaults").write_text(
        f'CONFIG_FACTORY_DATA_NAMESPACE="{namespace}"\n', encoding="utf-8"
    )
    write(plan(tmp_path))
    assert namespace in {field.namespace for field in read_spec(tmp_path / "factory.toml").fields}


def test_lines_end_as_in_the_file_and_those_that_were_there_stay(tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text("project(p)")
    before = b"CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y \r\n\r\n"
    (tmp_path / "sdkconfig.defaults").write_bytes(before)
    write(plan(tmp_path))
    after = (tmp_path / "sdkconfig.defaults").read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == after.count(b"\r\n") > before.count(b"\n")


@pytest.mark.parametrize(("name", "project"), [("größe 2", "gr_e_2"), ("ä", "product")])
def test_new_project_has_a_name_that_cmake_takes(tmp_path: Path, name: str, project: str) -> None:
    write(plan(tmp_path / name))
    assert f"project({project})" in (tmp_path / name / "CMakeLists.txt").read_text()


def test_table_that_projects_share_gets_the_line(tmp_path: Path) -> None:
    folder, shared = tmp_path / "lamp", tmp_path / "shared.csv"
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text("project(p)")
    shared.write_text("nvs, data, nvs, 0x9000, 0x6000\nfactory, app, factory, , 1M\n")
    (folder / "sdkconfig.defaults").write_text(
        'CONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_PARTITION_TABLE_CUSTOM_FILENAME="../shared.csv"\n'
    )
    made = plan(folder)
    assert any("+++ b/../shared.csv" in difference(change, folder) for change in made.changes)
    write(made)
    assert "fctry, data, nvs," in shared.read_text()
    assert not (folder / "partitions.csv").exists()
    assert not plan(folder).changes


def test_project_in_a_repository_is_told_where_workflows_are_read(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "apps" / "lamp"
    assert any('working-directory: "apps/lamp"' in note for note in plan(folder).notes)
    assert not any("working-directory" in note for note in plan(tmp_path).notes)


def test_flash_without_room_is_refused_with_what_to_shrink(tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text("project(p)")
    (tmp_path / "sdkconfig.defaults").write_text("CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\n")
    table = "nvs, data, nvs, 0x9000, 0x7000\nfactory, app, factory, 0x10000, 0x3F0000\n"
    (tmp_path / "partitions.csv").write_text(table)
    with pytest.raises(InputError, match="no room") as caught:
        plan(tmp_path)
    assert "shrink `factory` by 0x6000" in caught.value.hint
    assert (tmp_path / "partitions.csv").read_text() == table


def test_file_that_changed_after_the_plan_is_left_alone(tmp_path: Path) -> None:
    made = plan(tmp_path)
    (tmp_path / "partitions.csv").write_text("nvs, data, nvs, 0x9000, 0x7000\n")
    with pytest.raises(InputError, match="changed meanwhile"):
        write(made)
    assert (tmp_path / "partitions.csv").read_text() == "nvs, data, nvs, 0x9000, 0x7000\n"
