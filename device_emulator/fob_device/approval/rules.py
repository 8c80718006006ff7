"""A headless device's person: a rule file (TOML).

pairing = "accept"            # or "refuse"
pin = "123456"                # what is typed when the user's PIN is asked for; absent: no PIN pad
unlocked = 300                # seconds for which the phone stays unlocked by that PIN, at most twelve hours, so that
                              # logins and the meter ask for it no more; absent or 0: typed each time
so_pin = "12345678"           # what is typed when the security officer's is asked for; absent: nobody types it
new_pin = "271828"            # what is chosen, and typed twice, where a PIN is set; absent: nobody chooses
password = "correct horse"    # what is typed when a data centre's password is asked for; absent: nobody types it
[[approval]]                  # the first that matches decides; none: allow at once
operation = "sign"            # sign, decrypt, derive, frank, load, refund; absent: any
key = "git*"                  # a pattern for the key's label; absent: any
program = "ssh*"              # a pattern for any program of the chain, the first or a later one; absent: any
host = "*.example.org"        # a pattern for where a login goes ("" where that is not known); absent: any
namespace = "git"             # a pattern for what a signature over data is of; absent: any
purpose = "login"             # login, signature, tls-client, unknown; absent: any
forwarded = true              # only what comes from another machine, or false: only what does not; absent: either
answer = "allow"              # allow, deny, or ignore (nobody ever taps)
after = 2.0                   # seconds the person takes, at most an hour; absent or 0: at once, nobody is asked
remember = 300                # seconds for which a yes holds for the same programs, key, operation and host, at most
                              # twelve hours; forwarded and unknown programs ask always; absent or 0: this once

docs/device.md has it as a table.
"""

import asyncio
import tomllib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, TypeVar

from fob_device.approval.asking import Asking
from fob_device.approval.questions import DecidedBy, Decision, Operation, Prompt, Question
from fob_device.approval.unlocked import Unlocked
from fob_device.pad.entry import PinEntry
from fob_device.pad.password import PasswordEntry
from fob_device.pad.pin_pad import Check
from fob_device.token.pins import check_pin_size
from fob_protocol.caller import Caller, Purpose
from fob_protocol.pkcs11.constants import Cku

ANSWERS: Final = ("allow", "deny", "ignore")
PAIRING: Final = ("accept", "refuse")
OPERATIONS: Final = tuple(operation.value for operation in Operation)
PURPOSES: Final = {
    "login": Purpose.LOGIN,
    "signature": Purpose.SIGNATURE,
    "tls-client": Purpose.TLS_CLIENT,
    "unknown": Purpose.UNKNOWN,
}

# A rule file is a page of text.
FILE_LIMIT: Final = 65_536
# Seconds. Nobody waits longer: the PC gives a question up after ten minutes.
AFTER_LIMIT: Final = 3600
# Seconds. A login's ticket lives no longer.
REMEMBER_LIMIT: Final = 43_200
# Seconds, as long.
UNLOCKED_LIMIT: Final = 43_200

FILE_KEYS: Final = frozenset({"pairing", "pin", "so_pin", "new_pin", "password", "unlocked", "approval"})
PATTERNS: Final = ("program", "host", "namespace")
APPROVAL_KEYS: Final = frozenset({"operation", "key", "answer", "after", "remember", "purpose", "forwarded", *PATTERNS})

T = TypeVar("T")

Sleep = Callable[[float], Awaitable[None]]


class RuleError(ValueError):
    """The rule file says something that is not a rule; the text names the line's key."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One [[approval]] entry."""

    operation: Operation | None = None
    key: str = "*"
    answer: str = "allow"
    after: float = 0.0
    program: str | None = None
    host: str = "*"
    namespace: str = "*"
    purpose: Purpose | None = None
    forwarded: bool | None = None
    remember: float = 0.0

    def matches(self, question: Question) -> bool:
        """True when this rule is about `question`."""
        return (
            self.operation in (None, question.operation)
            and fnmatchcase(question.key_label, self.key)
            and self._matches_caller(question.caller)
        )

    def _matches_caller(self, caller: Caller) -> bool:
        return (
            self.purpose in (None, caller.purpose)
            and self.forwarded in (None, caller.is_forwarded)
            and fnmatchcase(caller.host, self.host)
            and fnmatchcase(caller.namespace, self.namespace)
            and (self.program is None or any(fnmatchcase(program, self.program) for program in caller.programs))
        )

    @property
    def is_silent(self) -> bool:
        """True when nobody has to be asked."""
        return self.answer != "ignore" and self.after == 0


ALLOW: Final = Rule()


