"""The states of a rollout, as a table."""

from enum import IntEnum, StrEnum
from typing import Final


class RolloutState(IntEnum):
    """PAUSED: nobody new gets the release. STOPPED: nobody at all. DONE: everybody who asks."""

    DRAFT = 1
    RUNNING = 2
    PAUSED = 3
    STOPPED = 4
    DONE = 5


class Step(StrEnum):
    """What happens to a rollout: the operator's words, and two that reports say."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    TOO_MANY_FAILED = "too many failed"
    LAST_GROUP_REPORTED = "last group reported"


TRANSITIONS: Final = {
    (RolloutState.DRAFT, Step.START): RolloutState.RUNNING,
    (RolloutState.DRAFT, Step.STOP): RolloutState.STOPPED,
    (RolloutState.RUNNING, Step.START): RolloutState.RUNNING,
    (RolloutState.RUNNING, Step.PAUSE): RolloutState.PAUSED,
    (RolloutState.RUNNING, Step.TOO_MANY_FAILED): RolloutState.PAUSED,
    (RolloutState.RUNNING, Step.LAST_GROUP_REPORTED): RolloutState.DONE,
    (RolloutState.RUNNING, Step.STOP): RolloutState.STOPPED,
    (RolloutState.PAUSED, Step.RESUME): RolloutState.RUNNING,
    (RolloutState.PAUSED, Step.STOP): RolloutState.STOPPED,
}

# While it may be offered to somebody.
ACTIVE: Final = (RolloutState.RUNNING, RolloutState.PAUSED)


class MemberState(IntEnum):
    """What became of a release at a device."""

    OFFERED = 1
    CONFIRMED = 2
    FAILED = 3
