"""Say once what each device of a product gets.

fctry spec new -o lamp.toml
fctry spec check lamp.toml
"""

COMMANDS = {
    "Commands": {
        "new": "write a factory spec to begin with",
        "check": "everything that is wrong with a spec; exit 1 if there is an error",
        "show": "an example device, secrets masked",
        "schema": "the JSON Schema of a spec",
    },
}