@dataclass(frozen=True, slots=True)
class Rules:
    """A whole rule file; a Decider."""

    approvals: tuple[Rule, ...] = ()
    pairing: str = "accept"
    typed_pin: bytes | None = field(default=None, repr=False)
    sleep: Sleep = field(default=asyncio.sleep, repr=False)
    typed_so_pin: bytes | None = field(default=None, repr=False)
    chosen_pin: bytes | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    unlocked_for: float = 0.0
    _lock: Unlocked = field(default_factory=Unlocked, init=False, repr=False, compare=False)

    @property
    def has_pin_pad(self) -> bool:
        """The pad exists when the file types on it."""
        return self.typed_pin is not None

    @property
    def pairing_open(self) -> bool:
        """As the file says."""
        return self.pairing == "accept"

    def rule_for(self, question: Question) -> Rule:
        """The first rule that matches, else allow at once."""
        return next((rule for rule in self.approvals if rule.matches(question)), ALLOW)

    def is_silent(self, question: Question) -> bool:
        """True when the rule answers at once."""
        return self.rule_for(question).is_silent

    async def decide(self, prompt: Prompt) -> Decision:
        """The rule's answer, after the time its person takes."""
        rule = self.rule_for(prompt.question)
        if rule.answer == "ignore":
            await asyncio.Event().wait()
        await self.sleep(rule.after)
        return Decision(rule.answer == "allow", rule.remember, DecidedBy.RULE)

    def pin_for(self, entry: PinEntry) -> bytes | None:
        """What the file types, None where it has no such PIN."""
        if entry.is_new:
            return self.chosen_pin
        return self.typed_pin if entry.user is Cku.USER else self.typed_so_pin

    async def log_in(self, entry: PinEntry, check: Check[bytes], asking: Asking) -> bytes | None:
        """Typed at every login, unless the phone stays unlocked for a while."""
        master_key = self._lock.master_key
        if master_key is None and (master_key := await self.enter(entry, check, asking)) is not None:
            self._lock.open(master_key, self.unlocked_for)
        return master_key

    async def enter(self, entry: PinEntry, check: Check[T], asking: Asking) -> T | None:
        """Typed once, at once. Raises CkrError PIN_INCORRECT too: the file has no other PIN."""
        pin = self.pin_for(entry)
        return None if pin is None else await check(pin)

    async def choose(self, entry: PinEntry, asking: Asking) -> bytes | None:
        """The file's new PIN. Raises CkrError PIN_LEN_RANGE."""
        pin = self.pin_for(entry)
        if pin is not None:
            check_pin_size(pin)
        return pin

    async def type_password(self, entry: PasswordEntry, asking: Asking) -> str | None:
        """The file's."""
        return self.password

    async def unlocked(self, asking: Asking) -> None:
        """Nothing waits for a headless phone's unlocking."""

    def forget_pin(self) -> None:
        """It is another one: the phone is locked."""
        self._lock.lock()

    async def compare(self, code: str) -> bool:
        """A headless device trusts the person at the PC to compare."""
        return self.pairing_open


def load_rules(path: Path) -> Rules:
    """Read a rule file. Raises RuleError with the place of the mistake."""
    if path.stat().st_size > FILE_LIMIT:
        raise RuleError(f"{path.name} is over {FILE_LIMIT} octets")
    try:
        return parse_rules(tomllib.loads(path.read_text()))
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{path.name}: {error}") from None
    except RecursionError:
        raise RuleError(f"{path.name}: too many brackets, one in another") from None


def parse_rules(table: dict[str, Any]) -> Rules:
    """Rules from a parsed file. Raises RuleError."""
    _only(table, "the file", FILE_KEYS)
    entries = table.get("approval", [])
    if not isinstance(entries, list):
        raise RuleError("approval is a list: [[approval]]")
    return Rules(
        tuple(_parse_rule(entry) for entry in entries),
        _one_of("pairing", table.get("pairing", "accept"), PAIRING),
        _optional_pin("pin", table),
        typed_so_pin=_optional_pin("so_pin", table),
        chosen_pin=_optional_pin("new_pin", table),
        password=_string("password", table["password"]) if "password" in table else None,
        unlocked_for=_seconds("unlocked", table.get("unlocked", 0), UNLOCKED_LIMIT),
    )


def _parse_rule(entry: object) -> Rule:
    if not isinstance(entry, dict):
        raise RuleError("an approval is a table: [[approval]] and its lines")
    _only(entry, "an approval", APPROVAL_KEYS)
    return Rule(
        Operation(_one_of("operation", entry["operation"], OPERATIONS)) if "operation" in entry else None,
        _string("key", entry.get("key", "*")),
        _one_of("answer", entry.get("answer", "allow"), ANSWERS),
        _seconds("after", entry.get("after", 0), AFTER_LIMIT),
        remember=_remember(entry),
        **_about_caller(entry),
    )


def _optional_pin(name: str, table: dict[str, Any]) -> bytes | None:
    return _string(name, table[name]).encode() if name in table else None


def _remember(entry: dict[str, Any]) -> float:
    seconds = _seconds("remember", entry.get("remember", 0), REMEMBER_LIMIT)
    if seconds and entry.get("answer", "allow") != "allow":
        raise RuleError('only answer = "allow" can be remembered')
    return seconds


def _about_caller(entry: dict[str, Any]) -> dict[str, Any]:
    """What a rule says of who asks, as Rule's arguments."""
    arguments: dict[str, Any] = {name: _string(name, entry[name]) for name in PATTERNS if name in entry}
    if "purpose" in entry:
        arguments["purpose"] = PURPOSES[_one_of("purpose", entry["purpose"], tuple(PURPOSES))]
    if "forwarded" in entry:
        arguments["forwarded"] = _boolean("forwarded", entry["forwarded"])
    return arguments


def _string(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise RuleError(f"{name} is a string in quotes")
    return value


def _boolean(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise RuleError(f"{name} is true or false")
    return value


def _seconds(name: str, value: object, limit: int) -> float:
    # TOML knows nan, and numbers that no float holds; a comparison sorts both out.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= limit:
        raise RuleError(f"{name} is a number of seconds, 0 to {limit}")
    return float(value)


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise RuleError(f"{name} is one of {', '.join(allowed)}")
    return str(value)


def _only(table: dict[str, Any], where: str, known: frozenset[str]) -> None:
    unknown = set(table) - known
    if unknown:
        raise RuleError(f"{where} has no '{min(unknown)}'; it knows {', '.join(sorted(known))}")
