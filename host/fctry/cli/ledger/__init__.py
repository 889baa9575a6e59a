"""Who got what: the ledger shown, searched, exported and checked.

fctry ledger show
fctry ledger find SN0000001G
fctry ledger verify
"""

COMMANDS = {
    "Commands": {
        "create": "make a ledger, and say where its private key lies",
        "show": "devices and their states",
        "find": "which device has this value, or this chip",
        "history": "what happened, to one device or to all",
        "export": "all devices as CSV or JSON lines; secrets only with the private key",
        "scrap": "a device goes to the bin, and its values with it",
        "verify": "whether journal and devices are what was written",
        "upgrade": "bring the ledger's schema to this version's",
        "reveal": "the secrets of a device, with the private key; it is noted who looked",
        "accept-restore": "go on with a backup that was put back, behind what was handed out",
    },
}
