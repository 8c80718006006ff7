"""Parts of addresses below the token, as regular expressions with one group each."""

from typing import Final

HANDLE: Final = r"([0-9]{1,10})"
# A static key, 32 octets in hex.
COMPUTER: Final = r"([0-9a-f]{64})"
# A sheet's id, 16 octets in hex.
SHEET: Final = r"([0-9a-f]{32})"

# A server of the back office (docs/office-protocol.md, section 1).
SERVER: Final = r"([a-z0-9][a-z0-9.-]{0,31})"
# A component, or the device's own program: named alike.
PROGRAM: Final = SERVER

# Any page, as the forms of sheets and of the workbench say where they were; only a server's name has dots.
PAGE: Final = rf"[a-z0-9/-]{{0,100}}|office/servers/{SERVER}"
