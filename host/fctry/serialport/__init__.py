"""Serial ports: a fast RFC2217 client for pyserial, opening a port with errors that say what to do, finding boards."""

from fctry.serialport.find import FoundPort, find_ports
from fctry.serialport.open import open_port, register

__all__ = ["FoundPort", "find_ports", "open_port", "register"]
