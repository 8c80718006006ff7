"""How places of a drawing lie to one another."""

from typing import Final

from fob_daemon.metering.drawing.shapes import Box

# Of places that were computed, in millimetres.
_TOLERANCE: Final = 1e-6


def overlap(one: Box, other: Box) -> bool:
    """Whether they share more than an edge."""
    apart_x = one.x + one.width <= other.x or other.x + other.width <= one.x
    apart_y = one.y + one.height <= other.y or other.y + other.height <= one.y
    return not (apart_x or apart_y)


def is_inside(whole: Box, box: Box) -> bool:
    """Whether all of it is."""
    return (
        whole.x <= box.x + _TOLERANCE
        and whole.y <= box.y + _TOLERANCE
        and box.x + box.width <= whole.x + whole.width + _TOLERANCE
        and box.y + box.height <= whole.y + whole.height + _TOLERANCE
    )
