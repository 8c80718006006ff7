"""Protocol versions and how two sides meet (docs/protocol.md, section 7)."""

import re
from typing import Final

SPOKEN: Final = (1,)
VERSIONS_LINE: Final = b"(" + b",".join(b"%d" % version for version in SPOKEN) + b")"

# No device ever lists more.
LINE_LIMIT: Final = 64


def choose(versions_line: bytes) -> int | None:
    """The highest version that a device's line offers and we speak, None when there is none or no such line."""
    if len(versions_line) > LINE_LIMIT or not re.fullmatch(rb"\(\d{1,3}(,\d{1,3})*\)", versions_line):
        return None
    offered = {int(number) for number in versions_line[1:-1].split(b",")}
    return max(offered.intersection(SPOKEN), default=None)
