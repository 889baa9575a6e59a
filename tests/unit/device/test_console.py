"""Commands, their answers and proofs, without a board."""

import shlex
from collections.abc import Callable
from typing import NoReturn

import pytest

from fctry.device import Console, Deadline, FakeConsole
from fctry.errors import DeviceError, PortError, ReportError
from fctry.nvs import Item, ItemType

SERIAL = Item("fctryNamespace", "serial", ItemType.STR, "1")
PASSWORD = Item("secrets", "password", ItemType.STR, "correct horse")
PIN = Item("secrets", 'a "pin"\\', ItemType.BLOB, b"\0\xff\x10\xa5")
SECRETS = [PASSWORD, PIN]


def soon() -> Deadline:
    return Deadline.after(1)


def test_report_then_readiness_then_answers() -> None:
    console = Console(FakeConsole([SERIAL]))
    assert console.report("fctry", soon()).values() == {("fctryNamespace", "serial"): "1"}
    assert not console.is_ready
    answer = console.ask("factory", soon())
    assert console.is_ready
    assert answer.result == "ESP_OK"
    assert answer.report("fctry").values() == {("fctryNamespace", "serial"): "1"}
    assert console.ask("nonsense", soon()).result == "ESP_ERR_NOT_FOUND"


def test_every_line_is_heard() -> None:
    wire, heard = FakeConsole([SERIAL]), []
    wire.said.appendleft(b"I (3) log")
    assert Console(wire, heard.append).wait_until_ready(soon())
    assert heard[0] == "I (3) log"
    assert len(heard) == 5


def test_restart_takes_the_readiness_away() -> None:
    wire = FakeConsole()
    console = Console(wire)
    assert console.wait_until_ready(soon())
    wire.say("boot")
    assert console.expect(["boot"], soon()).name == "boot"
    assert not console.is_ready


def test_ids_and_challenges_are_never_the_same() -> None:
    wire = FakeConsole(SECRETS)
    console = Console(wire)
    assert console.prove([PASSWORD] * 20, soon()) == {("secrets", "password", "str"): True}
    commands = [shlex.split(line) for line in wire.sent]
    assert len({mark for *_, mark in commands}) == 20
    assert len({challenge for *_, challenge, _, _ in commands}) == 20
    assert {len(bytes.fromhex(challenge)) for *_, challenge, _, _ in commands} == {32}


def test_secrets_are_proven_whatever_their_names() -> None:
    assert Console(FakeConsole(SECRETS)).prove(SECRETS, soon()) == {
        ("secrets", PASSWORD.key, "str"): True,
        ("secrets", PIN.key, "blob"): True,
    }


def test_other_value_is_refused_and_what_is_not_there_has_no_proof() -> None:
    held = [Item("secrets", "password", ItemType.STR, "correct hors")]
    assert Console(FakeConsole(held)).prove([PIN, PASSWORD], soon()) == {
        ("secrets", "password", "str"): False
    }


def test_answer_to_somebody_else_is_none() -> None:
    wire = FakeConsole(is_silent=True)
    wire.say("proof", id="guessed", hmac="00" * 32)
    wire.say("done", id="guessed", result="ESP_OK")
    console = Console(wire)
    assert console.prove(SECRETS, soon()) == {}
    assert len(wire.sent) == 1  # silent once is not asked again


@pytest.mark.parametrize(
    "item",
    [
        Item("secrets", "x\nfactory-reset", ItemType.STR, "1"),
        Item("secrets\r", "x", ItemType.STR, "1"),
    ],
)
def test_what_cannot_be_asked_for_is_not_asked(item: Item) -> None:
    wire = FakeConsole([item])
    assert Console(wire).prove([item], soon()) == {}
    assert wire.sent == []


@pytest.mark.parametrize(
    ("ask", "what"),
    [
        (lambda console: console.report("other", soon()), "has not reported the partition 'other'"),
        (lambda console: console.expect(["other"], soon()), "say other"),
        (lambda console: console.ask("help me", soon()), "answer the command help within 1 s"),
    ],
)
def test_what_does_not_come_is_an_error_with_remedy(ask: Callable[[Console], object], what: str) -> None:
    with pytest.raises(DeviceError, match=what) as caught:
        ask(Console(FakeConsole(is_silent=True)))
    assert caught.value.hint


def test_damaged_line_is_an_error_of_the_report() -> None:
    wire = FakeConsole([SERIAL])
    wire.said[1] = wire.said[1].replace(b"serial", b"Serial")
    with pytest.raises(ReportError, match="CRC"):
        Console(wire).report("fctry", soon())


def test_port_that_is_gone_is_an_error() -> None:
    class Gone(FakeConsole):
        def send(self, data: bytes) -> NoReturn:
            raise PortError("unplugged")

    with pytest.raises(PortError, match="unplugged"):
        Console(Gone(SECRETS)).prove(SECRETS, soon())


def test_deadline_ends_once_and_for_all() -> None:
    deadline = Deadline.after(0)
    assert (deadline.remaining_s, deadline.is_expired) == (0, True)
    assert 9 < Deadline.after(10).remaining_s <= 10


def test_firmware_that_is_ready_without_a_report_is_not_waited_for() -> None:
    with pytest.raises(
        DeviceError, match="has not reported the partition 'factory_nvs', but 'fctry'"
    ) as caught:
        Console(FakeConsole([SERIAL])).report("factory_nvs", soon())
    assert "CONFIG_FACTORY_DATA_PARTITION_LABEL" in caught.value.hint
    wire = FakeConsole()
    wire.said.clear()
    wire.say("ready")
    with pytest.raises(DeviceError, match="is ready and has not reported") as caught:
        Console(wire).report("fctry", soon())
    assert "factory_data_report" in caught.value.hint


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([b"E (0) boot: No bootable app partitions in the partition table"], "no application"),
        ([b"invalid header: 0xffffffff"], "no application"),
        ([b"rst:0x1 (POWERON_RESET),boot:0x13", b"Guru Meditation Error"] * 4, "has started 4 times"),
    ],
)
def test_device_that_cannot_report_is_not_waited_for(lines: list[bytes], message: str) -> None:
    wire = FakeConsole([SERIAL])
    wire.said.extendleft(reversed(lines))
    with pytest.raises(DeviceError, match=message) as caught:
        Console(wire).report("fctry", soon())
    assert caught.value.hint


def test_device_that_restarts_twice_may_still_report() -> None:
    wire = FakeConsole([SERIAL])
    wire.said.extendleft([b"rst:0x1 (POWERON_RESET),boot:0x13"] * 3)
    assert Console(wire).report("fctry", soon()).is_complete
