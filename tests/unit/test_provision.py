"""What was written against what the firmware said."""

import hashlib
import hmac
import re
import shlex
import struct
from collections.abc import Iterator, Mapping, Sequence

import pytest

from fctry.device.report import Event, Report, ReportedItem, format_line
from fctry.errors import CapacityError, InputError, PortError
from fctry.nvs import Item, ItemType, Value
from fctry.partitions.table import Partition, PartitionTable
from fctry.provision import check_fits, check_partition, compare, not_reported, prove, wait_until_ready

WRITTEN = [Item("ns", "serial", ItemType.STR, "1"), Item("ns", "number", ItemType.U8, 1)]


def said(*items: tuple[str, str, str, Value], errors: Sequence[Event] = ()) -> Report:
    return Report(tuple(ReportedItem("fctry", *item) for item in items), tuple(errors), is_complete=True)


SAID = [("ns", "serial", "str", "1"), ("ns", "number", "u8", 1)]


def test_device_that_says_what_was_written_is_proven() -> None:
    assert compare(WRITTEN, said(*SAID)).is_proven


@pytest.mark.parametrize(
    "items",
    [
        [],
        SAID[:1],
        [("ns", "serial", "str", "2"), SAID[1]],
        [("ns", "serial", "str", "1"), ("ns", "number", "u16", 1)],
        [("other", "serial", "str", "1"), SAID[1]],
        [*SAID, ("ns", "extra", "u8", 1)],
    ],
    ids=["nothing", "one missing", "other value", "other type", "other namespace", "one too many"],
)
def test_device_that_says_something_else_is_not_proven(items: list[tuple[str, str, str, Value]]) -> None:
    assert not compare(WRITTEN, said(*items)).is_proven


def test_device_that_reports_an_error_is_not_proven() -> None:
    assert not compare(WRITTEN, said(*SAID, errors=[Event("error", {"code": "ESP_FAIL"})])).is_proven


def test_nothing_written_is_not_proven() -> None:
    assert not compare([], said()).is_proven


def test_comparison_keeps_the_order_of_writing_and_shows_what_came_besides() -> None:
    proof = compare(WRITTEN, said(SAID[1], ("ns", "extra", "u8", 7)))
    assert [(row.key, row.written, row.said) for row in proof.comparisons] == [
        ("serial", "1", None),
        ("number", 1, 1),
        ("extra", None, 7),
    ]


def test_image_larger_than_the_partition_is_refused() -> None:
    with pytest.raises(CapacityError, match="0x4000 bytes, the partition 'fctry' 0x3000") as caught:
        check_fits(bytes(0x4000), Partition("fctry", 1, 2, 0x10000, 0x3000))
    assert "--size 0x3000" in caught.value.hint


def nan_of(bits: int) -> float:
    return struct.unpack("<d", bits.to_bytes(8, "little"))[0]


@pytest.mark.parametrize(
    ("written", "read", "is_proven"),
    [
        (0.0, 0.0, True),
        (0.0, -0.0, False),
        (-0.0, -0.0, True),
        (nan_of(0x7FF8 << 48), nan_of(0x7FF8 << 48), True),
        (nan_of(0x7FF8 << 48), nan_of(0xFFF8 << 48), False),
    ],
)
def test_floats_are_equal_by_their_bits(written: float, read: float, is_proven: bool) -> None:
    item = Item("ns", "ratio", ItemType.DOUBLE, written)
    assert compare([item], said(("ns", "ratio", "double", read))).is_proven is is_proven


def test_string_that_is_not_utf8_is_equal_by_its_bytes() -> None:
    item = Item("ns", "name", ItemType.STR, "a\udcff")
    assert compare([item], said(("ns", "name", "str", b"a\xff"))).is_proven
    assert not compare([item], said(("ns", "name", "str", b"a\xfe"))).is_proven


def test_partition_that_is_not_nvs_is_refused_with_those_that_are() -> None:
    app, nvs_keys = Partition("factory", 0, 0, 0x20000, 0x1000), Partition("keys", 1, 4, 0x21000, 0x1000)
    factory = Partition("fctry", 1, 2, 0x10000, 0x3000)
    table = PartitionTable((factory, app, nvs_keys), file="partitions.csv")
    check_partition(table, factory)
    for other in (app, nvs_keys):
        with pytest.raises(InputError, match=f"'{other.name}' is not of type data, nvs") as caught:
            check_partition(table, other)
        assert caught.value.hint.endswith(": fctry")
        assert caught.value.file == "partitions.csv"


PASSWORD = Item("secrets", "password", ItemType.STR, "correct horse")
PIN = Item("secrets", 'a "pin"\\', ItemType.BLOB, b"\0\xff\x10\xa5")
SECRETS = [PASSWORD, PIN]


