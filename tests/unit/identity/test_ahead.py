"""What takes long is made by several processes, in order, and no secret shows on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from fctry.identity import ahead
from fctry.identity.ahead import Ahead
from fctry.identity.draft import Context, Draft
from fctry.identity.sources.certificate import Certificate
from fctry.identity.sources.source import Given
from fctry.nvs.item import Value
from tests.unit.identity.conftest import NOW, Lamps
from tests.unit.identity.slow import HOMEKIT, Slow, SlowToDraw


def test_numbers_come_in_order_and_from_several_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "WORTH_S", 0.02)
    made, processes = [], set[int]()
    with Ahead(Slow(), 2) as slow:
        for number, one in slow.prepared(count(1)):
            made.append(number)
            processes.add(one["process"])
            if len(processes - {os.getpid()}) == 2:
                break
    assert made == list(range(1, len(made) + 1))
    assert not multiprocessing_children()


def test_devices_are_drawn_in_order_and_by_several_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "WORTH_S", 0.02)
    with Ahead(Slow(), 2) as slow:
        drawn: list[Draft] = []

        def draw() -> Value:
            numbers = range(len(drawn), len(drawn) + 15)
            drawn.extend(slow.draw_each([{"serial": number} for number in numbers], [NOW] * 15))
            return drawn[-1].values["s:process"]

        while len({one.values["s:process"] for one in drawn} - {os.getpid()}) < 2:
            draw()
        os.kill(int(draw()), signal.SIGKILL)
        assert draw() == os.getpid()
    assert [one.values["s:serial"] for one in drawn] == list(range(len(drawn)))
    assert not multiprocessing_children()


def test_nothing_is_prepared_here_that_those_who_draw_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "WORTH_S", 0.02)
    with Ahead(SlowToDraw(), 2) as slow:
        assert [one for _, one in slow.prepared(range(2))] == [{"process": os.getpid()}] * 2
        slow.draw_each([{"serial": number} for number in range(10)], [NOW] * 10)
        assert [one for _, one in slow.prepared(range(2))] == [{}] * 2


def test_process_that_is_killed_costs_time_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "WORTH_S", 0.02)
    made = []
    with Ahead(Slow(), 2) as slow:
        for number, one in slow.prepared(range(1, 41)):
            made.append(number)
            if one["process"] != os.getpid() and len(made) < 20:
                os.kill(one["process"], signal.SIGKILL)
    assert made == list(range(1, 41))


def test_quick_work_begins_no_process_however_much_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    clock_s = count(step=ahead.ONE_S / 2)  # so long takes a device, on a busy machine too
    monkeypatch.setattr(ahead, "time", SimpleNamespace(perf_counter=lambda: next(clock_s)))
    with Ahead(Lamps(), 2) as quick:
        list(quick.prepared(range(round(4 * ahead.WORTH_S / ahead.ONE_S))))
        for start in range(1, 5000, 1000):
            quick.draw_each([{"serial": start + number} for number in range(1000)], [NOW] * 1000)
        assert not multiprocessing_children()


def test_little_work_and_one_core_need_no_process() -> None:
    for preparer, cores in ((Lamps(), 2), (Slow(), 1)):
        with Ahead(preparer, cores) as ahead_of:
            list(ahead_of.prepared(range(4)))
            ahead_of.draw_each([{"serial": 1}] * 4, [NOW] * 4)
            assert not multiprocessing_children()


def multiprocessing_children() -> list[str]:
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    said = [Path(f"/proc/{child}/cmdline").read_bytes().decode() for child in children]
    return [one for one in said if "spawn_main" in one]


def test_prepared_values_are_those_of_the_device_and_drawn_anew_without_them() -> None:
    one = HOMEKIT.prepare()
    context = Context(NOW.now, prepared=one)
    assert HOMEKIT.draw({}, context).secrets == {"s:k": one["h"]["code"], "s:v": one["h"]["verifier"]}
    assert HOMEKIT.draw({}, NOW).secrets != HOMEKIT.draw({}, NOW).secrets


def test_key_that_was_made_ahead_is_the_certificates(tmp_path: Path) -> None:
    source = Certificate(ca_certificate="ca.pem", ca_key="ca.key", subject="CN=x", format="der")
    key = source.prepare()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Certificate, "_signed", lambda self, given, key: Signed())
        drawn = source.draw(Given(0, NOW, {}, tmp_path, key))
    assert drawn["key"] == key


class Signed:
    def public_bytes(self, encoding: object) -> bytes:
        return b""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_processes_end_with_the_one_that_began_them_and_say_no_secret(tmp_path: Path) -> None:
    """Killed while they work."""
    script = tmp_path / "work.py"
    script.write_text(
        "from fctry.identity import ahead\n"
        "from tests.unit.identity.slow import HOMEKIT\n"
        "if __name__ == '__main__':\n"
        "    ahead.WORTH_S = 0.001\n"
        "    for number, one in ahead.Ahead(HOMEKIT, 2).prepared(range(10**6)):\n"
        "        print(one['h']['code'], flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "TMPDIR": str(tmp_path)},
    ) as process:
        assert process.stdout
        codes = {process.stdout.readline().strip() for _ in range(20)}
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) >= 2
        said = b"".join(
            Path(f"/proc/{one}/{name}").read_bytes()
            for one in [str(process.pid), *children]
            for name in ("cmdline", "environ")
        )
        said += b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert not [code for code in codes if code.encode() in said]
        process.send_signal(signal.SIGKILL)
    deadline_s = time.monotonic() + 20
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
