"""Parts of addresses below the token, as regular expressions with one group each."""

from typing import Final

HANDLE: Final = r"([0-9]{1,10})"
# A static key, 32 octets in hex.
COMPUTER: Final = r"([0-9a-f]{64})"
# A sheet's id, 16 octets in hex.
SHEET: Final = r"([0-9a-f]{32})"

# Any page, as the forms of sheets and of the workbench say where they were.
PAGE: Final = r"[a-z0-9/-]{0,100}"
