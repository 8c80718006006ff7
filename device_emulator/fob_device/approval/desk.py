"""Where the requests of one PC meet the device's person."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fob_device.approval.callers import Callers
from fob_device.approval.grants import Grants
from fob_device.approval.questions import Decider, Prompt, Question


@dataclass(slots=True)
class ApprovalDesk:
    """What the device knows of one PC's programs until it restarts: who they are, and what they were granted."""

    clock: Callable[[], float]
    callers: Callers = field(default_factory=Callers)
    grants: Grants = field(init=False)

    def __post_init__(self) -> None:
        self.grants = Grants(self.clock)

    async def ask(self, question: Question, decider: Decider) -> bool:
        """The person's answer, remembered for as long as they said."""
        decision = await decider.decide(Prompt(question))
        if decision.is_yes:
            self.grants.give(question, decision.remember)
        return decision.is_yes
