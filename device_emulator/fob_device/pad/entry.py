"""What a PIN is asked for, in words."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from fob_protocol.names import plain_name
from fob_protocol.pkcs11.constants import Cku


class PinUse(Enum):
    """What the PIN will do."""

    LOGIN = "log in"
    KEY = "use a key once"
    CHANGE = "change the PIN"
    RESET = "set the user's PIN"
    ERASE = "erase the token"


_OWNERS: Final = {Cku.USER: "the PIN", Cku.SO: "the security officer's PIN"}


@dataclass(frozen=True, slots=True)
class PinEntry:
    """A PIN that is asked for: by which computer, whose it is, and what for.

    `user`: whose PIN is typed, Cku.USER or Cku.SO. `key_label` and `key` (its handle) with PinUse.KEY, `new_label`
    with PinUse.ERASE. `is_new`: a PIN is chosen, not checked.
    """

    use: PinUse
    user: Cku
    pc_name: str
    key_label: str = ""
    key: int = 0
    new_label: str = ""
    is_new: bool = False

    @property
    def is_shared(self) -> bool:
        """True where two that ask the same get by with one PIN: it opens something, and changes nothing."""
        return self.use in (PinUse.LOGIN, PinUse.KEY)

    @property
    def needs_no_unlocking(self) -> bool:
        """True where the PIN shows as much as unlocking the phone: the officer's, and the user's own to change it."""
        return self.user is Cku.SO or self.use is PinUse.CHANGE

    def words(self) -> str:
        """`type the PIN to use 'work' once, for me@pc`; every character is plain."""
        new = "a new " if self.is_new else ""
        owner = _OWNERS[self.user]
        typed = f"{new}{owner.removeprefix('the ')}" if self.is_new else owner
        return f"type {typed} {self._purpose()}, for {plain_name(self.pc_name)}"

    def _purpose(self) -> str:
        match self.use:
            case PinUse.LOGIN:
                return "to log in"
            case PinUse.KEY:
                return f"to use '{plain_name(self.key_label)}' once"
            case PinUse.CHANGE:
                return "to change it"
            case PinUse.RESET:
                return "to set the user's PIN"
            case PinUse.ERASE:
                return f"to ERASE this phone's keys and call it '{plain_name(self.new_label)}'"
