"""Holds a conversation with the office over HTTPS. What is computed and written on its way goes on beside the loop."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from fob_daemon.control.office_refusals import RESULTS
from fob_daemon.relay.outcome import Office
from fob_protocol.office.conversation import Conversation
from fob_protocol.office.envelope import Answer, Asked
from fob_protocol.office.errors import RefusedError
from fob_protocol.relay import RelayStatus

T = TypeVar("T")


class NotAskedError(Exception):
    """The office did not answer. `name` is a relay's result, `why` for people, `seconds`: when to come again.

    `http` is the status that came in place of an answer, 0 when none did.
    """

    def __init__(self, name: str, why: str, seconds: int | None, http: int = 0) -> None:
        self.http = http
        self.name = name
        self.why = why
        self.seconds = seconds
        super().__init__(f"{name}: {why}")


@dataclass(frozen=True, slots=True)
class _End(Generic[T]):
    result: T


async def hold(office: Office, conversation: Conversation[T], note_time: Callable[[int], None]) -> T:
    """What it comes to; `note_time` is told what servers signed, in refusals too.

    Raises OfficeError, RefusedError, NotAskedError, and OSError for what could not be kept.
    """
    try:
        step: Asked | _End[T] = await _step(conversation, lambda: next(conversation))
        while not isinstance(step, _End):
            step = await _answered(office, conversation, step, note_time)
        return step.result
    finally:
        conversation.close()


async def _answered(
    office: Office, conversation: Conversation[T], asked: Asked, note_time: Callable[[int], None]
) -> "Asked | _End[T]":
    outcome = await office.post(asked.service, asked.sealed)
    sealed = outcome.answer
    if outcome.status is not RelayStatus.ANSWERED or sealed is None:
        raise NotAskedError(RESULTS[outcome.status], outcome.why, outcome.seconds, outcome.http)

    def go_on() -> Asked:
        try:
            answer: Answer = asked.open(sealed)
        except RefusedError as refused:
            # An answer too, with its time, of which a conversation may know what comes next.
            note_time(refused.time)
            return conversation.throw(refused)
        note_time(answer.time)
        return conversation.send(answer)

    return await _step(conversation, go_on)


async def _step(conversation: Conversation[T], go_on: Callable[[], Asked]) -> "Asked | _End[T]":
    def step() -> "Asked | _End[T]":
        try:
            return go_on()
        except StopIteration as end:
            return _End(end.value)

    under_way = asyncio.ensure_future(asyncio.to_thread(step))
    try:
        return await asyncio.shield(under_way)
    except asyncio.CancelledError:
        # A thread goes on to its end; what it keeps is found again, and nobody writes beside it.
        await asyncio.wait({under_way})
        raise
