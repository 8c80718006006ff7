"""What a headless phone would have on its screen, in lines for whoever started it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from fob_device.approval.asking import Asking
from fob_device.approval.questions import Decision, Prompt, Question
from fob_device.approval.rules import Rule, Rules
from fob_device.pad.entry import PinEntry
from fob_device.pad.password import PasswordEntry
from fob_device.pad.pin_pad import Check
from fob_protocol.limits import PAIRING_CLOSED_FOR, PAIRING_TRIES
from fob_protocol.names import plain_name

T = TypeVar("T")

FILE: Final = "the rule file"
NO_FILE: Final = "a phone without a rule file"

_SAID: Final = {"allow": "says yes", "deny": "says no", "ignore": "never answers"}


@dataclass(frozen=True, slots=True)
class Narrator:
    """A Decider: `rules` answer, and `say` is told each question with its answer, but what is allowed at once.

    `source` is whose answers they are. No line holds a PIN, or a character that steers a terminal.
    """

    rules: Rules
    say: Callable[[str], None]
    source: str = FILE

    @property
    def has_pin_pad(self) -> bool:
        """As the rules have it."""
        return self.rules.has_pin_pad

    @property
    def pairing_open(self) -> bool:
        """As the rules say."""
        return self.rules.pairing_open

    def is_silent(self, question: Question) -> bool:
        """As the rules say."""
        return self.rules.is_silent(question)

    async def decide(self, prompt: Prompt) -> Decision:
        """The rules' answer."""
        rule = self.rules.rule_for(prompt.question)
        if not (rule.is_silent and rule.answer == "allow"):
            self.say(f"asked: {prompt.words()} ({self._answer(rule)})")
        return await self.rules.decide(prompt)

    async def log_in(self, entry: PinEntry, check: Check[bytes], asking: Asking) -> bytes | None:
        """The PIN that the rules type."""
        self._say_entry(entry)
        return await self.rules.log_in(entry, check, asking)

    async def enter(self, entry: PinEntry, check: Check[T], asking: Asking) -> T | None:
        """The PIN that the rules type."""
        self._say_entry(entry)
        return await self.rules.enter(entry, check, asking)

    async def choose(self, entry: PinEntry, asking: Asking) -> bytes | None:
        """The PIN that the rules choose."""
        self._say_entry(entry)
        return await self.rules.choose(entry, asking)

    async def type_password(self, entry: PasswordEntry, asking: Asking) -> str | None:
        """The password that the rules type."""
        typed = "has none" if self.rules.password is None else "types it"
        self.say(f"asked: {entry.words()} ({self.source} {typed})")
        return await self.rules.type_password(entry, asking)

    async def unlocked(self, asking: Asking) -> None:
        """A headless phone has no lock."""

    def forget_pin(self) -> None:
        """It is another one."""
        self.rules.forget_pin()

    async def compare(self, code: str) -> bool:
        """The rules' answer. The computer's name comes only with its person's yes."""
        equal = await self.rules.compare(code)
        self.say(f"pairing: code {code[:3]} {code[3:]} ({self.source} says {'yes' if equal else 'no'})")
        return equal

    def paired(self, pc_name: str) -> None:
        """A computer was stored."""
        self.say(f"paired with '{plain_name(pc_name)}'")

    def pairing_opened(self, is_open: bool) -> None:
        """Too many pairings in a row came to nothing, or that was a while ago."""
        if is_open:
            self.say("pairing is open again")
        else:
            self.say(f"pairing is closed for {PAIRING_CLOSED_FOR:g} s: {PAIRING_TRIES} tries in a row came to nothing")

    def _say_entry(self, entry: PinEntry) -> None:
        typed = "has none" if self.rules.pin_for(entry) is None else "types it"
        self.say(f"asked: {entry.words()} ({self.source} {typed})")

    def _answer(self, rule: Rule) -> str:
        after = f" after {rule.after:g} s" if rule.after and rule.answer != "ignore" else ""
        return f"{self.source} {_SAID[rule.answer]}{after}"
