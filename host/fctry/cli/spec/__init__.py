"""Say once what each device of a product gets.

fctry spec new -o factory.toml     the default product, with comments
fctry spec check factory.toml      everything that is wrong with it, before the first device
fctry spec show factory.toml       an example device
fctry spec schema                  for editors, to complete and check it
"""

COMMANDS = {
    "Commands": {
        "new": "write a factory spec to begin with",
        "check": "everything that is wrong with a spec; exit 1 if there is an error",
        "show": "an example device, secrets masked",
        "schema": "the JSON Schema of a spec",
    },
}
