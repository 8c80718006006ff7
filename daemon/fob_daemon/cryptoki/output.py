"""The buffer rules of PKCS#11 v2.40, section 5.2: a length, or the result when it fits."""

from fob_daemon.cryptoki.interface import Output


def fits(length: int, room: int | None) -> bool:
    """True when the caller's buffer has room for `length` octets."""
    return room is not None and room >= length


def fitted(result: bytes, room: int | None) -> Output:
    """The result, or its length when it does not fit."""
    return result if fits(len(result), room) else len(result)
