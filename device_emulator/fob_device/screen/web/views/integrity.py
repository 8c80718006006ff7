"""Which copies the device holds, and how they stand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fob_device.overview.office import ShownCopy
from fob_device.screen.web.views.refusals import sentence
from fob_device.screen.web.words import first_upper
from fob_protocol.names import plain_name
from fob_protocol.office.refusal_words import MEANINGS

# How a copy that is enabled stands; every other word is a refusal's name.
VALID: Final = "valid"
NEEDS_NONE: Final = "needs-none"
INVALID: Final = "invalid"
NEEDS_LETTER: Final = "needs-letter"
OWN: Final = "This phone's own program"


@dataclass(frozen=True, slots=True)
class CopyItem:
    """A line. `needs_letter`: with a field to type it in."""

    program: str
    title: str
    words: str
    end: str
    is_good: bool
    needs_letter: bool


def copy_item(copy: ShownCopy, at: Callable[[float], str]) -> CopyItem:
    """`at` says a time."""
    title = OWN if copy.is_own else plain_name(copy.program)
    is_good = copy.state in (VALID, NEEDS_NONE)
    parts = [f"Version {copy.version}."]
    if copy.state == NEEDS_NONE:
        parts.append("The office does not validate it.")
    elif copy.validated:
        parts.append(f"Validated {at(copy.validated)}.")
    if not is_good:
        parts.append(why(copy))
    end = "needs none" if copy.state == NEEDS_NONE else copy.state.replace("-", " ")
    return CopyItem(copy.program, title, " ".join(parts), end, is_good, copy.reason == NEEDS_LETTER)


def why(copy: ShownCopy) -> str:
    """Why it is refused. A verdict says more than its reason. No office brings what is wrong with the phone's files."""
    if copy.is_own and copy.state == INVALID:
        words, _ = MEANINGS[INVALID]
        return f"{first_upper(words)} ({INVALID}). Install the phone's program anew, and restart it."
    is_verdict = copy.state not in (VALID, NEEDS_NONE, "waiting", "not-validated")
    return sentence(copy.state if is_verdict or not copy.reason else copy.reason)
