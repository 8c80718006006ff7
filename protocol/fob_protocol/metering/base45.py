"""Base45 (RFC 9285): octets as text of the characters that two-dimensional codes hold densely. Read strictly."""

from typing import Final

from fob_protocol.errors import ProtocolError

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}
_BASE: Final = len(_ALPHABET)
# Characters for two octets, and for a last single one.
_PAIR, _SINGLE = 3, 2


class Base45Error(ProtocolError):
    """The text is no Base45; what is wrong stands in the message."""


def encode(octets: bytes) -> str:
    """Three characters for each two octets, two for a last one."""
    return "".join(_characters(octets[at : at + 2]) for at in range(0, len(octets), 2))


def decode(text: str) -> bytes:
    """The octets. Raises Base45Error for another length, character or a value that no octets have."""
    if len(text) % _PAIR == 1:
        raise Base45Error(f"{len(text)} characters are no whole number of octets")
    return b"".join(_octets(text[at : at + _PAIR]) for at in range(0, len(text), _PAIR))


def _characters(octets: bytes) -> str:
    value = int.from_bytes(octets)
    characters = ""
    for _ in range(_PAIR if len(octets) == 2 else _SINGLE):
        value, digit = divmod(value, _BASE)
        characters += _ALPHABET[digit]
    return characters


def _octets(characters: str) -> bytes:
    value = 0
    for character in reversed(characters):
        if character not in _VALUES:
            raise Base45Error(f"{character!a} is no character of Base45")
        value = value * _BASE + _VALUES[character]
    try:
        return value.to_bytes(len(characters) - 1)
    except OverflowError:
        raise Base45Error(f"{characters!a} is more than octets hold") from None
