"""Partition tables: check a CSV before a device does, draw it, build its binary, and read one back.

fctry layout check partitions.csv
fctry layout show partitions.csv
"""

COMMANDS = {
    "Commands": {
        "check": "say what is wrong with a table",
        "show": "draw a map of the flash",
        "build": "make the binary table from a CSV",
        "read": "show a binary table as CSV",
    },
}
