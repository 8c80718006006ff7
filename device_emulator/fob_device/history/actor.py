"""On whose behalf something is done: where an entry is written, nobody has to be told again."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Final

from fob_protocol.caller import Caller
from fob_protocol.history.entry import Entry, computer_id

_NOBODY: Final = Caller()


@dataclass(frozen=True, slots=True)
class Actor:
    """A computer by its static key, and its program as far as it is known."""

    pc_key: bytes
    pc_name: str
    caller: Caller = _NOBODY

    def sign(self, entry: Entry) -> Entry:
        """The entry with the names of this computer and its program, where it has none of its own."""
        if entry.computer:
            return entry
        caller = self.caller if entry.caller == _NOBODY else entry.caller
        return replace(entry, computer=computer_id(self.pc_key), pc_name=self.pc_name, caller=caller)


# A task of its own runs each request, and threads that it starts see what it sees.
_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """What is done in the block is done for this computer; outside of any block it is the phone's own person."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def name_program(caller: Caller) -> None:
    """The computer of this block has said which program asks."""
    actor = _actor.get()
    if actor is not None:
        _actor.set(replace(actor, caller=caller))


def signed(entry: Entry) -> Entry:
    """The entry, with who acts."""
    actor = _actor.get()
    return entry if actor is None else actor.sign(entry)
