"""The plugin in a project that is not this one, each as a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pytest_server import NAMED_ONLY, RunPytest, environment_of_pytest

TABLE = """nvs,   data, nvs,     0x9000,  0x6000,
unique,  data, nvs,     0x10000, 0x3000, readonly
factory, app,  factory, 0x20000, 1M,
"""
SDKCONFIG = 'CONFIG_FACTORY_DATA_PARTITION_LABEL="unique"\nCONFIG_FACTORY_DATA_NAMESPACE="lamp"\n'
ITEMS = """
import pytest
from fctry.nvs import Item, ItemType, encode
PASSWORD, PIN = "hunter2-and-" * 6, bytes(range(65, 97))
ITEMS = [Item("lamp", "serial", ItemType.STR, "L-0001"), Item("secrets", "password", ItemType.STR, PASSWORD),
         Item("secrets", "pin", ItemType.BLOB, PIN)]
def image_for(device):
    return encode(ITEMS, device.partition.size_bytes)
"""
OVERRIDE = "import pytest\n@pytest.fixture\ndef parametrize_fixtures(): pass\n"
PLAIN = "def test_a(request): assert 'close_factory_duts' not in request.fixturenames\n"
FCTRY = ("-p", "no:cacheprovider", "-p", "fctry.pytest_plugin")
EMBEDDED = (*FCTRY, "-p", "pytest_embedded.plugin")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_pytest(tmp_path: Path, run_pytest: RunPytest) -> Run:
    """Runs pytest in a project that is a table, an sdkconfig and one file of tests."""
    (tmp_path / "partitions.csv").write_text(TABLE)
    (tmp_path / "sdkconfig.defaults").write_text(SDKCONFIG)

    def run(tests: str, *arguments: str, has_embedded: bool = True) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_lamp.py").write_text(tests)
        return run_pytest(*(EMBEDDED if has_embedded else FCTRY), *arguments, cwd=tmp_path)

    return run


def test_board_is_the_projects_own_and_failures_say_what_came_and_no_secret(
    run_pytest: Run, tmp_path: Path
) -> None:
    tests = """
import sys
import pytest_embedded.dut_factory

def test_names_and_table_are_those_of_the_project(factory_device):
    assert factory_device.flash_factory(image_for(factory_device)).values() == {("lamp", "serial"): "L-0001"}
    assert "sqlalchemy" not in sys.modules  # who has no ledger does not wait for it
    assert factory_device.dut.pexpect_proc.delayafterread > 0.001  # nor burns a core while a device is silent
    assert pytest_embedded.dut_factory._ctx.get_start_method() == "forkserver"  # nor loads a Python for its log

def test_key(factory_device):
    image = image_for(factory_device)
    report = factory_device.flash_factory(image)
    assert report.values()["lamp", "colour"] == "red"

def test_event(factory_device):
    image, password = image_for(factory_device), PASSWORD
    factory_device.flash_factory(image)
    print(password)
    factory_device.expect_event("nonsense", timeout_s=0.3)

def test_bytes(factory_device):
    factory_device.flash_factory(image_for(factory_device))
    assert factory_device.read_partition() == PIN

@pytest.fixture
def lamp_tester():
    yield
    raise OSError("the lamp tester is gone")  # after the device

def test_teardown(lamp_tester, factory_device):
    factory_device.flash_factory(image_for(factory_device))

def test_count_may_be_one(factory_devices):
    assert len(factory_devices) == 1

def test_without_a_device_needs_no_fixture_of_devices(request):
    assert not {"port", "close_factory_duts"} & {*request.fixturenames}

def test_port_that_is_asked_for(port, request):
    assert "close_factory_duts" in request.fixturenames
