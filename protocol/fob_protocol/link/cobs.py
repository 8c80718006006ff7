"""Consistent Overhead Byte Stuffing (S. Cheshire and M. Baker, IEEE/ACM Transactions on Networking 7(2), 1999)."""

RUN_LIMIT = 254


class CobsError(ValueError):
    """The octets are not a COBS text."""


def encode(data: bytes) -> bytes:
    """`data` without any zero octet; at most one octet longer for each 254 begun. The closing zero is the caller's."""
    out = bytearray()
    for run in data.split(b"\0"):
        while len(run) >= RUN_LIMIT:
            out.append(RUN_LIMIT + 1)
            out += run[:RUN_LIMIT]
            run = run[RUN_LIMIT:]
        out.append(len(run) + 1)
        out += run
    return bytes(out)


def decode(text: bytes) -> bytes:
    """The octets that were encoded to `text`. Raises CobsError."""
    out = bytearray()
    place = 0
    while place < len(text):
        code = text[place]
        run = text[place + 1 : place + code]
        if code == 0 or len(run) != code - 1 or 0 in run:
            raise CobsError("not a COBS text")
        out += run
        place += code
        if code <= RUN_LIMIT and place < len(text):
            out.append(0)
    return bytes(out)
