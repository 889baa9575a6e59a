"""The chips that a board can carry, as data: who they are, where their registers lie, what their ROM says.

Source: esptool 5.6.0, esptool/targets/esp32*.py (registers, eFuse words); boot logs of the chips (ROM text);
ESP-IDF v5.5.5 components/bootloader_support/include/esp_app_format.h (image chip ids),
tools/idf_py_actions/qemu_ext.py (QEMU's options, strapping modes, size of the eFuse file, revisions) and
components/efuse/esp32*/esp_efuse_table.csv (places of MAC, its CRC and revisions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from fctry.errors import InputError


@dataclass(frozen=True)
class SpiRegisters:
    """SPI1, the controller that the flash hangs on. Offsets are from `base`."""

    base: int
    usr2: int
    w0: int
    address_bits_are_msb_first: bool  # the address register is left-aligned


@dataclass(frozen=True)
class RomText:
    """What the mask ROM prints on UART0."""

    banner: str
    flash_boot: str
    download_boot: str
    power_on: str
    software_reset: str


@dataclass(frozen=True)
class QemuEfuses:
    """The file of eFuses that QEMU reads, in 32-bit words: its size, the first of the two words with the MAC address,
    whether the MAC's CRC stands in the second, and the words that tell the revision.
    """

    size_bytes: int
    mac_word: int
    has_mac_crc: bool
    revision: Mapping[int, int]


@dataclass(frozen=True)
class Qemu:
    """What Espressif's QEMU needs to be told for a chip. In the strapping mode `download_strap` the ROM waits.

    `package` is that of ESP-IDF's idf_tools.py. `is_paced`: in download, input has to wait until it is taken.
    """

    program: str
    package: str
    download_strap: int
    efuses: QemuEfuses
    options: tuple[str, ...] = ()
    is_paced: bool = False  # the UART of the later chips wakes the guest for a full FIFO only


@dataclass(frozen=True)
class ChipKind:
    """One kind of chip. `image_chip_id` stands in application images; `drom_address` is where flash data is mapped.

    `registers` hold what esptool reads and no default of 0 will do; `mac_register` is the first of the two words with
    the MAC address, the upper half of the second one is `mac_extension`.
    """

    name: str
    image_chip_id: int
    drom_address: int
    mac_register: int
    spi: SpiRegisters
    rom: RomText
    uart_clkdiv_register: int
    mac_extension: int = 0
    has_security_info: bool = True
    registers: Mapping[int, int] = field(default_factory=dict)
    qemu: Qemu | None = None  # where QEMU emulates it


_ESP32_SPI = SpiRegisters(base=0x3FF42000, usr2=0x24, w0=0x80, address_bits_are_msb_first=True)

_ESP32 = ChipKind(
    name="esp32",
    image_chip_id=0,
    drom_address=0x3F400000,
    mac_register=0x3FF5A004,
    spi=_ESP32_SPI,
    rom=RomText(
        banner="ets Jul 29 2019 12:21:46\r\n\r\n",
        flash_boot="boot:0x13 (SPI_FAST_FLASH_BOOT)",
        download_boot="boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))",
        power_on="rst:0x1 (POWERON_RESET)",
        software_reset="rst:0xc (SW_CPU_RESET)",
    ),
    uart_clkdiv_register=0x3FF40014,
    has_security_info=False,
    registers=MappingProxyType(
        {
            0x40001000: 0x00F01D83,  # the ROM word by which esptool tells the older chips apart
            0x3FF5A00C: 1 << 15 | 1 << 9,  # eFuse word 3: revision bit 0, package ESP32-D0WD
            0x3FF5A010: 128,  # eFuse word 4: EFUSE_RD_CK8M_FREQ, with the next one a 40 MHz crystal
            0x3FF5A014: 1 << 20,  # eFuse word 5: revision bit 1
            0x3FF5F06C: 800 << 7,  # RTCCALICFG1: 800 * 15625 * 128 / 40 = 40 MHz
            0x3FF6607C: 1 << 31,  # APB_CTRL_DATE: revision bit 2, so v3.0
        }
    ),
    qemu=Qemu(
        program="qemu-system-xtensa",
        package="qemu-xtensa",
        download_strap=0x0F,
        efuses=QemuEfuses(124, 1, True, {3: 1 << 15, 5: 1 << 20}),  # v3.0, with the third bit that QEMU sets
        options=("-m", "4M"),
        is_paced=True,
    ),
)

_ESP32S3 = ChipKind(
    name="esp32s3",
    image_chip_id=9,
    drom_address=0x3C000000,
    mac_register=0x60007044,
    spi=SpiRegisters(base=0x60002000, usr2=0x20, w0=0x58, address_bits_are_msb_first=False),
    rom=RomText(
        banner="ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\n",
        flash_boot="boot:0x8 (SPI_FAST_FLASH_BOOT)",
        download_boot="boot:0x0 (DOWNLOAD(USB/UART0))",
        power_on="rst:0x1 (POWERON)",
        software_reset="rst:0xc (RTC_SW_CPU_RST)",
    ),
    uart_clkdiv_register=0x60000014,
    registers=MappingProxyType({0x60007050: 2 << 18}),  # eFuse block 1 word 3: revision v0.2
    qemu=Qemu(
        program="qemu-system-xtensa",
        package="qemu-xtensa",
        download_strap=0x07,
        efuses=QemuEfuses(1024, 6, False, {9: 3 << 18}),  # v0.3
        options=("-m", "32M"),
    ),
)

_ESP32C3 = ChipKind(
    name="esp32c3",
    image_chip_id=5,
    drom_address=0x3C000000,
    mac_register=0x60008844,
    spi=SpiRegisters(base=0x60002000, usr2=0x20, w0=0x58, address_bits_are_msb_first=False),
    rom=RomText(
        banner="ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\n",
        flash_boot="boot:0xc (SPI_FAST_FLASH_BOOT)",
        download_boot="boot:0x4 (DOWNLOAD(USB/UART0/1))",
        power_on="rst:0x1 (POWERON)",
        software_reset="rst:0xc (RTC_SW_CPU_RST)",
    ),
    uart_clkdiv_register=0x60000014,
    registers=MappingProxyType({0x60008850: 4 << 18}),  # eFuse block 1 word 3: revision v0.4
    qemu=Qemu(
        program="qemu-system-riscv32",
        package="qemu-riscv32",
        download_strap=0x02,
        efuses=QemuEfuses(1024, 6, False, {9: 3 << 18}),  # v0.3
    ),
)

_ESP32C6 = ChipKind(
    name="esp32c6",
    image_chip_id=13,
    drom_address=0x42000000,
    mac_register=0x600B0844,
    mac_extension=0xFFFE,
    spi=SpiRegisters(base=0x60003000, usr2=0x20, w0=0x58, address_bits_are_msb_first=False),
    rom=RomText(
        banner="ESP-ROM:esp32c6-20220919\r\nBuild:Sep 19 2022\r\n",
        flash_boot="boot:0xc (SPI_FAST_FLASH_BOOT)",
        download_boot="boot:0x4 (DOWNLOAD(USB/UART0/SDIO_REI_FEO))",
        power_on="rst:0x1 (POWERON)",
        software_reset="rst:0xc (SW_CPU)",
    ),
    uart_clkdiv_register=0x60000014,
    registers=MappingProxyType({0x600B0850: 1 << 18}),  # eFuse block 1 word 3: revision v0.1
)

CHIPS: Mapping[str, ChipKind] = MappingProxyType(
    {chip.name: chip for chip in (_ESP32, _ESP32S3, _ESP32C3, _ESP32C6)}
)


def chip_named(name: str) -> ChipKind:
    """The chip of that name, as ESP-IDF's IDF_TARGET spells it. Raises InputError."""
    if name not in CHIPS:
        raise InputError(f"no simulated chip is called {name!r}", hint=f"choose one of {', '.join(CHIPS)}")
    return CHIPS[name]
