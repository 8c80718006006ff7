"""A password of somebody else's service that is typed at the device, so that no computer sees it."""

from dataclasses import dataclass, field
from typing import Final

from fob_protocol.metering.limits import PASSWORD_LEAST, PASSWORD_LIMIT
from fob_protocol.names import plain_name

# Seconds in which it is to be typed: longer than a PIN, and at a sign-up twice.
PASSWORD_TIME: Final = 300.0
SIZE_WORDS: Final = f"A password has {PASSWORD_LEAST} to {PASSWORD_LIMIT} characters."


@dataclass(frozen=True, slots=True)
class PasswordEntry:
    """Whose password is due: the `name` at the data centre. `is_new`: it is chosen. `pc_name` and its key: who asks.

    `cost`: what signing up costs, in words; empty: nothing.
    """

    name: str
    is_new: bool
    pc_name: str = field(compare=False)
    pc_key: bytes = field(default=b"", repr=False)
    cost: str = ""

    def words(self) -> str:
        """`type the password of 'ann' to sign on to the meter for me@pc`; every character is plain."""
        return f"{'choose' if self.is_new else 'type'} the password of {self.what()}"

    def what(self) -> str:
        """`'ann' to sign on to the meter for me@pc`."""
        deed = "sign up for a meter" if self.is_new else "sign on to the meter"
        if self.cost:
            deed = f"{deed} ({self.cost}, paid with the first payment)"
        return f"'{plain_name(self.name)}' to {deed} for {plain_name(self.pc_name)}"


def refused_words(entry: PasswordEntry, password: str, again: str) -> str:
    """What is wrong with what was typed; `again` counts where it is chosen. Empty: nothing."""
    if not is_fit(password):
        return SIZE_WORDS
    return "The two passwords were not equal." if entry.is_new and password != again else ""


def is_fit(password: str) -> bool:
    """Whether a data centre takes it."""
    return PASSWORD_LEAST <= len(password) <= PASSWORD_LIMIT
