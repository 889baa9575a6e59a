"""How long one try may take at most: the sum of what each part waits for. Whoever takes longer hangs.

Source: esptool 5, loader.py: DEFAULT_TIMEOUT, WRITE_BLOCK_ATTEMPTS, ERASE_WRITE_TIMEOUT_PER_MB, MD5_TIMEOUT_PER_MB,
connect_attempts; a stub takes blocks of 16 KiB.
"""

from __future__ import annotations

CONNECT_S = 30.0  # 7 attempts; twice, for a device that is asked by its firmware before it is written
COMMAND_S = 3.0
COMMANDS = 60  # beside those of blocks and sectors
BLOCK_BYTES, BLOCK_ATTEMPTS = 0x4000, 3
SECTOR_BYTES = 0x1000
ERASE_S_PER_MB, MD5_S_PER_MB = 40.0, 8.0
BITS_PER_BYTE = 10  # on the wire
STARTS = 3  # of the firmware: before it is written, after it, and sealed


def bound_s(
    app_bytes: int, partition_bytes: int, *, baud: int, report_timeout_s: float, tests_s: float
) -> float:
    """Seconds for one try that writes all of these, at this baud rate, with tests that take so long at most."""
    written = app_bytes + 2 * partition_bytes  # sealed, it is written once more
    megabytes = written / (1 << 20)
    commands = COMMANDS + 2 * partition_bytes // SECTOR_BYTES
    return (
        2 * CONNECT_S
        + COMMAND_S * (commands + BLOCK_ATTEMPTS * -(-written // BLOCK_BYTES))
        + megabytes * (ERASE_S_PER_MB + 3 * MD5_S_PER_MB)
        + BLOCK_ATTEMPTS * written * BITS_PER_BYTE / baud
        + STARTS * report_timeout_s
        + tests_s
    )
