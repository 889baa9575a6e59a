from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fctry.cli.main import main
from fctry.nvs import Item, ItemType, Keys, encode, encrypt
from tests.unit.nvs.forge import namespace, page, partition, u8

DATA = Path(__file__).parents[2] / "data" / "nvs"
ARTICLE_CSV, ARTICLE_IMAGE = str(DATA / "article.csv"), str(DATA / "article.bin")
HEADER = "key,type,encoding,value\n"
TOO_MANY = "".join(f"k{i},data,u8,1\n" for i in range(260))
MANY_TYPES = [
    Item("n", "number", ItemType.I32, -5),
    Item("n", "text", ItemType.STR, "long " * 30),
    Item("n", "lines", ItemType.STR, "one\ntwo"),
    Item("n", "latin", ItemType.STR, "\udce4"),
    Item("n", "blob", ItemType.BLOB, bytes(range(256)) * 20),
]


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "image.bin"
    path.write_bytes(encode(MANY_TYPES, 0x4000))
    return str(path)


def image_command(*arguments: object) -> int:
    return main(["image", *map(str, arguments)])


def test_build_makes_the_generators_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "device.bin"
    assert image_command("build", ARTICLE_CSV, "-o", output, "--size", "0x6000") == 0
    assert output.read_bytes() == Path(ARTICLE_IMAGE).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["device.bin"]
    assert "2 keys, 5 of 630 entries of a partition of 0x6000 bytes" in capsys.readouterr().out


def test_build_takes_the_size_from_the_partition_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("partitions.csv").write_text("nvs,data,nvs,0x9000,0x3000\nfctry,data,nvs,0x10000,0x2000,readonly\n")
    assert image_command("build", ARTICLE_CSV, "-o", "device.bin") == 0
    assert Path("device.bin").stat().st_size == 0x2000
    assert image_command("build", ARTICLE_CSV, "-o", "nvs.bin", "--partition", "nvs") == 0
    assert Path("nvs.bin").stat().st_size == 0x3000


def test_build_says_what_is_missing_when_no_size_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert image_command("build", ARTICLE_CSV, "-o", "device.bin") == 1
    assert "hint: give --size 0x6000" in capsys.readouterr().err


def test_build_takes_several_csvs_and_version_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "b.csv").write_text(HEADER + "b,namespace,,\nk,data,hex2bin,00ff\n")
    output = tmp_path / "device.bin"
    assert (
        image_command(
            "build", ARTICLE_CSV, tmp_path / "b.csv", "-o", output, "--size", 12288, "--nvs-version", 1
        )
        == 0
    )
    assert output.read_bytes()[8] == 0xFF
    assert image_command("check", output) == 0
    assert "nvs-blob-v1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("key,type,value\n", ":1: column 'encoding' is missing"),
        (HEADER + "n,namespace,,\nk,data,u8,256\n", ":3: key 'k': number out of range"),
        (HEADER + "n,namespace,,\nk,data,u9,1\n", ":3: unknown encoding 'u9'"),
        (
            HEADER + "n,namespace,,\nabcdefghijklmnop,data,u8,1\n",
            ":3: key 'abcdefghijklmnop' is 16 bytes long",
        ),
        (HEADER + "k,data,u8,1\n", ":2: key 'k' before any namespace"),
        (HEADER + "n,namespace,,\n" + TOO_MANY, ":254: key 'k251' does not fit"),
    ],
)
def test_bad_csv_writes_nothing_and_keeps_what_was_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, place: str
) -> None:
    csv, output = tmp_path / "device.csv", tmp_path / "device.bin"
    csv.write_text(text)
    output.write_bytes(b"before")
    assert image_command("build", csv, "-o", output, "--size", "0x3000") == 1
    error = capsys.readouterr().err
    assert f"error: {csv}{place}" in error
    assert "\nhint: " in error
    assert output.read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 2


