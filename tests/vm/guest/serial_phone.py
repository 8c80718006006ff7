"""The phone's end of a classic Bluetooth serial port: octets between an RFCOMM connection and a terminal device.

    serial_phone.py ADDRESS CHANNEL TERMINAL

Runs in the guest, with its Python alone. ADDRESS is the adapter's that listens. One connection after the other.
"""

import contextlib
import os
import socket
import sys
import threading
import tty
from typing import Final

READ_SIZE: Final = 4096


def to_terminal(connection: socket.socket, terminal: int) -> None:
    """What the computer says."""
    while octets := connection.recv(READ_SIZE):
        os.write(terminal, octets)


def to_computer(terminal: int, connection: socket.socket) -> None:
    """What the phone says; until the connection is closed."""
    with contextlib.suppress(OSError):
        while octets := os.read(terminal, READ_SIZE):
            connection.sendall(octets)


def serve(connection: socket.socket, path: str) -> None:
    """One connection."""
    terminal = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(terminal)
    threading.Thread(target=to_computer, args=(terminal, connection), daemon=True).start()
    with contextlib.suppress(ConnectionError):
        to_terminal(connection, terminal)
    os.close(terminal)


def main() -> None:
    """Until it is stopped."""
    address, channel, path = sys.argv[1:]
    with socket.socket(socket.AF_BLUETOOTH, socket.SOCK_STREAM, socket.BTPROTO_RFCOMM) as listener:
        listener.bind((address, int(channel)))
        listener.listen(1)
        print("listening", flush=True)
        while True:
            connection, (peer, _) = listener.accept()
            print(f"{peer} is connected", flush=True)
            with connection:
                serve(connection, path)


if __name__ == "__main__":
    main()
