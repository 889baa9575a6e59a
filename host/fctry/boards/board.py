"""A simulated board: a chip with its flash and auto-reset circuit, behind an RFC2217 port."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from fctry.boards.apps import App, find_apps
from fctry.boards.auto_reset import AutoReset, Boot, Held, Released
from fctry.boards.boot import BootLog, ResetReason, choose_app, rom_text
from fctry.boards.bus import Bus
from fctry.boards.chips import chip_named
from fctry.boards.loader import Leave, Loader, Reply
from fctry.boards.native_cpu import Ending, NativeCpu
from fctry.boards.nor_flash import NorFlash, PowerCutError
from fctry.boards.registers import Registers
from fctry.boards.rfc2217_server import LOOPBACK, Rfc2217Server
from fctry.boards.rom_loader import RomLoader
from fctry.boards.slip import Decoder, encode
from fctry.boards.stub_loader import StubLoader
from fctry.errors import InputError

DEFAULT_MAC = bytes.fromhex("240ac4fc7201")
DEFAULT_FLASH_BYTES = 4 * 1024 * 1024
GPIO_BOOT_BUTTON = 0
PANIC_PAUSE_S = (
    0.25  # between reboots of a firmware that panics at once, which would else keep a CPU of the host busy
)


class Board:
    """A board on `rfc2217://127.0.0.1:PORT`, running in threads of this process while it is entered.

    `flash` is the file of its flash, made (erased) if it is absent; `apps` are build folders or ELF files: only what
    one of them holds ever runs, and only if the application image in flash names it. `mac` has 6 bytes; `port` 0 takes
    a free one. Raises InputError or PortError when it cannot be made.
    """

    def __init__(
        self,
        flash: Path,
        apps: Sequence[Path] = (),
        *,
        chip: str = "esp32",
        flash_size_bytes: int = DEFAULT_FLASH_BYTES,
        mac: bytes = DEFAULT_MAC,
        port: int = 0,
    ) -> None:
        if len(mac) != 6:
            raise InputError(
                f"a MAC address has 6 bytes, not {len(mac)}", hint="write it as 24:0a:c4:00:00:01"
            )
        self.chip = chip_named(chip)
        self.mac = mac
        self._apps = find_apps(apps)
        self._lock = threading.RLock()  # guards the following, and is held while the chip does something
        self._auto_reset = AutoReset()
        self._loader: Loader | None = None
        self._slip = Decoder()
        self._cpu: NativeCpu | None = None
        self._cpu_started_at = 0.0
        self._ended_cpus: list[NativeCpu] = []
        self._is_off = threading.Event()
        self._server = Rfc2217Server(self, port)
        try:
            self.flash = NorFlash(flash, flash_size_bytes)
        except BaseException:
            self._server.close()
            raise
        self._registers = Registers(self.chip, mac, flash_size_bytes)

    @property
    def url(self) -> str:
        """The port, as pyserial and esptool take it."""
        return f"rfc2217://{LOOPBACK}:{self._server.port}"

    @property
    def is_boot_button_down(self) -> bool:
        """The BOOT button, which pulls IO0 low. It may be set at any time."""
        return self._auto_reset.is_boot_button_down

    @is_boot_button_down.setter
    def is_boot_button_down(self, is_down: bool) -> None:
        self._auto_reset.is_boot_button_down = is_down

    def __enter__(self) -> Board:
        with self._lock:
            self._start(Boot.FLASH, ResetReason.POWER_ON)
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Switch the board off: no thread, process or open file of it is left."""
        self._is_off.set()
        self._server.close()
        with self._lock:
            self._halt()
            cpus, self._ended_cpus = self._ended_cpus, []
        for cpu in cpus:
            cpu.join()
        self.flash.close()

    # -- the serial line, called by the server

    def set_lines(self, *, rts: bool, dtr: bool) -> None:
        """The port's output lines changed; True is asserted."""
        with self._lock:
            event = self._auto_reset.set_lines(rts=rts, dtr=dtr)
            if isinstance(event, Held):
                self._halt()
            elif isinstance(event, Released):
                self._start(event.boot, ResetReason.POWER_ON)

    def set_baud(self, baud: int) -> None:
        """The ROM measures the baud rate by itself. A wrong one garbles nothing here."""
        with self._lock:
            self._registers.set_baud(baud)

    def receive(self, data: bytes) -> None:
        """Bytes for UART0."""
        with self._lock:
            if self._cpu is not None:
                self._cpu.receive(data)
            elif self._loader is not None:
                for payload in self._slip.feed(data):
                    self._load(payload)

    # -- the chip; the lock is held

    def _halt(self) -> None:
        """EN is low: nothing runs."""
        self._loader = None
        cpu, self._cpu = self._cpu, None
        if cpu is not None:
            cpu.stop()
            self._ended_cpus = [ended for ended in self._ended_cpus if not ended.is_gone]
            self._ended_cpus.append(cpu)

    def _start(self, boot: Boot, reason: ResetReason) -> None:
        """EN is high: the ROM runs, then what it is told to."""
        if self._is_off.is_set():
            return
        self._say(rom_text(self.chip, boot, reason))
        if boot == Boot.DOWNLOAD:
            self._slip = Decoder()
            self._loader = RomLoader(self.chip, self._registers, self.flash)
        else:
            self._run_application(reason)

    def _run_application(self, reason: ResetReason) -> None:
        log = BootLog()
        app = choose_app(self.flash.read, self.flash.size_bytes, self.chip, self._apps, log)
        if app is not None and not app.is_unchanged:
            log.error("boot", f"{app.elf} has changed since the board started: restart the board")
            app = None
        self._say("".join(f"{line}\r\n" for line in log.lines))
        if app is not None:
            self._run(app, reason)

    def _run(self, app: App, reason: ResetReason) -> None:
        bus = Bus(self.flash, self.mac, reason, self._gpio)
        try:
            self._cpu_started_at = time.monotonic()
            self._cpu = NativeCpu(app.elf, bus, on_output=self._server.send, on_end=self._cpu_ended)
        except OSError as error:
            self._say(f"E (0) boot: cannot run {app.elf}: {error.strerror}\r\n")

    def _load(self, payload: bytes) -> None:
        """Give a frame to the loader."""
        if self._loader is None:
            return  # left, by a frame that came together with this one
        try:
            outputs = self._loader.receive(payload)
        except PowerCutError:
            self._halt()
            self._start(self._auto_reset.boot, ResetReason.POWER_ON)
            return
        self._server.send(b"".join(encode(output.payload) for output in outputs if isinstance(output, Reply)))
        for output in outputs:
            if output == Leave.FOR_STUB:
                self._loader = StubLoader(self._registers, self.flash)
            elif output == Leave.FOR_APPLICATION:
                self._halt()
                self._start(Boot.FLASH, ResetReason.POWER_ON)
            elif output == Leave.FOR_DOWNLOAD:
                self._halt()
                self._start(Boot.DOWNLOAD, ResetReason.SOFTWARE)

    # -- called by the CPU's threads

    def _cpu_ended(self, cpu: NativeCpu, ending: Ending) -> None:
        if ending.reason == ResetReason.PANIC and time.monotonic() - self._cpu_started_at < PANIC_PAUSE_S:
            self._is_off.wait(PANIC_PAUSE_S)
        with self._lock:
            if self._cpu is not cpu:
                return  # it was reset meanwhile
            self._say(ending.text)
            self._halt()
            # only when the power comes back are the strapping pins sampled
            boot = self._auto_reset.boot if ending.reason == ResetReason.POWER_ON else Boot.FLASH
            self._start(boot, ending.reason)

    def _gpio(self, number: int) -> bool:
        """Level of a pin; the pull-ups are on."""
        return number != GPIO_BOOT_BUTTON or not self._auto_reset.is_io0_low

    def _say(self, text: str) -> None:
        if text:
            self._server.send(text.encode())
