"""Serial ports: a fast RFC2217 client for pyserial, opening a port with errors that say what to do, finding boards."""

from fctry.serialport.find import FoundPort, find_ports, is_connected, only_port, port_at
from fctry.serialport.open import ROM_BAUD, open_port, register

__all__ = [
    "ROM_BAUD",
    "FoundPort",
    "find_ports",
    "is_connected",
    "only_port",
    "open_port",
    "port_at",
    "register",
]
