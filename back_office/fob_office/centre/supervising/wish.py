"""An operator wants slots spread over meter boxes now: a file that the supervisor takes away when they are."""

from pathlib import Path
from typing import Final

from fob_office.secrets.private_file import OWNER_ONLY

FILE: Final = "balance"


def wish(centre: Path) -> None:
    """Raises OSError."""
    (centre / FILE).touch(OWNER_ONLY)


def is_wished(centre: Path) -> bool:
    """Whether somebody waits for it."""
    return (centre / FILE).exists()


def fulfil(centre: Path) -> None:
    """Raises OSError."""
    (centre / FILE).unlink(missing_ok=True)