def test_missing_files_and_folders_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = tmp_path / "no" / "device"
    assert image_command("build", f"{nowhere}.csv", "-o", tmp_path / "x", "--size", "0x3000") == 1
    assert image_command("build", ARTICLE_CSV, "-o", f"{nowhere}.bin", "--size", "0x3000") == 1
    for action in ("show", "check", "csv"):
        assert image_command(action, f"{nowhere}.bin") == 1
    assert image_command("keys", "-o", f"{nowhere}.bin") == 1
    assert capsys.readouterr().err.count("No such file or directory") == 6
    assert list(tmp_path.iterdir()) == []


def test_build_says_what_not_every_firmware_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    csv = tmp_path / "device.csv"
    csv.write_text(HEADER + "n,namespace,,\nk,data,float,0.5\n")
    assert image_command("build", csv, "-o", tmp_path / "x", "--size", "0x1000", "--read-only") == 0
    assert (
        "page 0 entry 1: warning: key 'k' is a number with a fraction [nvs-float]\n    remedy: firmware before v6.1"
        in capsys.readouterr().err
    )


def test_capacity_tells_use_and_smallest_partition(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert image_command("capacity", ARTICLE_CSV, "--size", "0x6000") == 0
    out = capsys.readouterr().out
    assert "fctryNamespace       2       31        5" in out
    assert "smallest partition that holds it: 0x3000 bytes" in out
    csv = tmp_path / "device.csv"
    csv.write_text(HEADER + "n,namespace,,\n" + TOO_MANY)
    assert image_command("capacity", csv, "--size", "0x3000") == 1
    assert "too many by 9 entries\nsmallest partition that holds it: 0x4000 bytes" in capsys.readouterr().out
    assert image_command("capacity", csv, "--size", "0x3000", "--json") == 1
    assert json.loads(capsys.readouterr().out)["smallest_size_bytes"] == 0x4000


def test_capacity_needs_no_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert image_command("capacity", ARTICLE_CSV) == 0
    assert "smallest partition that holds it: 0x3000 bytes" in capsys.readouterr().out
    Path("device.csv").write_text(HEADER + "n,namespace,,\n" + TOO_MANY)
    assert image_command("capacity", "device.csv", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["smallest_size_bytes"] == printed["size_bytes"] == 0x4000
    assert image_command("capacity", "device.csv", "--read-only") == 0
    assert "smallest partition that holds it: 0x3000 bytes" in capsys.readouterr().out


def test_build_tells_all_errors_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    csv = tmp_path / "device.csv"
    csv.write_text(HEADER + "n,namespace,,\n" + "k,data,u8,x\n" * 25)
    assert image_command("build", csv, "-o", tmp_path / "device.bin", "--size", "24K") == 1
    error = capsys.readouterr().err
    assert [f"{csv}:{line}: " in error for line in (3, 22, 23)] == [True, True, False]
    assert error.count("hint: ") == 20
    assert error.endswith("and 5 more errors\n")
    assert list(tmp_path.iterdir()) == [csv]


def test_build_notes_what_the_generator_would_add(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    csv = tmp_path / "station.csv"
    csv.write_text(HEADER + "nvs.net80211,namespace,,\nsta.ssid,data,blob_sz_fill(32;0x00),home\n")
    assert image_command("build", csv, "-o", tmp_path / "x", "--size", "24K") == 0
    captured = capsys.readouterr()
    assert f"{csv}:3: info: to 'sta.ssid' Espressif's generator adds sta.apinfo" in captured.err
    assert ": 1 key, " in captured.out


def test_show_tells_namespace_key_type_place_and_value(
    image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert image_command("show", image) == 0
    rows = {
        line.split()[1]: line.split()[2:]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("n  ")
    }
    assert rows["number"] == ["i32", "0:1", "-5"]
    assert rows["lines"] == ["str", "0:8", "one\\ntwo"]
    assert rows["latin"] == ["str", "0:10", "\\udce4"]
    assert rows["text"][-2:] == ["(150", "bytes)"]
    assert rows["blob"][-2:] == ["(5120", "bytes)"]


def test_show_draws_the_pages(capsys: pytest.CaptureFixture[str]) -> None:
    assert image_command("show", ARTICLE_IMAGE) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "page 0: active, sequence 0, 5 of 126 entries used"
    assert lines[1] == "    0  NK=K=................  fctryNamespace serial_number mac_addr"
    assert lines[2] == "   21  free to the end of the page"
    assert lines[3] == "pages 1 to 5: free"


def test_show_full_cuts_nothing(image: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert image_command("show", image, "--full") == 0
    assert (bytes(range(256)) * 20).hex() in capsys.readouterr().out


def test_show_json_is_data(image: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert image_command("show", "--json", image) == 0
    items = {item["key"]: item for item in json.loads(capsys.readouterr().out)}
    assert items["number"] == {
        "namespace": "n",
        "key": "number",
        "type": "i32",
        "value": -5,
        "page": 0,
        "entry": 1,
    }
    assert items["lines"]["value"] == "one\ntwo"
    assert base64.b64decode(items["blob"]["value"]) == bytes(range(256)) * 20
    assert base64.b64decode(items["latin"]["base64"]) == b"\xe4"


def test_show_erased_reads_what_is_left_of_old_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = bytearray(encode([Item("n", "k", ItemType.STR, "old value")], 0x3000))
    image[32] &= 0b11_00_00_11
    (tmp_path / "dump.bin").write_bytes(image)
    assert image_command("show", "--erased", tmp_path / "dump.bin") == 0
    assert "0:1 erased  old value" in capsys.readouterr().out


def test_show_svg_draws_a_picture(image: str, tmp_path: Path) -> None:
    assert image_command("show", image, "--svg", tmp_path / "image.svg") == 0
    assert "number" in (tmp_path / "image.svg").read_text()


def test_show_warns_of_damage_and_shows_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = Path(ARTICLE_IMAGE).read_bytes().replace(b"0A:0B", b"1A:0B")
    (tmp_path / "device.bin").write_bytes(damaged)
    assert image_command("show", tmp_path / "device.bin") == 0
    captured = capsys.readouterr()
    assert "164589345735" in captured.out
    assert "1A:0B" not in captured.out
    assert "key 'mac_addr': crc of the value is wrong" in captured.err


@pytest.mark.parametrize("action", ["show", "csv"])
def test_key_that_no_firmware_finds_is_said_to_be_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    path = tmp_path / "k.bin"
    path.write_bytes(partition(page(namespace("n"), u8("k\0tail"), u8("sound"))))
    image_command(action, path)
    captured = capsys.readouterr()
    assert "page 0 entry 1: error: key 'k' has bytes behind its end: the firmware never" in captured.err
    assert "sound" in captured.out


@pytest.mark.parametrize("action", ["show", "csv"])
def test_encrypted_image_without_its_keys_is_said_to_be_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    path = tmp_path / "encrypted.bin"
    path.write_bytes(encrypt(Path(ARTICLE_IMAGE).read_bytes(), Keys.generate()))
    image_command(action, path)
    error = capsys.readouterr().err
    assert "it is encrypted" in error
    assert "--keys" in error
    assert "damage" not in error


def test_check_ends_in_1_only_when_there_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "damaged.bin"
    damaged.write_bytes(Path(ARTICLE_IMAGE).read_bytes().replace(b"0A:0B", b"1A:0B"))
    assert image_command("check", ARTICLE_IMAGE) == 0
    assert capsys.readouterr().out == f"{ARTICLE_IMAGE}: no findings\n"
    assert image_command("check", ARTICLE_IMAGE, damaged) == 1
    out = capsys.readouterr().out
    assert (
        f"{damaged}: page 0 entry 3: error: key 'mac_addr': crc of the value is wrong [nvs-data-crc]" in out
    )
    assert out.endswith(f"{damaged}: 1 error; `fctry docs CODE` explains a code\n")
    assert image_command("check", "--json", damaged) == 1
    assert json.loads(capsys.readouterr().out)[str(damaged)][0]["code"] == "nvs-data-crc"


def test_check_as_sarif_names_file_rule_and_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = tmp_path / "damaged.bin"
    damaged.write_bytes(Path(ARTICLE_IMAGE).read_bytes().replace(b"0A:0B", b"1A:0B"))
    assert image_command("check", "--sarif", ARTICLE_IMAGE, damaged) == 1
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    (rule,), (result,) = run["tool"]["driver"]["rules"], run["results"]
    assert rule["shortDescription"] == {"text": "CRC of a value: reading it fails"}
    assert rule["help"]["text"] == "fctry docs nvs-data-crc"
    assert (result["ruleId"], result["level"]) == ("nvs-data-crc", "error")
    assert result["message"]["text"].startswith(
        "page 0 entry 3: key 'mac_addr': crc of the value is wrong. Remedy: "
    )
    assert result["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": damaged.as_uri()}}}]


def test_check_takes_a_full_partition_only_as_read_only(tmp_path: Path) -> None:
    path = tmp_path / "full.bin"
    items = [Item("n", f"k{i}", ItemType.U8, 1) for i in range(377)]
    path.write_bytes(encode(items, 0x3000, read_only=True))
    assert image_command("check", path) == 1
    assert image_command("check", "--read-only", path) == 0


def test_check_loads_nothing_that_it_does_not_need() -> None:
    script = f"""
import sys
from fctry.cli.main import main
assert main(["image", "check", {ARTICLE_IMAGE!r}]) == 0
print(sorted(sys.modules.keys() & {{"csv", "cryptography", "pathlib", "rich"}}))
"""
    # without the site module, whose .pth files may load anything
    command = [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}{script}"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.endswith("\n[]\n")


def test_diff_goes_by_key_and_ends_in_1_when_anything_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.bin"
    items = [
        Item("fctryNamespace", "mac_addr", ItemType.STR, "x"),
        Item("fctryNamespace", "new", ItemType.U8, 1),
    ]
    other.write_bytes(encode(items, 0x3000))
    assert image_command("diff", ARTICLE_IMAGE, ARTICLE_IMAGE) == 0
    assert capsys.readouterr().out == ""
    assert image_command("diff", ARTICLE_IMAGE, other) == 1
    assert capsys.readouterr().out.splitlines() == [
        "removed  fctryNamespace:serial_number  str 164589345735",
        "changed  fctryNamespace:mac_addr  str 0A:0B:0C:0D:0E:0F -> str x",
        "added    fctryNamespace:new  u8 1",
    ]
    assert image_command("diff", "--json", ARTICLE_IMAGE, other) == 1
    assert [one["kind"] for one in json.loads(capsys.readouterr().out)] == ["removed", "changed", "added"]


def test_csv_builds_the_same_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert image_command("csv", ARTICLE_IMAGE) == 0
    assert capsys.readouterr().out == Path(ARTICLE_CSV).read_text()
    items = [Item("n", "k", ItemType.BLOB, bytes(70_000)), Item("n", "s", ItemType.STR, "a\r\nb")]
    (tmp_path / "image.bin").write_bytes(encode(items, 0x20000))
    assert image_command("csv", tmp_path / "image.bin") == 1
    assert "give a file with -o" in capsys.readouterr().err
    assert image_command("csv", tmp_path / "image.bin", "-o", tmp_path / "device.csv") == 0
    assert (
        image_command("build", tmp_path / "device.csv", "-o", tmp_path / "again.bin", "--size", "0x20000")
        == 0
    )
    assert (tmp_path / "again.bin").read_bytes() == (tmp_path / "image.bin").read_bytes()


@pytest.mark.parametrize("option", ["--keys", "--hmac-key"])
def test_encrypted_image_is_built_checked_shown_and_decrypted_with_its_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    keys, hmac_key = tmp_path / "keys.bin", tmp_path / "hmac.bin"
    assert image_command("keys", "-o", keys, "--new-hmac-key", hmac_key) == 0
    given = [option, keys if option == "--keys" else hmac_key]
    encrypted = tmp_path / "encrypted.bin"
    assert image_command("build", ARTICLE_CSV, "-o", encrypted, "--size", "0x6000", *given) == 0
    assert image_command("check", encrypted, *given) == 0
    assert image_command("check", encrypted) == 1
    assert "give its keys with --keys" in capsys.readouterr().out
    assert image_command("show", encrypted, *given) == 0
    assert "164589345735" in capsys.readouterr().out
    assert image_command("decrypt", encrypted, "-o", tmp_path / "plain.bin", *given) == 0
    assert (tmp_path / "plain.bin").read_bytes() == Path(ARTICLE_IMAGE).read_bytes()
    assert image_command("keys", "-o", tmp_path / "other.bin") == 0
    assert image_command("check", encrypted, "--keys", tmp_path / "other.bin") == 1
    assert "nvs-wrong-key" in capsys.readouterr().out


def test_keys_are_written_for_their_owner_alone_and_never_over_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys, hmac_key = tmp_path / "keys.bin", tmp_path / "hmac.bin"
    assert image_command("keys", "-o", keys, "--new-hmac-key", hmac_key) == 0
    assert {stat.S_IMODE(path.stat().st_mode) for path in (keys, hmac_key)} == {0o600}
    before = keys.read_bytes()
    assert image_command("keys", "-o", keys) == 1
    assert "is there already" in capsys.readouterr().err
    assert keys.read_bytes() == before
    assert image_command("keys", "-o", tmp_path / "again.bin", "--hmac-key", hmac_key) == 0
    assert (tmp_path / "again.bin").read_bytes() == before


def test_keys_appear_in_no_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = tmp_path / "keys.bin"
    keys.write_bytes(b"0123456789abcdef" * 256)
    assert image_command("show", ARTICLE_IMAGE, "--keys", keys) == 1
    assert image_command("show", ARTICLE_IMAGE, "--hmac-key", keys) == 1
    captured = capsys.readouterr()
    assert f"error: {keys}: the key partition's crc is wrong" in captured.err
    assert "0123" not in captured.out + captured.err
    assert "30313233" not in captured.out + captured.err


@pytest.mark.parametrize("action", ["show", "csv", "decrypt"])
def test_file_that_is_no_partition_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    path, keys = tmp_path / "half.bin", tmp_path / "keys.bin"
    path.write_bytes(bytes(5000))
    assert image_command("keys", "-o", keys) == 0
    options = ["-o", tmp_path / "out", "--keys", keys] if action == "decrypt" else []
    assert image_command(action, path, *options) == 1
    assert f"error: {path}: 5000 bytes are no NVS partition\nhint: " in capsys.readouterr().err


def test_hmac_key_of_another_size_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "hmac.bin"
    path.write_bytes(bytes(31))
    assert image_command("keys", "-o", tmp_path / "keys.bin", "--hmac-key", path) == 1
    assert f"error: {path}: an HMAC key of 31 bytes" in capsys.readouterr().err
    assert not (tmp_path / "keys.bin").exists()


@pytest.mark.parametrize("action", ["build", "capacity"])
def test_csv_without_keys_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], action: str) -> None:
    csv, output = tmp_path / "device.csv", tmp_path / "out"
    csv.write_text(HEADER)
    rest = {"build": ["-o", output], "capacity": []}[action]
    assert image_command(action, csv, *rest, "--size", "0x3000") == 1
    assert f"error: {csv}: no keys\nhint: " in capsys.readouterr().err
    assert not output.exists()


def test_partition_that_is_no_nvs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("partitions.csv").write_text("nvs,data,nvs,0x9000,0x3000\nfactory,app,factory,0x10000,1M\n")
    assert image_command("build", ARTICLE_CSV, "-o", "device.bin", "--partition", "factory") == 1
    assert (
        "error: partitions.csv: `factory` is not of type data, nvs: an image would destroy what is in it\nhint: "
        in capsys.readouterr().err
    )
    assert not Path("device.bin").exists()


def test_output_that_is_an_input_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    csv, image, keys = tmp_path / "device.csv", tmp_path / "device.bin", tmp_path / "keys.bin"
    assert image_command("keys", "-o", keys) == 0
    csv.write_bytes(Path(ARTICLE_CSV).read_bytes())
    assert image_command("build", csv, "-o", image, "--size", "0x3000", "--keys", keys) == 0
    before = [path.read_bytes() for path in (csv, image, keys)]
    for arguments in (
        ("build", csv, "-o", csv, "--size", "0x3000"),
        ("build", csv, "-o", keys, "--size", "0x3000", "--keys", keys),
        ("csv", image, "-o", image, "--keys", keys),
        ("show", image, "--svg", image, "--keys", keys),
        ("decrypt", image, "-o", image, "--keys", keys),
        ("decrypt", image, "-o", keys, "--keys", keys),
    ):
        assert image_command(*arguments) == 1
        assert "this is an input: it would be overwritten" in capsys.readouterr().err
    assert [path.read_bytes() for path in (csv, image, keys)] == before


def test_output_that_is_named_in_a_csv_or_is_the_layout_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("partitions.csv").write_text("nvs,data,nvs,0x9000,0x3000\nfctry,data,nvs,0x10000,0x3000\n")
    Path("sdkconfig").write_text("CONFIG_PARTITION_TABLE_CUSTOM=y\n")
    Path("cert.bin").write_bytes(b"certificate")
    Path("device.csv").write_text(HEADER + "n,namespace,,\nserial,data,string,1\ncert,file,binary,cert.bin\n")
    Path("values.csv").write_text("serial\ncert\n")
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    for arguments in (
        ("build", "device.csv", "-o", "cert.bin"),
        ("build", "device.csv", "-o", "partitions.csv"),
        ("build", "device.csv", "-o", "sdkconfig"),
    ):
        assert image_command(*arguments) == 1
        assert "this is an input: it would be overwritten" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in Path().iterdir()} == before


