"""Where the requests of one PC meet the device's person."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from fob_device.approval.asking import Asking
from fob_device.approval.callers import Callers
from fob_device.approval.grants import Grants
from fob_device.approval.questions import Decider, Decision, Prompt, Question
from fob_device.listeners import Listener


@dataclass(slots=True, eq=False)
class Waiting:
    """A prompt and the answer that all who wait for it will get."""

    prompt: Prompt
    answer: asyncio.Task[Decision]


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

        Where the answer is known without asking, nothing is shown. Cancelled, the request leaves its prompt; the last
        one to leave takes it off the screen.
        """
        if decider.is_silent(question):
            return await self._decide(Prompt(question), decider)
        waiting = self._join(question, decider, asking.until)
        asking.say(waiting.prompt.words())
        try:
            return await asyncio.shield(waiting.answer)
        finally:
            self._leave(waiting)

    def _join(self, question: Question, decider: Decider, until: float) -> Waiting:
        waiting = self._waiting.get(question)
        # Who comes after the answer is asked about anew.
        if waiting is not None and not waiting.answer.done():
            waiting.prompt.until = max(waiting.prompt.until, until)
            waiting.prompt.add(1)
            return waiting
        prompt = Prompt(question, until=until, again=self.grants.why_again(question))
        answer = asyncio.get_running_loop().create_task(self._decide(prompt, decider))
        self._waiting[question] = Waiting(prompt, answer)
        return self._waiting[question]

    def _leave(self, waiting: Waiting) -> None:
        if not waiting.answer.done():
            waiting.prompt.add(-1)
            if waiting.prompt.count > 0:
                return
            waiting.answer.cancel()
        if self._waiting.get(waiting.prompt.question) is waiting:
            del self._waiting[waiting.prompt.question]

    async def _decide(self, prompt: Prompt, decider: Decider) -> Decision:
        decision = await decider.decide(prompt)
        if decision.is_yes:
            self.grants.give(prompt.question, decision.remember)
        return decision
