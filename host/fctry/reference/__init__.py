"""The reference firmware, its layout and an example spec: data of the package, and the firmware as a host program.

In a checkout the files are links to the repository's own.
"""

from pathlib import Path

_FOLDER = Path(__file__).parent

FIRMWARE = _FOLDER / "firmware"
COMPONENT = FIRMWARE / "components" / "factory_data"
PARTITIONS = _FOLDER / "partitions.csv"
SDKCONFIG_DEFAULTS = _FOLDER / "sdkconfig.defaults"
SPEC = _FOLDER / "factory.toml"