class Prover:
    """A chip whose firmware holds secrets by (namespace, key) and proves them."""

    def __init__(self, held: Mapping[tuple[str, str], bytes], *, is_silent: bool = False) -> None:
        self.held, self.is_silent = held, is_silent
        self.commands = []
        self.answers = []
        self.port = self

    def write(self, data: bytes) -> None:
        command, namespace, key, challenge, mark = shlex.split(data.decode())
        assert command == "prove"
        assert len(bytes.fromhex(challenge)) == 32
        self.commands.append((namespace, key, challenge))
        if self.is_silent:
            return
        secret, own = self.held.get((namespace, key)), {"id": mark.removeprefix("#")}
        events = [{"event": "proof", "hmac": "00" * 32, "id": "somebody-else"}]
        if secret is None:
            events += [{"event": "error", "code": "ESP_ERR_NVS_NOT_FOUND", **own}]
        else:
            proof = hmac.new(secret, bytes.fromhex(challenge), hashlib.sha256).hexdigest()
            events += [{"event": "proof", "hmac": proof, **own}]
        self.answers += [format_line(event).encode() for event in (*events, {"event": "done", **own})]

    def lines(self, timeout_s: float) -> Iterator[bytes]:
        while self.answers:
            yield self.answers.pop(0)


HELD = {("secrets", PASSWORD.key): b"correct horse", ("secrets", PIN.key): PIN.value}


def test_secrets_are_proven_by_challenge_and_response() -> None:
    chip, report = Prover(HELD), said(*SAID)
    items = [*WRITTEN, *SECRETS]
    assert not_reported(items, report) == SECRETS
    proof = compare(items, report, prove(chip, SECRETS))
    assert proof.is_proven
    assert [(row.is_secret, row.is_accepted) for row in proof.comparisons] == [(False, None)] * 2 + [
        (True, True)
    ] * 2
    assert len({challenge for *_, challenge in chip.commands}) == 2


def test_other_secret_is_refused() -> None:
    held = {("secrets", PASSWORD.key): b"correct hors"}
    proof = compare([*WRITTEN, PASSWORD], said(*SAID), prove(Prover(held), [PASSWORD]))
    assert not proof.is_proven
    assert proof.comparisons[-1].is_accepted is False


def test_secret_that_the_firmware_does_not_find_is_not_proven_and_the_next_is_asked() -> None:
    proofs = prove(Prover({("secrets", PIN.key): PIN.value}), SECRETS)
    assert proofs == {("secrets", PIN.key, "blob"): True}
    proof = compare([*WRITTEN, *SECRETS], said(*SAID), proofs)
    assert [row.is_accepted for row in proof.comparisons[2:]] == [None, True]
    assert not proof.is_proven


def test_firmware_without_console_is_not_asked_twice() -> None:
    chip = Prover(HELD, is_silent=True)
    assert prove(chip, SECRETS) == {}
    assert len(chip.commands) == 1


@pytest.mark.parametrize(
    "item",
    [
        Item("secrets", "number", ItemType.U8, 1),
        Item("secrets", "x\nfactory-reset", ItemType.STR, "1"),
        Item("secrets\r", "x", ItemType.STR, "1"),
    ],
)
def test_what_cannot_be_asked_for_is_not_proven(item: Item) -> None:
    chip = Prover(HELD)
    assert prove(chip, [item]) == {}
    assert chip.commands == []
    assert not compare([*WRITTEN, item], said(*SAID), {}).is_proven


def test_nothing_reported_is_nothing_to_prove() -> None:
    assert not_reported(WRITTEN, said()) == []
    assert all(row.is_secret and not row.is_equal for row in compare(WRITTEN, said()).comparisons)


def test_error_names_the_reported_namespace() -> None:
    report = said(errors=[Event("error", {"code": "ESP_ERR_NVS_NOT_FOUND", "namespace": "ns"})])
    assert not_reported([*WRITTEN, *SECRETS], report) == SECRETS


def test_port_that_is_gone_is_an_error_with_remedy() -> None:
    class Gone(Prover):
        def write(self, data: bytes) -> None:
            raise OSError("unplugged")

    with pytest.raises(PortError, match="unplugged") as caught:
        prove(Gone(HELD), SECRETS)
    assert caught.value.hint


def test_console_is_ready_when_it_says_so() -> None:
    chip = Prover({})
    assert not wait_until_ready(chip)
    chip.answers = [b"I (3) log", format_line({"event": "ready"}).encode()]
    heard = []
    assert wait_until_ready(chip, on_line=heard.append)
    assert [bool(re.match("@fctry", line)) for line in heard] == [False, True]
