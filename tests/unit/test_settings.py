"""What a project says of itself, and where it is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from fctry.cli.main import main
from fctry.errors import InputError
from fctry.project import Settings, open_project
from fctry.settings import KINDS, find_settings

TABLE = "nvs,data,nvs,,0x6000\nmine,data,nvs,,24K,readonly\nfctry,data,nvs,,0x3000\napp,app,factory,,1M\n"
DEVICE = "key,type,encoding,value\nn,namespace,,\nserial,data,string,1\n"
SETTINGS = """partition = "mine"
chip = "esp32c3"
table-offset = 0xC000
flash-size = "4MB"
extra-subtypes = ["data, pictures, 0x40"]
idf = "v5.4"
md5 = false
secret-namespaces = ["keys", "pins"]
slots = { left = "1-1.2" }
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "fctry.toml").write_text(SETTINGS)
    (tmp_path / "partitions.csv").write_text(TABLE)
    (tmp_path / "device.csv").write_text(DEVICE)
    (tmp_path / "sub" / "folder").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(path: Path) -> Settings:
    return Settings(
        partitions=path,
        partition="mine",
        chip="esp32c3",
        table_offset=0xC000,
        flash_size_bytes=0x400000,
        extra_subtypes=("data, pictures, 0x40",),
        idf=(5, 4),
        md5=False,
        secret_namespaces=("keys", "pins"),
        slots={"left": "1-1.2"},
    )


def test_settings_are_read_from_either_file(folder: Path) -> None:
    assert find_settings() == read(Path("partitions.csv"))
    (folder / "fctry.toml").unlink()
    (folder / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    assert find_settings() == Settings()
    (folder / "pyproject.toml").write_text("[tool.fctry]\n" + SETTINGS)
    assert find_settings() == read(Path("partitions.csv"))


def test_project_is_found_from_a_folder_below_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "sub" / "folder")
    assert find_settings() == read(Path("../../partitions.csv"))
    assert find_settings(folder=folder / "sub") == read(folder / "partitions.csv")
    project = open_project(find_settings())
    assert (project.factory_partition.name, project.factory_partition.offset) == ("mine", 0x13000)
    (folder / "fctry.toml").unlink()
    assert find_settings() == Settings(Path("../../partitions.csv"))


def test_project_is_not_looked_for_beyond_its_repository(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "sub" / ".git").mkdir()
    monkeypatch.chdir(folder / "sub" / "folder")
    assert find_settings() == Settings()


def test_settings_elsewhere_are_not_those_of_a_table_that_is_named(folder: Path) -> None:
    other = folder / "sub" / "partitions.csv"
    other.write_text(TABLE)
    assert find_settings(other) == Settings(other)
    assert find_settings(folder / "partitions.csv") == read(folder / "partitions.csv")


def test_table_in_a_folder_of_its_own_is_read_with_the_sdkconfig_beside_the_settings(folder: Path) -> None:
    (folder / "fctry.toml").write_text('partitions = "sub/partitions.csv"\n')
    (folder / "sub" / "partitions.csv").write_text(TABLE)
    (folder / "sdkconfig.defaults").write_text(
        "CONFIG_PARTITION_TABLE_OFFSET=0x10000\nCONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\n"
    )
    project = open_project(find_settings())
    assert project.settings.partitions == Path("sub/partitions.csv")
    assert project.table.offset == 0x10000


@pytest.mark.parametrize("is_set_up", [False, True])
@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "sdkconfig.defaults",
            'CONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_PARTITION_TABLE_CUSTOM_FILENAME="sub/mine.csv"\n',
        ),
        ("platformio.ini", "[env:a]\nboard_build.partitions = sub/mine.csv\n"),
    ],
)
def test_table_is_the_one_that_the_project_names(file: str, text: str, is_set_up: bool, folder: Path) -> None:
    if not is_set_up:
        (folder / "fctry.toml").unlink()
    (folder / file).write_text(text)
    assert find_settings().partitions == Path("partitions.csv")  # until the one that is named is there
    (folder / "sub" / "mine.csv").write_text(TABLE)
    found = find_settings()
    assert found.partitions == Path("sub/mine.csv")
    assert found.sdkconfig == (Path(file) if file == "sdkconfig.defaults" else None)
    assert found.partition == ("mine" if is_set_up else None)


