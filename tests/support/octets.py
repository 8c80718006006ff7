"""Octets that are not what they were."""


def flipped(octets: bytes, at: int = -1) -> bytes:
    """One bit of one octet, the last one unless told, is another; which bit goes round with the place."""
    place = range(len(octets))[at]
    return octets[:place] + bytes([octets[place] ^ 1 << place % 8]) + octets[place + 1 :]


def octet_flips(octets: bytes) -> list[bytes]:
    """One for each octet."""
    return [flipped(octets, at) for at in range(len(octets))]


def bit_flips(octets: bytes) -> list[bytes]:
    """Every octet string that differs in one bit."""
    whole = int.from_bytes(octets)
    return [(whole ^ 1 << bit).to_bytes(len(octets)) for bit in range(8 * len(octets))]
