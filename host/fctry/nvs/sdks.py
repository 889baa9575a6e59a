"""SDKs that read factory data of their own: from which namespace and partition, as which types, of which sizes.

Source: esp-rainmaker 01e39289, components/esp_rainmaker/src/core (esp_rmaker_client_data.h, esp_rmaker_claim.c), and
rmaker_common's esp_rmaker_factory.c; connectedhomeip, src/platform/ESP32 (ESP32Config.cpp,
ESP32FactoryDataProvider.cpp, ConfigurationManagerImpl.cpp); esp-homekit-sdk 0cc36d08,
components/homekit/esp_hap_core/src/esp_hap_database.c. docs/sdks.md has the calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from fctry.nvs.item import ItemType


class Read(NamedTuple):
    """How a key is read. The sizes in bytes are of strings, without their NUL, and blobs."""

    type: ItemType
    smallest: int = 0
    largest: int = 508_000

    @property
    def encodings(self) -> str:
        """What a CSV or a spec says for it."""
        return {ItemType.STR: "string", ItemType.BLOB: "binary, hex2bin or base64"}.get(
            self.type, self.type.value
        )


@dataclass(frozen=True)
class Sdk:
    """`label` is the partition that it reads from where the sdkconfig has no `label_option`. It writes the keys of
    `claimed` itself where one of them is missing; with `makes_namespace` it makes the namespace where that is missing.
    """

    name: str
    namespace: str
    label_option: str
    label: str
    keys: Mapping[str, Read]
    claimed: tuple[str, ...] = ()
    makes_namespace: bool = False


NUMBER, BLOB = Read(ItemType.U32), Read(ItemType.BLOB)

RAINMAKER = Sdk(
    "RainMaker",
    "rmaker_creds",
    "CONFIG_ESP_RMAKER_FACTORY_PARTITION_NAME",
    "fctry",
    dict.fromkeys(
        ("node_id", "mqtt_host", "mqtt_cred_host", "client_cert", "client_key", "random", "csr"), BLOB
    ),
    claimed=("node_id", "mqtt_host", "client_cert", "client_key"),
)
MATTER = Sdk(
    "Matter",
    "chip-factory",
    "CONFIG_CHIP_FACTORY_NAMESPACE_PARTITION_LABEL",
    "nvs",
    {
        **dict.fromkeys(("discriminator", "iteration-count", "vendor-id", "product-id"), NUMBER),
        **dict.fromkeys(("hardware-ver", "product-finish", "product-color", "device-type"), NUMBER),
        **dict.fromkeys(("cal-types", "locale-sz"), NUMBER),
        "salt": Read(ItemType.STR, 24, 44),  # base64 of 16 to 32 bytes
        "verifier": Read(ItemType.STR, 132, 132),  # base64 of 97 bytes
        **dict.fromkeys(
            ["vendor-name", "product-name", "serial-num", "part-number"], Read(ItemType.STR, 1, 32)
        ),
        **dict.fromkeys(["hw-ver-str", "product-label"], Read(ItemType.STR, 1, 64)),
        "product-url": Read(ItemType.STR, 1, 256),
        "mfg-date": Read(ItemType.STR, 8, 16),
        **dict.fromkeys(["dac-cert", "pai-cert"], Read(ItemType.BLOB, 1, 600)),
        "dac-key": Read(ItemType.BLOB, 32, 32),
        "dac-pub-key": Read(ItemType.BLOB, 65, 65),
        "cert-dclrn": BLOB,
        "rd-id-uid": Read(ItemType.BLOB, 16, 16),
    },
    makes_namespace=True,
)
HOMEKIT = Sdk(
    "HomeKit",
    "hap_setup",
    "CONFIG_HAP_PLATFORM_DEF_NVS_FACTORY_PARTITION",
    "factory_nvs",
    {
        "setup_id": Read(ItemType.BLOB, 4, 4),
        "setup_salt": Read(ItemType.BLOB, 16, 16),
        "setup_verifier": Read(ItemType.BLOB, 384, 384),
    },
)
SDKS: Mapping[str, Sdk] = {one.namespace: one for one in (RAINMAKER, MATTER, HOMEKIT)}
"""By the namespace."""


def read_of(namespace: str, key: str) -> tuple[str, Read] | None:
    """Which SDK reads a key, and how."""
    sdk = SDKS.get(namespace)
    return (sdk.name, sdk.keys[key]) if sdk and key in sdk.keys else None
