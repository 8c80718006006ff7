"""Challenges that came with VAL_OK, in memory only (docs/integrity-protocol.md, section 3)."""

from fob_protocol.integrity.limits import CHALLENGE_AGE


class Challenges:
    """At most one for each copy: good for its next request, once, and while it is young."""

    def __init__(self) -> None:
        # By copy number: the PSI behind which it is good, when it was asked for, and the challenge.
        self._kept: dict[bytes, tuple[int, int, bytes]] = {}

    def __repr__(self) -> str:
        return f"Challenges({len(self._kept)})"

    def keep(self, copy: bytes, number: int, asked: int, challenge: bytes) -> None:
        """`number` is the PSI that was answered, `asked` the holder's time of that request."""
        self._kept = {name: one for name, one in self._kept.items() if _is_young(one[1], asked)}
        self._kept[copy] = number, asked, challenge

    def take(self, copy: bytes, number: int, now: int) -> bytes | None:
        """For the request behind PSI `number`; None: one has to be asked for."""
        answered, asked, challenge = self._kept.pop(copy, (0, 0, None))
        return challenge if answered == number and _is_young(asked, now) else None


def _is_young(asked: int, now: int) -> bool:
    return 0 <= now - asked < CHALLENGE_AGE
