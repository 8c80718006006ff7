"""Where tests and drills stop a box: the crash table of docs/meter-protocol.md, section 5 (M33)."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias


class CrashPoint(StrEnum):
    """The steps are those of the transaction."""

    # Nothing is written anywhere.
    BEFORE_E = "meter-before-e"
    # E here, not yet at the second.
    E_HERE = "meter-e-here"
    # At the second: on its disk, and its owner has not heard so.
    E_AT_SECOND = "meter-e-at-second"
    # Both have it; there are no tokens yet.
    AFTER_E = "meter-after-e"
    # All is made, and nothing was answered.
    BEFORE_H = "meter-before-h"


Reached: TypeAlias = Callable[[CrashPoint], None]


def go_on(point: CrashPoint) -> None:
    """What is done at every point when nobody tests: nothing."""
