"""What a PIN is asked for, in words."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from fob_device.approval.callers import NOBODY
from fob_protocol.caller import Caller, Purpose
from fob_protocol.deeds import FORWARDED, asker, deed
from fob_protocol.names import plain_name
from fob_protocol.pkcs11.constants import Cku


class PinUse(Enum):
    """What the PIN will do."""

    LOGIN = "log in"
    KEY = "use a key once"
    CHANGE = "change it"
    RESET = "replace a forgotten one"
    ERASE = "erase the token"
    SERVER = "speak to a server"


_OWNERS: Final = {Cku.USER: "PIN", Cku.SO: "security officer's PIN"}


@dataclass(frozen=True, slots=True)
class PinEntry:
    """A PIN that is asked for: by which computer and which program of it, whose it is, and what for.

    `user`: whose PIN is typed, Cku.USER or Cku.SO. `key_label` and `key` (its handle) with PinUse.KEY, `new_label`
    with PinUse.ERASE, `deed` (in words) with PinUse.SERVER. `is_new`: a PIN is chosen, not checked. `pc_key` is the
    computer, its name only what it is called.
    """

    use: PinUse
    user: Cku
    pc_name: str = field(compare=False)
    caller: Caller = NOBODY
    key_label: str = ""
    key: int = 0
    new_label: str = ""
    deed: str = ""
    is_new: bool = False
    pc_key: bytes = field(default=b"", repr=False)

    @property
    def is_shared(self) -> bool:
        """True where two that ask the same get by with one PIN: it opens something, and changes nothing."""
        return self.use in (PinUse.LOGIN, PinUse.KEY)

    @property
    def needs_no_unlocking(self) -> bool:
        """True where the PIN shows as much as unlocking the phone, or is set because nobody can unlock it."""
        return self.user is Cku.SO or self.use in (PinUse.CHANGE, PinUse.RESET)

    def covers(self, caller: Caller) -> bool:
        """True when the person who typed for this entry has seen what `caller` wants: the same, or less said of it."""
        seen = self.caller
        if seen.purpose is Purpose.UNKNOWN:
            return (seen.programs, seen.is_forwarded) == (caller.programs, caller.is_forwarded)
        return seen == caller

    def words(self) -> str:
        """`type the PIN to log in to github.com with 'work' for ssh <- zsh on me@pc`; every character is plain."""
        return f"type {'a new' if self.is_new else 'the'} {_OWNERS[self.user]} to {self.what()}"

    def what(self) -> str:
        """`log in to github.com with 'work' for ssh <- zsh on me@pc`."""
        whom = asker(self.caller, plain_name(self.pc_name))
        forwarded = FORWARDED if self.caller.is_forwarded else ""
        return f"{self._deed()} for {whom}{forwarded}"

    def _deed(self) -> str:
        match self.use:
            case PinUse.KEY if self.caller.purpose is Purpose.UNKNOWN:
                return f"use '{plain_name(self.key_label)}' once"
            case PinUse.KEY:
                return f"{deed('sign', self.caller)} with '{plain_name(self.key_label)}'"
            case PinUse.SERVER:
                return plain_name(self.deed, limit=len(self.deed))
            case PinUse.ERASE:
                return f"ERASE every key on this phone and call it '{plain_name(self.new_label)}',"
            case _:
                return str(self.use.value)
