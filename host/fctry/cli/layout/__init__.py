"""Partition tables: check a CSV before a device does, draw it, build its binary, and read one back.

fctry layout check partitions.csv
fctry layout check partitions.csv --build build --against released.csv --strict
fctry layout show partitions.csv --svg partitions.svg
fctry layout build partitions.csv -o partition-table.bin
fctry layout read flash-dump.bin
"""

COMMANDS = {
    "Commands": {
        "check": "say what is wrong with a table",
        "show": "draw a map of the flash",
        "build": "make the binary table from a CSV",
        "read": "show a binary table as CSV",
    },
}