"""
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "conftest.py").write_text(OVERRIDE)
    (tmp_path / "plain" / "test_plain.py").write_text(PLAIN)
    done = run_pytest(
        ITEMS + tests, "--board", "native", "-vv", "--showlocals", "--junit-xml=junit.xml", "-W", "error"
    )
    junit = (tmp_path / "junit.xml").read_text()
    for told in (done.stdout, junit):
        assert "the firmware reported no lamp:colour; reported were: lamp:serial" in told
        assert "the firmware did not say nonsense within 0.3 s" in told
        assert "report lines that came" in told
        assert "Loaded app from partition" in told  # the console
        assert "the lamp tester is gone" in told
        assert "hunter2" not in told
        assert "ABCDEFGHIJKLMNOPQRSTUVWXYZ" not in told.replace("\n", "").replace("' b'", "")
    assert "device.py" not in done.stdout  # the library's own lines explain nothing
    assert "3 failed, 6 passed" in done.stdout
    assert "1 error in" in done.stdout


def test_what_is_lacking_is_an_error_that_says_what_to_add(run_pytest: Run) -> None:
    test = "def test_a(factory_device): factory_device.reset()\n"
    for has_embedded, remedy in [
        (True, "no board was chosen: `pytest --board native`"),
        (False, "needs pytest-embedded"),
    ]:
        done = run_pytest(test, has_embedded=has_embedded)
        assert done.returncode == 1
        assert remedy in done.stdout
        assert "1 error" in done.stdout
    done = run_pytest(test, "--board", "native", has_embedded=False)
    assert done.returncode == 4
    assert done.stderr == (
        "ERROR: --board native needs pytest-embedded, which is installed and not loaded: -p pytest_embedded.plugin\n\n"
    )


@pytest.mark.parametrize("has_embedded", [False, True])
def test_project_that_asks_for_nothing_sees_nothing(run_pytest: Run, has_embedded: bool) -> None:
    test = "def test_a(request): assert not [n for n in request.fixturenames if 'fctry' in n]\n"
    done = run_pytest(test, "-W", "error", has_embedded=has_embedded)
    assert done.returncode == 0, done.stdout
    assert "warning" not in done.stdout
    assert "layout of the devices" not in done.stdout
    assert "board:" not in done.stdout


def test_own_use_of_an_experimental_fixture_is_warned_of(run_pytest: Run) -> None:
    test = "def test_a(record_xml_attribute): record_xml_attribute('a', 'b')\n"
    assert "record_xml_attribute is an experimental feature" in run_pytest(test).stdout


def test_options_that_a_project_has_itself_stay_its_own(run_pytest: Run, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "def pytest_addoption(parser):\n"
        "    for name in ('board', 'partitions', 'partition', 'chip', 'yes', 'layouts', 'flash-size', 'sdkconfig'):\n"
        "        parser.addoption(f'--{name}')\n"
    )
    test = "def test_a(pytestconfig): assert pytestconfig.getoption('board') == 'mine'\n"
    done = run_pytest(test, "--board", "mine", "--partitions", "x")
    assert done.returncode == 0, done.stdout + done.stderr
    done = run_pytest("def test_b(factory_device): factory_device.reset()\n", "--fctry-board", "native")
    assert "1 passed" in done.stdout, done.stdout


SLEEPER = (
    "import pathlib, time\ndef test_a(factory_device):\n    pathlib.Path('on').touch(); time.sleep(60)\n"
)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("number", "workers"),
    [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, 1)],
)
def test_nothing_is_left_of_a_run_that_was_ended(
    tmp_path: Path, number: signal.Signals, workers: int
) -> None:
    (tmp_path / "partitions.csv").write_text(TABLE)
    (tmp_path / "sdkconfig.defaults").write_text(SDKCONFIG)
    (tmp_path / "test_sleep.py").write_text(SLEEPER)
    command = [
        sys.executable,
        "-m",
        "pytest",
        *EMBEDDED,
        "-p",
        "xdist.plugin",
        "--board",
        "native",
        f"-n{workers}",
    ]
    environment = environment_of_pytest(**NAMED_ONLY, TMPDIR=str(tmp_path))
    # a suite in the background hands on that it ignores Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    family: set[int] = set()
    try:
        _wait(lambda: (tmp_path / "on").exists())
        family = _family(process.pid)
        assert any("fctry.elf" in _command(pid) for pid in family)  # the chip's firmware
        assert any("multiprocessing" in _command(pid) for pid in family)  # pytest-embedded's
        process.send_signal(number)
        process.wait(timeout=90)
        _wait(lambda: not any(map(_command, family)))
    finally:
        for pid in filter(_command, family):
            os.kill(pid, signal.SIGKILL)
    assert not list((tmp_path / "pytest-embedded").glob("*"))
    _wait(lambda: not list(tmp_path.glob("pymp-*")))  # of multiprocessing's sockets


def _family(pid: int) -> set[int]:
    """A process and all that it and its children have started."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    family = {pid}
    while more := {one for one, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _command(pid: int) -> str:
    """What a process runs, nothing once it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _wait(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.05)
