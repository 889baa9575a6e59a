"""Firmware for tests of the board itself: speaks the bus, and does on the console what it is told, line by line.

A board runs it as it runs the native firmware's ELF; the fixture `standin` gives it a first line that makes it a
program. It stands alone: it imports nothing of this project.
"""

import os
import signal
import socket
import struct
import sys
import time

REQUEST = struct.Struct("<B3xII")
bus = socket.socket(fileno=int(sys.argv[2]))


def receive(size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = bus.recv(size - len(data))
        if not part:
            os._exit(0)
        data += part
    return data


def ask(
    op: str, address: int = 0, length: int = 0, data: bytes = b"", reply_bytes: int = 0
) -> tuple[int, bytes]:
    bus.sendall(REQUEST.pack(ord(op), address, length) + data)
    status = receive(1)[0]
    return status, receive(reply_bytes) if status == 0 else b""


def say(text: str) -> None:
    os.write(1, text.encode() + b"\r\n")


def obey(line: str) -> None:
    command, *numbers = line.split()
    if command == "read":
        status, data = ask("R", int(numbers[0], 0), int(numbers[1], 0), reply_bytes=int(numbers[1], 0))
        say(f"read status={status} data={data.hex()}")
    elif command == "program":
        data = bytes.fromhex(numbers[1])
        say(f"program status={ask('P', int(numbers[0], 0), len(data), data)[0]}")
    elif command == "erase":
        say(f"erase status={ask('E', int(numbers[0], 0), int(numbers[1], 0))[0]}")
    elif command == "gpio":
        say(f"gpio level={ask('G', int(numbers[0]), reply_bytes=1)[1][0]}")
    elif command == "exit":
        os._exit(int(numbers[0]))
    elif command == "kill":
        os.kill(os.getpid(), getattr(signal, numbers[0]))
    elif command == "flood":
        while True:
            os.write(1, b"x" * 4096)
    elif command == "hang":
        say("hanging")
        time.sleep(60)
    elif command == "babble":  # out of step with the protocol
        bus.sendall(REQUEST.pack(ord("P"), 0, 0xFFFFFFFF))
        receive(1)
    else:
        say(f"echo {line}")


info = struct.unpack("<6sBBI", ask("I", reply_bytes=12)[1])
say(f"standin pid={os.getpid()} reset={info[1]} mac={info[0].hex()} flash={info[3]}")
rest = b""
while received := os.read(0, 4096):
    *lines, rest = (rest + received).split(b"\n")
    for line in lines:
        if line.strip():
            obey(line.decode().strip())
