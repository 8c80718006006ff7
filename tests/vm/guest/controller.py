"""A Bluetooth controller of this kernel that is in truth one of the host's virtual radio: H4 between two device files.

    controller.py /dev/virtio-ports/fob.hci

Runs in the guest, with its Python alone. The kernel wants each packet in one write to /dev/vhci, and gives one a read;
the virtio port is a stream.
"""

import os
import sys
import threading
from pathlib import Path
from typing import Final

# H4 packet types (Core 5.4, vol. 4, part A, 2): where the length is in the header that follows, and its octets.
COMMAND: Final = 1
ACL: Final = 2
SCO: Final = 3
EVENT: Final = 4
ISO: Final = 5
LENGTHS: Final = {COMMAND: (2, 1), ACL: (2, 2), SCO: (2, 1), EVENT: (1, 1), ISO: (2, 2)}

# The driver's own packet type: asks for a controller, and tells its number.
VENDOR: Final = 0xFF
CREATE_PRIMARY: Final = bytes((VENDOR, 0x00))

# The kernel's largest packet is far below.
READ_SIZE: Final = 65536


class Packets:
    """Cuts a stream into H4 packets."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that are whole now. Raises ValueError for an unknown packet type: the stream is lost."""
        self._buffer += data
        packets = []
        while (size := self._size()) is not None and len(self._buffer) >= size:
            packets.append(bytes(self._buffer[:size]))
            del self._buffer[:size]
        return packets

    def _size(self) -> int | None:
        """Octets of the first packet, None while its header is not whole."""
        if not self._buffer:
            return None
        if self._buffer[0] not in LENGTHS:
            raise ValueError(f"packet type {self._buffer[0]:#x} is none of H4's")
        offset, width = LENGTHS[self._buffer[0]]
        header = 1 + offset + width
        if len(self._buffer) < header:
            return None
        length = int.from_bytes(self._buffer[1 + offset : header], "little")
        if self._buffer[0] == ISO:
            length &= 0x3FFF
        return header + length


def to_radio(vhci: int, port: int) -> None:
    """What the kernel says."""
    while packet := os.read(vhci, READ_SIZE):
        if packet[0] == VENDOR:
            print(f"controller: hci{int.from_bytes(packet[2:4], 'little')} is there", flush=True)
            continue
        rest = memoryview(packet)
        while rest:
            rest = rest[os.write(port, rest) :]


def to_kernel(port: int, vhci: int) -> None:
    """What the radio says."""
    packets = Packets()
    while data := os.read(port, READ_SIZE):
        for packet in packets.feed(data):
            os.write(vhci, packet)


def main() -> None:
    """Until either side closes."""
    port = os.open(Path(sys.argv[1]), os.O_RDWR)
    vhci = os.open("/dev/vhci", os.O_RDWR)
    os.write(vhci, CREATE_PRIMARY)
    threading.Thread(target=to_radio, args=(vhci, port), daemon=True).start()
    to_kernel(port, vhci)


if __name__ == "__main__":
    main()
