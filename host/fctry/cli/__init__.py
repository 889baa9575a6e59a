"""Unique factory data for ESP32 devices: values, images, flashing, and proof over the serial port.

fctry demo
fctry init my-project
fctry help provision
"""

COMMANDS = {
    "Begin": {
        "demo": "the main job in one go: from the spec to the proof, on simulated boards",
        "init": "give a project what it needs for factory data: component, partition, spec, test",
    },
    "Who gets what": {
        "spec": "say once what each device of a product gets",
        "batch": "an image for each of many devices, and who got what in the ledger",
        "ledger": "who got what: shown, found, exported, checked",
        "label": "labels of devices, with a QR code: SVG, PDF, ZPL",
    },
    "Images and partition tables": {
        "image": "make NVS images, read them back, check them",
        "layout": "check, draw, build and read partition tables",
    },
    "Devices": {
        "provision": "give a device its identity: from the ledger into its flash, and to the proof",
        "record": "what was tried on which device: shown, exported",
        "flash": "flash an NVS image into a device's factory partition, and prove what the firmware reads",
        "verify": "compare what a device holds, and what its firmware reads, with an image; write nothing",
        "board": "serve a simulated board on an RFC2217 port",
        "esptool": "run esptool with the fast RFC2217 client",
    },
    "This program": {
        "help": "the help of a command",
        "docs": "what the documents say of a finding",
        "completion": "what a shell needs to complete commands, options and files",
    },
}
