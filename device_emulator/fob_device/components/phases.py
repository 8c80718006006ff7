"""The installation of a set as a table (docs/office-protocol.md, section 6.4)."""

from enum import Enum, auto
from typing import Final

from fob_device.components.boot_record import Phase
from fob_device.components.errors import PhaseError


class Event(Enum):
    """What happens to the candidate. The first instruction of a trial is a `BEGUN`."""

    GRANTED = auto()
    # Another grant takes its place.
    DROPPED = auto()
    COMPLETE = auto()
    BEGUN = auto()
    CONFIRMED = auto()
    ENDED = auto()


# Refused, reverted and given up are one event: the candidate is gone, and what ran before runs.
TRANSITIONS: Final = {
    (Phase.IDLE, Event.GRANTED): Phase.FETCHING,
    (Phase.IDLE, Event.ENDED): Phase.IDLE,
    (Phase.FETCHING, Event.DROPPED): Phase.IDLE,
    (Phase.FETCHING, Event.COMPLETE): Phase.STAGED,
    (Phase.FETCHING, Event.ENDED): Phase.IDLE,
    (Phase.STAGED, Event.BEGUN): Phase.TRIAL,
    (Phase.STAGED, Event.ENDED): Phase.IDLE,
    (Phase.TRIAL, Event.BEGUN): Phase.TRIAL,
    (Phase.TRIAL, Event.CONFIRMED): Phase.IDLE,
    (Phase.TRIAL, Event.ENDED): Phase.IDLE,
}


def after(phase: Phase, event: Event) -> Phase:
    """Raises PhaseError when it is not the event's turn."""
    try:
        return TRANSITIONS[phase, event]
    except KeyError:
        raise PhaseError(f"{event.name.lower()} does not follow {phase.name.lower()}") from None
