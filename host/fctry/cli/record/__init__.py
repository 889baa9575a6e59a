"""Show the records of tries, and write them for other systems.

fctry record show 17
fctry record export -o records/
"""

COMMANDS = {
    "Commands": {
        "show": "every try on a device, step by step",
        "export": "all records: JSON, JSON lines, JUnit, OpenHTF and a page to read",
        "schema": "the JSON Schema of a record",
    }
}
