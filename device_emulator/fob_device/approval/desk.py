"""Where the requests of one PC meet the device's person."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from fob_device.approval.asking import Asking
from fob_device.approval.callers import Callers
from fob_device.approval.grants import Grants
from fob_device.approval.questions import GRANTED, Decider, Decision, Prompt, Question
from fob_device.approval.wanted import wanted
from fob_device.listeners import Listener


@dataclass(slots=True, eq=False)
class Answered:
    """What the person said to one request, or to several at once; a yes is remembered once."""

    decision: Decision
    is_remembered: bool = False


@dataclass(slots=True, eq=False)
class Waiting:
    """A prompt and the answer that all who wait for it will get."""

    prompt: Prompt
    answer: asyncio.Task[Answered]


@dataclass(slots=True)
class ApprovalDesk:
    """What the device knows of one PC's programs until it restarts: who they are, what they may and what they ask.

    Requests that ask the same while it is on the screen are one prompt with a count; each of them runs by itself.
    """

    clock: Callable[[], float]
    changed: Listener = lambda: None
    callers: Callers = field(default_factory=Callers)
    grants: Grants = field(init=False)
    _waiting: dict[Question, Waiting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.grants = Grants(self.clock, self.changed)

    async def ask(self, question: Question, decider: Decider, asking: Asking) -> Decision:
        """The person's answer, remembered for as long as they said; the computer hears the prompt that asks for it.

        A yes is returned when the computer is there to have what it allows, and is not remembered before that: what it
        allows has to be done at once. Where the answer is known without asking, nothing is shown. Cancelled, the
        request leaves its prompt; the last one to leave takes it off the screen.
        """
        if self._is_known(question, decider):
            # Grants and settings may change meanwhile.
            await wanted(decider, asking)
        if self.grants.cover(question):
            return GRANTED
        answered = await self._answered(question, decider, asking)
        if answered.decision.is_yes:
            await wanted(decider, asking)
            self._remember(question, answered)
        return answered.decision

    def _is_known(self, question: Question, decider: Decider) -> bool:
        return self.grants.cover(question) or decider.is_silent(question)

    async def _answered(self, question: Question, decider: Decider, asking: Asking) -> Answered:
        if decider.is_silent(question):
            return await self._decide(Prompt(question), decider)
        waiting = self._join(question, decider, asking)
        asking.say(waiting.prompt.words())
        try:
            return await asyncio.shield(waiting.answer)
        finally:
            self._leave(waiting, asking)

    def _join(self, question: Question, decider: Decider, asking: Asking) -> Waiting:
        waiting = self._waiting.get(question)
        # Who comes after the answer is asked about anew.
        if waiting is not None and not waiting.answer.done():
            waiting.prompt.until = max(waiting.prompt.until, asking.until)
            waiting.prompt.askers.join(asking.asker)
            return waiting
        prompt = Prompt(question, until=asking.until, again=self.grants.why_again(question))
        prompt.askers.join(asking.asker)
        answer = asyncio.get_running_loop().create_task(self._decide(prompt, decider))
        self._waiting[question] = Waiting(prompt, answer)
        return self._waiting[question]

    def _leave(self, waiting: Waiting, asking: Asking) -> None:
        waiting.prompt.askers.leave(asking.asker)
        if not waiting.answer.done():
            if len(waiting.prompt.askers) > 0:
                return
            waiting.answer.cancel()
        if self._waiting.get(waiting.prompt.question) is waiting:
            del self._waiting[waiting.prompt.question]

    async def _decide(self, prompt: Prompt, decider: Decider) -> Answered:
        answered = Answered(await decider.decide(prompt))
        if answered.decision.is_yes and prompt.askers.is_one_there:
            # At once, so that nobody who comes in this moment is asked about anew.
            self._remember(prompt.question, answered)
        return answered

    def _remember(self, question: Question, answered: Answered) -> None:
        if not answered.is_remembered:
            answered.is_remembered = True
            self.grants.give(question, answered.decision.remember)
