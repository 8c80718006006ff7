"""What ids, commands and serial numbers look like, and how that is said to a person."""

import re
from typing import Final

from fob_protocol.office.limits import ID_LIMIT

NAME: Final = rf"\A[a-z0-9][a-z0-9.-]{{0,{ID_LIMIT - 1}}}\Z"
COMMAND: Final = r"\AX[A-Z0-9]{1,15}\Z"
SERIAL: Final = r"\A[A-Z0-9][A-Z0-9-]{0,31}\Z"

_WORDS: Final = {
    NAME: f"a name is small letters, digits, dots and dashes, at most {ID_LIMIT}, and begins with a letter or digit",
    COMMAND: "a command is an X and one to 15 capital letters and digits, as XRATE",
    SERIAL: "a serial number is capital letters, digits and dashes, at most 32, and begins with a letter or digit",
}
_REGEX: Final = re.compile(r"Expected `str` matching regex '(.*)'(?: - at `.*`)?", re.DOTALL)


def in_words(error: str) -> str:
    """What msgspec says, where it shows one of these patterns in a person's words."""
    found = _REGEX.fullmatch(error)
    # It shows the pattern as Python's or as JSON's literal.
    return _WORDS.get(found[1].replace("\\\\", "\\"), error) if found is not None else error
