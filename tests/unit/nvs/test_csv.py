from __future__ import annotations

from pathlib import Path

import pytest

from fctry.errors import InputError
from fctry.nvs import Item, ItemType, make_image, read_csv
from fctry.nvs.csv import read_sheet
from fctry.nvs.csv_notes import notes

HEADER = "key,type,encoding,value\n"


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "device.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def value_of(folder: Path, encoding: str, value: str, kind: str = "data") -> object:
    path = written(folder, f'{HEADER}n,namespace,,\nk,{kind},{encoding},"{value}"\n')
    return read_csv(path)[0].value


def test_items_of_the_article_are_read(article_csv: Path) -> None:
    assert read_csv(article_csv) == [
        Item("fctryNamespace", "serial_number", ItemType.STR, "164589345735"),
        Item("fctryNamespace", "mac_addr", ItemType.STR, "0A:0B:0C:0D:0E:0F"),
    ]


@pytest.mark.parametrize(
    ("encoding", "text", "value"),
    [
        ("u8", "255", 255),
        ("u8", "0x1F", 0x1F),
        ("u8", "007", 7),
        ("U16", " 65535 ", 65535),
        ("i8", "-128", -128),
        ("i16", "-0x8000", -32768),
        ("i64", "-9223372036854775808", -(2**63)),
        ("u64", "18446744073709551615", 2**64 - 1),
        ("float", "1.5", 1.5),
        ("double", "-2.5e-300", -2.5e-300),
        ("string", "", ""),
        ("string", "äöü €", "äöü €"),
        ("STRING", "x", "x"),
        ("hex2bin", " 00fF ", b"\x00\xff"),
        ("hex2bin", "", b""),
        ("base64", "AAEC /w==", b"\x00\x01\x02\xff"),
        ("binary", "é", b"\xc3\xa9"),
        ("blob_fill(4;0xAA)", "ab", b"ab\xaa\xaa"),
        ("blob_fill(2;0x00)", "", b"\0\0"),
        ("blob_sz_fill(3;0xff)", "é", b"\x02\0\0\0\xc3\xa9\xff"),
    ],
)
def test_value_is_read_in_every_encoding(tmp_path: Path, encoding: str, text: str, value: object) -> None:
    assert value_of(tmp_path, encoding, text) == value


@pytest.mark.parametrize(
    ("encoding", "content", "value"),
    [
        ("binary", b"\0\xff\n", b"\0\xff\n"),
        ("string", "zwölf\n".encode(), "zwölf\n"),
        ("hex2bin", b"0aFF\n", b"\x0a\xff"),
        ("base64", b"AAEC\n/w==\n", b"\0\x01\x02\xff"),
        ("u32", b"70000\n", 70000),
    ],
)
def test_file_is_read_relative_to_the_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, content: bytes, value: object
) -> None:
    (tmp_path / "values").mkdir()
    (tmp_path / "values" / "one").write_bytes(content)
    monkeypatch.chdir("/")
    assert value_of(tmp_path, encoding, "values/one", "file") == value


