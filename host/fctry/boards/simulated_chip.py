"""A chip: its ROM, what the ROM starts, and what happens when that ends."""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from fctry.boards.chip.apps import App
from fctry.boards.chip.boot import BootLog, choose_app, rom_text
from fctry.boards.chip.chips import ChipKind
from fctry.boards.chip.loader import Leave, Loader, Reply
from fctry.boards.chip.loader_wire import Request
from fctry.boards.chip.nor_flash import NorFlash
from fctry.boards.chip.registers import Registers
from fctry.boards.chip.rom_loader import RomLoader
from fctry.boards.chip.slip import Decoder, encode
from fctry.boards.chip.start_faults import BootLoop, Silent, StartFaults
from fctry.boards.chip.stub_loader import StubLoader
from fctry.boards.cpu.bus import Bus
from fctry.boards.cpu.native_cpu import Ending, NativeCpu
from fctry.boards.faults import PowerCutError
from fctry.boards.port.auto_reset import AutoReset
from fctry.boards.reset import Boot, ResetReason
from fctry.partitions.table import TABLE_OFFSET

GPIO_BOOT_BUTTON = 0
PANIC_PAUSE_S = 0.25  # after a panic right at the start, so that such a firmware does not keep the host busy


class SimulatedChip:
    """The machine of a simulated board. It says on UART0 what it has to say with `say`, and closes `flash`.

    `apps` are those that it may run, by their ELF's SHA-256. `circuit` tells the level of IO0. `commands` counts what
    its loaders were asked for, by `Op`.
    """

    def __init__(
        self,
        chip: ChipKind,
        mac: bytes,
        flash: NorFlash,
        apps: Mapping[bytes, App],
        circuit: AutoReset,
        say: Callable[[bytes], None],
        table_offset: int = TABLE_OFFSET,
        *,
        start_faults: StartFaults,
        is_secure: bool = False,
    ) -> None:
        self._start_faults = start_faults
        self._is_secure = is_secure
        self.commands: Counter[int] = Counter()
        self._table_offset = table_offset
        self._chip = chip
        self._mac = mac
        self._flash = flash
        self._apps = apps
        self._circuit = circuit
        self._say = say
        self._registers = Registers(chip, mac, flash.size_bytes, flash.unique_id)
        self._lock = threading.RLock()  # guards the following, and is held while the chip does something
        self._loader: Loader | None = None
        self._slip = Decoder()
        self._cpu: NativeCpu | None = None
        self._cpu_started_at = 0.0
        self._ended_cpus: list[NativeCpu] = []
        self._is_off = threading.Event()

    def start(self, boot: Boot) -> None:
        """EN rises: the ROM runs, then what IO0 tells it to."""
        with self._lock:
            self._run_rom(boot, ResetReason.POWER_ON)

    def halt(self) -> None:
        """EN falls: nothing runs."""
        with self._lock:
            self._loader = None
            cpu, self._cpu = self._cpu, None
            if cpu is not None:
                cpu.stop()
                self._ended_cpus = [ended for ended in self._ended_cpus if not ended.is_gone]
                self._ended_cpus.append(cpu)

    def receive(self, data: bytes) -> None:
        """Bytes for UART0."""
        with self._lock:
            if self._cpu is not None:
                self._cpu.receive(data)
            elif self._loader is not None:
                for payload in self._slip.feed(data):
                    self._load(payload)

    def set_baud(self, baud: int) -> None:
        """The ROM measures the baud rate by itself. A wrong one garbles nothing here."""
        with self._lock:
            self._registers.set_baud(baud)

    def close(self) -> None:
        """Switch off."""
        self._is_off.set()
        self.halt()
        with self._lock:
            cpus, self._ended_cpus = self._ended_cpus, []
        for cpu in cpus:
            cpu.join()
        self._flash.close()

    # -- the lock is held

    def _run_rom(self, boot: Boot, reason: ResetReason) -> None:
        if self._is_off.is_set():
            return
        self._start_faults.next()
        if self._start_faults.has(Silent):
            return
        self._say(rom_text(self._chip, boot, reason).encode())
        if boot == Boot.DOWNLOAD:
            self._slip = Decoder()
            self._loader = RomLoader(self._chip, self._registers, self._flash, is_secure=self._is_secure)
        else:
            self._run_application(reason)

    def _run_application(self, reason: ResetReason) -> None:
        log = BootLog()
        try:
            app = choose_app(self._flash, self._chip, self._apps, log, table_offset=self._table_offset)
        except PowerCutError:
            self._run_rom(self._circuit.boot, ResetReason.POWER_ON)
            return
        if app is not None and not app.is_unchanged:
            log.error("boot", f"{app.elf} has changed since the board started: restart the board")
            app = None
        self._say("".join(f"{line}\r\n" for line in log.lines).encode())
        if app is not None:
            self._run(app, reason)

    def _run(self, app: App, reason: ResetReason) -> None:
        bus = Bus(self._flash, self._mac, reason, self._gpio, self._table_offset)
        crashing = shutil.which("false") if self._start_faults.has(BootLoop) else None
        elf = Path(crashing) if crashing else app.elf
        try:
            self._cpu_started_at = time.monotonic()
            self._cpu = NativeCpu(elf, bus, on_output=self._say, on_end=self._cpu_ended)
        except OSError as error:
            self._say(f"E (0) boot: cannot run {app.elf}: {error.strerror}\r\n".encode())

    def _load(self, payload: bytes) -> None:
        """Give a frame to the loader."""
        if self._loader is None:
            return  # left, by a frame that came together with this one
        if request := Request.unpack(payload):
            self.commands[request.op] += 1
        try:
            outputs = self._loader.receive(payload)
        except PowerCutError:
            self.halt()
            self._run_rom(self._circuit.boot, ResetReason.POWER_ON)
            return
        self._say(b"".join(encode(output.payload) for output in outputs if isinstance(output, Reply)))
        for output in outputs:
            if output == Leave.FOR_STUB:
                self._loader = StubLoader(self._registers, self._flash)
            elif output == Leave.FOR_APPLICATION:
                self.halt()
                self._run_rom(Boot.FLASH, ResetReason.POWER_ON)
            elif output == Leave.FOR_DOWNLOAD:
                self.halt()
                self._run_rom(Boot.DOWNLOAD, ResetReason.SOFTWARE)

    # -- called by the CPU's threads

    def _cpu_ended(self, cpu: NativeCpu, ending: Ending) -> None:
        if ending.reason == ResetReason.PANIC and time.monotonic() - self._cpu_started_at < PANIC_PAUSE_S:
            self._is_off.wait(PANIC_PAUSE_S)
        with self._lock:
            if self._cpu is not cpu:
                return  # it was reset meanwhile
            self._say(ending.text.encode())
            self.halt()
            # only when the power comes back are the strapping pins sampled
            boot = self._circuit.boot if ending.reason == ResetReason.POWER_ON else Boot.FLASH
            self._run_rom(boot, ending.reason)

    def _gpio(self, number: int) -> bool:
        """Level of a pin; the pull-ups are on."""
        return number != GPIO_BOOT_BUTTON or not self._circuit.is_io0_low
