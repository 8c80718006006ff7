"""Passes: who a process of the data centre is, signed by the manufacturing box (docs/meter-protocol.md, section 1)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from fob_office.centre.bus.errors import PassError
from fob_protocol.metering import passes
from fob_protocol.metering.passes import Kind, Pass
from fob_protocol.noise.keys import KeyPair
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import is_same

__all__ = ["Kind", "Party", "Pass", "Trust", "read_pass"]


def read_pass(manufacturing: bytes, signed: bytes) -> Pass:
    """A pass of the manufacturing box with this public key (raw), however old. Raises PassError."""
    try:
        return passes.read_pass(manufacturing, signed)
    except OfficeError as error:
        raise PassError(f"the pass is not of this data centre: {error.why}") from None


class Trust:
    """By which passes are judged: the manufacturing box's public key (raw), the time, and the numbers seen so far."""

    def __init__(self, manufacturing: bytes, clock: Callable[[], int]) -> None:
        self.manufacturing = manufacturing
        self._clock = clock
        self._newest: dict[str, int] = {}

    def check(self, signed: bytes, static: bytes, kinds: Collection[Kind], name: str | None = None) -> Pass:
        """The pass of whoever proved to hold `static`, if it is of one of `kinds` (and called `name`).

        Raises PassError.
        """
        shown = read_pass(self.manufacturing, signed)
        if not is_same(shown.static, static):
            raise PassError(f"the pass of {shown.name} is for another key")
        if shown.kind not in kinds:
            raise PassError(f"{shown.name} is a process of kind {shown.kind.word}, which has no business here")
        if name is not None and shown.name != name:
            raise PassError(f"{shown.name} answers for {name}")
        self.check_time(shown)
        if shown.number < self._newest.get(shown.name, 0):
            raise PassError(f"{shown.name} has a newer pass than this one")
        # Only what the manufacturing box signed gets in, so it is bounded by what is admitted.
        self._newest[shown.name] = shown.number
        return shown

    def check_time(self, shown: Pass) -> None:
        """Raises PassError when it is over."""
        if self._clock() > shown.not_after:
            raise PassError(f"the pass of {shown.name} has expired")


@dataclass(frozen=True, slots=True)
class Party:
    """One process: its static key, its own pass as signed and newest, and by what it judges others."""

    static: KeyPair = field(repr=False)
    shown: Callable[[], bytes] = field(repr=False)
    trust: Trust = field(repr=False)
    random: Callable[[int], bytes] = field(repr=False)