@pytest.mark.parametrize("is_set_up", [False, True])
def test_one_of_several_tables_must_be_chosen(is_set_up: bool, folder: Path) -> None:
    if not is_set_up:
        (folder / "fctry.toml").unlink()
    (folder / "platformio.ini").write_text(
        "[env:a]\nboard_build.partitions = a.csv\n[env:b]\nboard_build.partitions = b.csv\n"
    )
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text(TABLE)
    with pytest.raises(InputError, match=r"several tables: a\.csv, b\.csv") as caught:
        find_settings()
    assert "--partitions" in caught.value.hint
    assert "partitions` in fctry.toml" in caught.value.hint
    assert find_settings(Path("b.csv")).partitions == Path("b.csv")
    with (folder / "fctry.toml").open("a") as settings:
        settings.write('partitions = "a.csv"\n')
    assert find_settings().partitions == Path("a.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("partition = 1", "`partition`: not a text"),
        ("table-offset = -1", "`table-offset`: '-1' is no size"),
        ("table-offset = true", "`table-offset`: not a text"),
        ('flash-size = "big"', "`flash-size`: 'big' is no size"),
        ('md5 = "no"', "`md5`: neither true nor false"),
        ('idf = "v4.4"', "`idf`: v4.4 is not known"),
        ('extra-subtypes = "data, a, 0x40"', "`extra-subtypes`: not a list of texts"),
        ('secure-boot = "v3"', "`secure-boot`: there are v1 and v2"),
        ('seal = "wax"', "`seal`: there are key and efuse"),
        ('slots = ["1-1.2"]', "`slots`: not a table of names and ports"),
        ("slots = { left = 1 }", "`slots`: not a text"),
        ('partitons = "x.csv"', "unknown setting `partitons`"),
        ("partition = ", "not TOML: "),
        ("\udcff", "not TOML: "),
        ("a = " + "[" * 9999, "not TOML: "),
        ("a = " + "9" * 5000, "not TOML: "),
    ],
)
def test_setting_that_is_wrong_is_refused_with_its_file(folder: Path, text: str, message: str) -> None:
    (folder / "fctry.toml").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(InputError) as caught:
        find_settings()
    assert caught.value.message.startswith(message)
    assert str(caught.value.file) == "fctry.toml"
    assert caught.value.hint


def test_unknown_setting_is_answered_with_those_that_there_are(folder: Path) -> None:
    (folder / "fctry.toml").write_text("size = 1")
    with pytest.raises(InputError) as caught:
        find_settings()
    assert all(name in caught.value.hint for name in KINDS)


@pytest.mark.parametrize(
    ("table", "partition"),
    [("nvs,{0},readonly\nown,{0},readonly\nzb,{0},", "own"), ("own,{0},readonly\nfctry,{0},", "fctry")],
)
def test_factory_partition_is_fctry_or_the_one_that_is_readonly(
    folder: Path, table: str, partition: str
) -> None:
    (folder / "fctry.toml").unlink()
    (folder / "partitions.csv").write_text(table.format("data,nvs,,0x3000") + "\napp,app,factory,,1M\n")
    assert open_project(find_settings()).factory_partition.name == partition


@pytest.mark.parametrize(
    ("name", "message"), [(None, "no partition is called `fctry`"), ("none", "has no factory")]
)
def test_factory_partition_is_no_guess(folder: Path, name: str | None, message: str) -> None:
    (folder / "fctry.toml").write_text(f'partition = "{name}"' if name else "")
    (folder / "partitions.csv").write_text(
        "nvs,data,nvs,,0x6000\nzb_storage,data,nvs,,16K\napp,app,factory,,1M\n"
    )
    with pytest.raises(InputError, match=message):
        _ = open_project(find_settings()).factory_partition


def test_commands_work_below_the_project_and_options_count_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder / "sub")
    assert main(["image", "build", "../device.csv", "-o", "device.bin"]) == 0
    assert Path("device.bin").stat().st_size == 24 << 10
    assert main(["image", "build", "../device.csv", "-o", "device.bin", "--partition", "fctry"]) == 0
    assert Path("device.bin").stat().st_size == 0x3000
    capsys.readouterr()
    assert main(["layout", "show"]) == 0
    assert "0x00c000" in capsys.readouterr().out
    main(["layout", "check", "--table-offset", "0x20000"])
    assert "../partitions.csv" in capsys.readouterr().out
