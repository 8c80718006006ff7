"""Addresses as an optional component of the device writes them, before anything is franked (M36).

They are what has to stand on the pieces, so they are asked for first, and the device makes its digests of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from fob_daemon.control.office_reports import DeviceOffice
from fob_daemon.metering.refusing import no_cleansing
from fob_daemon.metering.views import Piece
from fob_protocol.metering.limits import BATCH_LIMIT
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

# What the shipped component is asked by.
CLEANSING_COMMAND: Final = "XADDRESS"
# Octets of the addresses of one question.
_OCTETS: Final = 16_000


async def cleansed(office: DeviceOffice, pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """One round trip for BATCH_LIMIT pieces or fewer. Raises CkrError; ControlError where no component does that."""
    addresses = [piece.address for piece in pieces]
    found = [written for part in _parts(addresses) for written in await _written(office, part)]
    return tuple(replace(piece, address=address) for piece, address in zip(pieces, found, strict=True))


def _parts(addresses: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    room = _OCTETS
    for address in addresses:
        size = len(address.encode())
        if part and (size > room or len(part) == BATCH_LIMIT):
            yield part
            part, room = [], _OCTETS
        part.append(address)
        room -= size
    if part:
        yield part


async def _written(office: DeviceOffice, addresses: Sequence[str]) -> list[str]:
    try:
        lines = await office.run(f"+{CLEANSING_COMMAND}", tuple(addresses))
    except CkrError as error:
        if error.ckr is Ckr.FUNCTION_NOT_SUPPORTED:
            raise no_cleansing(CLEANSING_COMMAND) from None
        raise
    texts = [value for line in lines for value in line if isinstance(value, str)]
    if len(lines) != 1 or len(texts) != len(addresses) or len(lines[0]) != len(texts):
        raise CkrError(Ckr.DEVICE_ERROR, f"{len(addresses)} addresses were asked, and as many are due")
    if not all(text.isprintable() for text in texts):
        raise CkrError(Ckr.DEVICE_ERROR, "an address that cannot be shown")
    return texts
