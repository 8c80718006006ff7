"""*letter*: a unique identifier on another channel, as a person types it (D2, D4).

Its check has 24 bits: one mistyped letter in 16.7 million goes through, and is then no identifier that an office knows.
"""

import base64

from fob_protocol.cose.cbor import encode
from fob_protocol.integrity.limits import IDENTIFIER_SIZE
from fob_protocol.office.hashing import digest

_CHECK_SIZE = 3
_GROUP = 4
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


class LetterError(ValueError):
    """No letter, or a mistyped one; says which, and nothing of what was typed."""


def write_letter(identifier: bytes) -> str:
    """`ABCD-EFGH-...`: 56 letters and digits in groups of four."""
    text = base64.b32encode(identifier + _check(identifier)).decode()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def read_letter(text: str) -> bytes:
    """The identifier; spaces, dashes and small letters do not matter. Raises LetterError."""
    plain = "".join(text.split()).replace("-", "").upper()
    # Some characters of other alphabets become A to Z as capitals.
    if not text.isascii() or not _ALPHABET.issuperset(plain):
        raise LetterError("a letter has the letters A to Z and the digits 2 to 7")
    if len(plain) != (IDENTIFIER_SIZE + _CHECK_SIZE) * 8 // 5:
        raise LetterError(f"a letter has 56 characters, this one has {len(plain)}")
    octets = base64.b32decode(plain)
    identifier, check = octets[:IDENTIFIER_SIZE], octets[IDENTIFIER_SIZE:]
    if check != _check(identifier):
        raise LetterError("a character is wrong, or some are swapped")
    return identifier


def _check(identifier: bytes) -> bytes:
    return digest(encode(["fob/1 letter", identifier]))[:_CHECK_SIZE]
