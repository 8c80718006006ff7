"""Where an enrolled computer keeps what it is, in its state folder."""

from typing import Final

STATE_FILE: Final = "integrity.state"
KEY_FILE: Final = "integrity.key"