def test_byte_order_mark_crlf_comments_and_blank_lines_change_nothing(tmp_path: Path) -> None:
    lines = [
        "# made by hand",
        "key,type,encoding,value",
        "",
        "n,namespace",
        "# a,b,c,d",
        'k,data,string,"a,""b"""',
        "",
    ]
    path = written(tmp_path, b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    assert read_csv(path) == [Item("n", "k", ItemType.STR, 'a,"b"')]
    assert read_csv(path)[0].line == 6


def test_line_number_is_the_first_of_a_value_of_several_lines(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + 'n,namespace,,\n#\nk,data,string,"1\n2\n3"\nl,data,u8,1\n')
    assert [(item.value, item.line) for item in read_csv(path)] == [("1\n2\n3", 4), (1, 7)]


def test_columns_may_come_in_any_order_and_with_others(tmp_path: Path) -> None:
    path = written(tmp_path, "note,value,key,encoding,type\nx,,n,,namespace\ny,5,k,u8,data\n")
    assert read_csv(path) == [Item("n", "k", ItemType.U8, 5)]


def test_namespaces_without_items_are_kept_in_the_sheet(tmp_path: Path) -> None:
    sheet = read_sheet(
        written(tmp_path, HEADER + "a,namespace,,\nb,namespace,,\nk,data,u8,1\nc,namespace,,\n")
    )
    assert sheet.namespaces == ("a", "b", "c")
    assert [item.namespace for item in sheet.items] == ["b"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("key,type,value\nn,namespace,\n", 1, "column 'encoding' is missing"),
        ("key,type, encoding,value\n", 1, "column 'encoding' is missing"),
        ("key,type,encoding,value,key\n", 1, "column 'key' is there twice"),
        (HEADER + "n,namespace,,\nk,data,u9,1\n", 3, "unknown encoding 'u9'"),
        (HEADER + "n,namespace,,\nk,data,blob_fill(9;0xFF)x,1\n", 3, "unknown encoding 'blob_fill(9;0xFF)x'"),
        (HEADER + "n,namespace,,\nk,datum,u8,1\n", 3, "unknown type 'datum'"),
        (HEADER + "n,namespace,,\nk,data,u8,256\n", 3, "key 'k': number out of range for u8"),
        (HEADER + "n,namespace,,\nk,data,i8,-129\n", 3, "key 'k': number out of range for i8"),
        (HEADER + "n,namespace,,\nk,data,u64,-1\n", 3, "key 'k': number out of range for u64"),
        (HEADER + "n,namespace,,\nk,data,float,1e39\n", 3, "key 'k': number out of range for float"),
        (HEADER + "n,namespace,,\nk,data,u8,one\n", 3, "key 'k': not a number"),
        (HEADER + "n,namespace,,\nk,data,u8,1_0\n", 3, "key 'k': not a number"),
        (HEADER + "n,namespace,,\nk,data,u8,\n", 3, "key 'k': not a number"),
        (HEADER + "n,namespace,,\nk,data,u8\n", 3, "no value"),
        (HEADER + "n,namespace,,\nk,data,string,a,b\n", 3, "5 values for 4 columns"),
        (
            HEADER + "n,namespace,,\nabcdefghijklmnop,data,u8,1\n",
            3,
            "key 'abcdefghijklmnop' is 16 bytes long",
        ),
        (HEADER + "n,namespace,,\néééééééé,data,u8,1\n", 3, "key 'éééééééé' is 16 bytes long"),
        (HEADER + "abcdefghijklmnop,namespace,,\n", 2, "namespace 'abcdefghijklmnop' is 16 bytes long"),
        (HEADER + "n,namespace,,\n,data,u8,1\n", 3, "empty key"),
        (HEADER + ",namespace,,\n", 2, "empty namespace"),
        (HEADER + "k,data,u8,1\n", 2, "key 'k' before any namespace"),
        (HEADER + "n,namespace,,\nk,data,hex2bin,abc\n", 3, "key 'k': odd number of hex digits"),
        (HEADER + "n,namespace,,\nk,data,hex2bin,xy\n", 3, "key 'k': not hex digits"),
        (HEADER + "n,namespace,,\nk,data,hex2bin,0a:0b:0c\n", 3, "key 'k': hex digits with `:` between them"),
        (HEADER + "n,namespace,,\nk,data,hex2bin,0a-0b\n", 3, "key 'k': hex digits with `-` between them"),
        (HEADER + "n,namespace,,\nk,data,hex2bin,0a 0b\n", 3, "key 'k': hex digits with ` ` between them"),
        (
            HEADER + 'n,namespace,,\nk,data,string,"73" \n',
            3,
            "a character between a closing quote and the comma",
        ),
        ("key;type;encoding;value\nn;namespace;;\n", 1, "columns are separated by `;`"),
        ("key\ttype\tencoding\tvalue\n", 1, "columns are separated by a tab"),
        (HEADER + "n,namespace,,\nk,data,base64,A\n", 3, "key 'k': "),
        (HEADER + "n,namespace,,\nk,data,base64,!!!!\n", 3, "key 'k': "),
        (
            HEADER + "n,namespace,,\nk,data,blob_fill(1;0x00),ab\n",
            3,
            "key 'k': 2 bytes, more than the 1 to fill",
        ),
        (HEADER + "n,namespace,,\nk,file,binary,nowhere\n", 3, "key 'k': cannot read 'nowhere'"),
        (HEADER + f"n,namespace,,\nk,data,string,{'x' * 4000}\n", 3, "key 'k': 4001 bytes; str takes 4000"),
        (HEADER + 'n,namespace,,\nk,data,string,"open\n', 3, "not CSV"),
        (HEADER + "n,namespace,,\nk,data,string,a\0b\n", 3, ""),
        ("", None, "empty"),
        (b"key,type,encoding,value\n\xff\n", 2, "not UTF-8"),
        (
            b"\xef\xbb\xbfkey,type,encoding,value\r\n# a\r\nn,namespace,,\r\nk,data,string,\xe9\r\n",
            4,
            "not UTF-8",
        ),
        (b"key,type,encoding,value\r# a\r\xe9\r", 3, "not UTF-8"),
    ],
)
def test_bad_csv_is_refused_with_file_line_and_remedy(
    tmp_path: Path, text: str | bytes, line: int | None, message: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_csv(path)
    assert caught.value.message.startswith(message)
    assert (caught.value.file, caught.value.line) == (path, line)
    assert caught.value.hint


def test_certificate_with_a_nul_at_its_end_is_refused_with_the_remedy(tmp_path: Path) -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
    (tmp_path / "cert.pem").write_text(pem + "\0")
    with pytest.raises(InputError, match="key 'k': a NUL at its end") as caught:
        value_of(tmp_path, "string", "cert.pem", "file")
    assert "NVS adds one" in str(caught.value)
    (tmp_path / "cert.pem").write_text(pem)
    assert value_of(tmp_path, "string", "cert.pem", "file") == pem


def test_all_that_is_wrong_is_told_at_once_each_with_its_place(tmp_path: Path) -> None:
    first = written(
        tmp_path, HEADER + f"{'n' * 16},namespace,,\nk,data,u8,x\nok,data,u8,1\nl,data,u9,1\nm,data,u8,1,1\n"
    )
    second = tmp_path / "second.csv"
    second.write_text(HEADER + 'k,data,u8,1\nn,namespace,,\nk,data,string,"open\n')
    with pytest.raises(InputError) as caught:
        read_sheet(first, second, tmp_path / "nowhere.csv")
    told = [caught.value, *caught.value.also]
    assert [(Path(str(one.file)).name, one.line) for one in told] == [
        (first.name, 2),
        (first.name, 3),
        (first.name, 5),
        (first.name, 6),
        ("second.csv", 2),
        ("second.csv", 4),
        ("nowhere.csv", None),
    ]
    assert all(one.hint for one in told)


def test_duplicate_keys_are_told_at_once(tmp_path: Path) -> None:
    sheet = read_sheet(written(tmp_path, HEADER + "n,namespace,,\n" + "k,data,u8,1\n" * 3))
    with pytest.raises(InputError, match="duplicate key 'k'") as caught:
        make_image(sheet, 0x3000)
    assert [one.line for one in (caught.value, *caught.value.also)] == [4, 5]


@pytest.mark.parametrize("key", ["sta.ssid", "sta.pswd"])
def test_keys_to_which_the_generator_adds_others_are_noted(tmp_path: Path, key: str) -> None:
    text = HEADER + f"nvs.net80211,namespace,,\n{key},data,string,home\n"
    (note,) = notes(read_sheet(written(tmp_path, text)))
    assert (note.code, note.severity) == ("csv-wifi", "info")
    assert note.where.endswith(":3")
    assert all(name in note.message for name in ("sta.apinfo", "sta.pmk", "sta.apsw"))
    named = written(tmp_path, text + "sta.apinfo,data,hex2bin,ff\n")
    assert notes(read_sheet(named)) == []


@pytest.mark.parametrize("key", [" k", "k ", "k\t"])
def test_name_with_a_space_at_an_end_is_noted(tmp_path: Path, key: str) -> None:
    sheet = read_sheet(written(tmp_path, HEADER + f'n,namespace,,\n"{key}",data,u8,1\n'))
    (note,) = notes(sheet)
    assert (note.code, note.severity, note.where[-2:]) == ("csv-space", "warning", ":3")
    assert repr(key) in note.message


@pytest.mark.parametrize(
    ("encoding", "codes"), [("string", ["csv-sdk-type"]), ("binary", []), ("hex2bin", [])]
)
def test_string_where_an_sdk_reads_a_blob_is_noted(tmp_path: Path, encoding: str, codes: list[str]) -> None:
    lines = f"rmaker_creds,namespace,,\nnode_id,data,{encoding},00\nother,data,string,x\n"
    found = notes(read_sheet(written(tmp_path, HEADER + lines)))
    assert [one.code for one in found] == codes
    assert all(one.where.endswith(":3") and "RainMaker" in one.message for one in found)


def test_missing_csv_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv: cannot read: No such file"):
        read_csv(tmp_path / "nowhere.csv")


def test_secret_value_is_in_no_error(tmp_path: Path) -> None:
    for encoding in ("u8", "hex2bin", "base64", "blob_fill(1;0x00)"):
        with pytest.raises(InputError) as caught:
            value_of(tmp_path, encoding, "hunter2!")
        assert "hunter2" not in f"{caught.value} {caught.value.hint}"