def test_factory_data_is_its_owners_alone(tmp_path: Path) -> None:
    image, keys = tmp_path / "device.bin", tmp_path / "keys.bin"
    old = os.umask(0)
    try:
        assert image_command("keys", "-o", keys) == 0
        assert image_command("build", ARTICLE_CSV, "-o", image, "--size", "24K", "--keys", keys) == 0
        assert image_command("decrypt", image, "-o", tmp_path / "plain.bin", "--keys", keys) == 0
        assert image_command("csv", image, "-o", tmp_path / "back.csv", "--keys", keys) == 0
    finally:
        os.umask(old)
    made = {path: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_file()}
    assert set(made.values()) == {0o600}
    assert len(made) == 4


def test_csv_replaces_no_neighbour_that_it_did_not_make(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, neighbour = tmp_path / "image.bin", tmp_path / "device-1.bin"
    image.write_bytes(encode([Item("n", "k", ItemType.BLOB, bytes(70_000))], 0x20000))
    neighbour.write_bytes(b"another device")
    assert image_command("csv", image, "-o", tmp_path / "device.csv") == 1
    assert f"{neighbour}: is there already" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["device-1.bin", "image.bin"]
    assert neighbour.read_bytes() == b"another device"
    neighbour.unlink()
    for _ in range(2):
        assert image_command("csv", image, "-o", tmp_path / "device.csv") == 0
    assert neighbour.read_bytes() == bytes(70_000)


@pytest.mark.parametrize("name", ["/dev/zero", "pipe", "."])
def test_value_that_is_no_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("device.csv").write_text(HEADER + f"n,namespace,,\nk,file,binary,{name}\n")
    assert image_command("build", "device.csv", "-o", "device.bin", "--size", "24K") == 1
    assert f"device.csv:3: key 'k': cannot read {name!r}: it is no file" in capsys.readouterr().err


def test_file_of_a_csv_does_not_overwrite_the_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "device-1.bin"
    image.write_bytes(before := encode([Item("n", "k", ItemType.BLOB, bytes(70_000))], 0x20000))
    assert image_command("csv", image, "-o", tmp_path / "device.csv") == 1
    assert f"{image}: this is an input" in capsys.readouterr().err
    assert image.read_bytes() == before
    assert list(tmp_path.iterdir()) == [image]


@pytest.mark.parametrize("action", ["csv", "decrypt"])
def test_image_of_which_nothing_can_be_read_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    keys, others, encrypted = tmp_path / "keys.bin", tmp_path / "others.bin", tmp_path / "encrypted.bin"
    output = tmp_path / "out"
    output.write_bytes(b"before")
    assert image_command("keys", "-o", keys) == 0
    assert image_command("keys", "-o", others) == 0
    assert image_command("build", ARTICLE_CSV, "-o", encrypted, "--size", "0x3000", "--keys", keys) == 0
    capsys.readouterr()
    for image in (encrypted, ARTICLE_IMAGE):
        assert image_command(action, image, "-o", output, "--keys", others) == 1
        captured = capsys.readouterr()
        assert captured.err.startswith(f"error: {image}: nothing can be read: none of ")
        assert "hint: these are the keys of another partition, or it is not encrypted" in captured.err
        assert captured.out == ""
    assert output.read_bytes() == b"before"


def test_csv_of_an_encrypted_image_asks_for_its_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys, encrypted = tmp_path / "keys.bin", tmp_path / "encrypted.bin"
    assert image_command("keys", "-o", keys) == 0
    assert image_command("build", ARTICLE_CSV, "-o", encrypted, "--size", "0x3000", "--keys", keys) == 0
    assert image_command("csv", encrypted) == 1
    assert "give its keys with --keys" in capsys.readouterr().err


def test_damaged_image_gives_what_is_left_and_ends_in_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged, encrypted, keys = tmp_path / "damaged.bin", tmp_path / "encrypted.bin", tmp_path / "keys.bin"
    damaged.write_bytes(Path(ARTICLE_IMAGE).read_bytes().replace(b"0A:0B", b"1A:0B"))
    hmac_key = bytes(range(32))
    keys.write_bytes(hmac_key)
    encrypted.write_bytes(encrypt(damaged.read_bytes(), Keys.from_hmac_key(hmac_key)))
    finding = "page 0 entry 3: error: key 'mac_addr': crc of the value is wrong [nvs-data-crc]"
    assert image_command("csv", damaged, "-o", tmp_path / "device.csv") == 1
    captured = capsys.readouterr()
    assert f"{damaged}: {finding}\n" in captured.err
    assert "device.csv: 1 key\n" in captured.out
    assert "serial_number" in (tmp_path / "device.csv").read_text()
    assert image_command("csv", damaged) == 1
    assert "serial_number" in capsys.readouterr().out
    assert image_command("decrypt", encrypted, "-o", tmp_path / "plain.bin", "--hmac-key", keys) == 1
    assert f"{encrypted}: {finding}\n" in capsys.readouterr().err
    assert (tmp_path / "plain.bin").read_bytes() == damaged.read_bytes()


@pytest.mark.parametrize("name", ["there.bin", "no/folder.bin", "hmac.bin", "../{}/hmac.bin"])
def test_keys_that_cannot_be_written_leave_no_hmac_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "there.bin").write_bytes(b"before")
    output = tmp_path / name.format(tmp_path.name)
    assert image_command("keys", "-o", output, "--new-hmac-key", tmp_path / "hmac.bin") == 1
    assert "hint: " in capsys.readouterr().err
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]


def test_values_are_shown_on_a_terminal_that_knows_ascii_only(image: str) -> None:
    command = [sys.executable, "-m", "fctry", "image", "show", image]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "? (150 bytes)" in done.stdout


def test_csv_is_printed_in_utf_8_wherever_it_goes(tmp_path: Path) -> None:
    (tmp_path / "image.bin").write_bytes(encode([Item("n", "k", ItemType.STR, "größe")], 0x3000))
    command = [sys.executable, "-m", "fctry", "image", "csv", str(tmp_path / "image.bin")]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert "größe".encode() in done.stdout
