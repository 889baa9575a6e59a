"""Items that the device suite gives to devices."""

from fctry.nvs import Item, ItemType
from fctry.nvs.item import FLOATS, NUMBERS, range_of

NAMESPACE = "fctryNamespace"  # what firmware/ is configured for: CONFIG_FACTORY_DATA_NAMESPACE

# Espressif's article "Creating Unique Factory Data Images"
ARTICLE = (
    Item(NAMESPACE, "serial_number", ItemType.STR, "164589345735"),
    Item(NAMESPACE, "mac_addr", ItemType.STR, "0A:0B:0C:0D:0E:0F"),
)

LIMITS = [
    Item(NAMESPACE, f"{kind.value}_{name}", kind, value)
    for kind in NUMBERS
    if kind not in FLOATS
    for name, value in zip(("min", "max"), range_of(kind), strict=True)
]
