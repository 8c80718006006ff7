"""Names that one side gives and the other side's person reads: a PC's, a device's, a token's, a key's.

Whoever chooses a name must not steer the screen that shows it: no control characters (terminal escapes, line ends), no
bidirectional overrides or zero-width characters (Unicode UTS #55; categories Cc, Cf, Zl, Zp and what is unassigned).
"""

from typing import Final

from fob_protocol.limits import NAME_LIMIT

# Stands visibly where a character was taken out: a name that is not what it seems should look that way.
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
# Stands where something was cut out, for the same reason; it is one of the characters that are left.
ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"


def is_plain_name(name: str) -> bool:
    """True when a screen shows every character of `name` as what it is; for refusing a name of one's own."""
    return name.isprintable()


def plain_name(name: str, limit: int = NAME_LIMIT) -> str:
    """A peer's `name` as a person may see it: `limit` characters at most, REPLACEMENT for each one not plain.

    ELLIPSIS is the last one where more were cut off.
    """
    shown = name if len(name) <= limit else name[: max(limit - 1, 0)] + ELLIPSIS
    return "".join(character if character.isprintable() else REPLACEMENT for character in shown)


def shortened(text: str, size: int) -> str:
    """`text` in at most `size` characters, one at least, ELLIPSIS for its middle: both its ends may tell what it is."""
    if len(text) <= size:
        return text
    head = size // 2
    tail = size - head - 1
    return text[:head] + ELLIPSIS + text[len(text) - tail :]
