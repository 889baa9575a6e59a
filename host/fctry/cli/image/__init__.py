"""Make NVS images and read them back.

fctry image build device.csv -o device.bin
fctry image show device.bin
fctry image check device.bin
"""

COMMANDS = {
    "Commands": {
        "build": "CSV to image",
        "capacity": "how much room a CSV takes, and the smallest partition that holds it",
        "show": "what is in an image, or in a dump of a device's partition",
        "check": "everything that is wrong with images; exit 1 if there is an error",
        "diff": "what differs between two images, by key; exit 1 if anything does",
        "csv": "back to a CSV that builds the same items",
        "keys": "make the keys of an encrypted partition",
        "decrypt": "an encrypted image in plain",
    },
}
