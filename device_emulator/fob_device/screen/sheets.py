"""What the phone asks its person: a sheet for each question, with an id that counts once."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import ClassVar, Final, TypeVar

from fob_device.approval.askers import Askers
from fob_device.approval.questions import Decision, Prompt, Question
from fob_device.listeners import Listener
from fob_device.pad.entry import PinEntry
from fob_device.pad.password import PasswordEntry
from fob_device.pairings import NameOf
from fob_device.screen.errors import SheetGoneError

# Octets of a sheet's id: nobody guesses one.
ID_SIZE: Final = 16

# What a sheet says while nobody who asks is there.
AWAY: Final = "the computer is away; your answer counts if it is back soon"


class Kind(Enum):
    """What a sheet is for."""

    APPROVAL = "approval"
    PIN = "pin"
    PAIRING = "pairing"
    PASSWORD = "password"  # noqa: S105 - the kind of a sheet


class Stage(Enum):
    """Which PIN a sheet asks for."""

    PIN = "pin"
    NEW = "new"
    AGAIN = "again"


@dataclass(slots=True, eq=False)
class Sheet:
    """`id`: 32 hex digits. `until`: on the person's clock, in seconds."""

    kind: ClassVar[Kind]
    id: str
    until: float

    @property
    def words(self) -> str:
        """The question; every character is plain."""
        raise NotImplementedError

    @property
    def count(self) -> int:
        """How many requests one answer answers."""
        return 1

    @property
    def is_away(self) -> bool:
        """True while an answer does nothing yet: whoever asks has lost its line, and may come back."""
        return False

    def named(self, name_of: NameOf) -> "Sheet":
        """As it is read now: a computer that pairs while a sheet is open may have the name of the one that asks."""
        return self


@dataclass(slots=True, eq=False)
class RequestSheet(Sheet):
    """What computers ask by requests, and for as long as they wait."""

    @property
    def askers(self) -> Askers:
        """Who waits for the answer."""
        raise NotImplementedError

    @property
    def asked(self) -> str:
        """The question while somebody is there who asks it."""
        raise NotImplementedError

    @property
    def words(self) -> str:
        """As the PC says them too, while it is there."""
        return self.asked + (f" ({AWAY})" if self.is_away else "")

    @property
    def count(self) -> int:
        """How many ask the same."""
        return len(self.askers)

    @property
    def is_away(self) -> bool:
        """All of them."""
        return self.askers.are_away


@dataclass(slots=True, eq=False)
class ApprovalSheet(RequestSheet):
    """A key is about to be used: yes or no."""

    kind = Kind.APPROVAL
    prompt: Prompt
    answered: "asyncio.Future[Decision]" = field(repr=False)

    @property
    def question(self) -> Question:
        """Who asks, for what, with which key."""
        return self.prompt.question

    @property
    def can_be_remembered(self) -> bool:
        """False for what is asked always."""
        return self.question.can_be_remembered

    @property
    def askers(self) -> Askers:
        """All who ask this question."""
        return self.prompt.askers

    @property
    def asked(self) -> str:
        """Which computer, what for, with which key."""
        return self.prompt.words()

    def named(self, name_of: NameOf) -> "ApprovalSheet":
        """With another name in the question."""
        question = replace(self.question, pc_name=name_of(self.question.pc_key, self.question.pc_name))
        return replace(self, prompt=replace(self.prompt, question=question))


@dataclass(slots=True, eq=False)
class PinSheet(RequestSheet):
    """A PIN is due. `said`: what the pad says to the last one. No PIN is kept where `repr` sees it."""

    kind = Kind.PIN
    entry: PinEntry
    stage: Stage = Stage.PIN
    said: str = ""
    askers: Askers = field(default_factory=Askers, repr=False)
    is_checking: bool = False

    @property
    def asked(self) -> str:
        """Whose PIN, what for, for which computer."""
        return self.entry.words()

    def named(self, name_of: NameOf) -> "PinSheet":
        """With another name in the entry."""
        return replace(self, entry=replace(self.entry, pc_name=name_of(self.entry.pc_key, self.entry.pc_name)))


@dataclass(slots=True, eq=False)
class PasswordSheet(RequestSheet):
    """A data centre's password is typed here; it is kept nowhere."""

    kind = Kind.PASSWORD
    entry: PasswordEntry
    typed: "asyncio.Future[str | None]" = field(repr=False)
    said: str = ""
    askers: Askers = field(default_factory=Askers, repr=False)

    @property
    def asked(self) -> str:
        """Whose password, what for, for which computer."""
        return self.entry.words()

    def named(self, name_of: NameOf) -> "PasswordSheet":
        """With another name in the entry."""
        return replace(self, entry=replace(self.entry, pc_name=name_of(self.entry.pc_key, self.entry.pc_name)))


@dataclass(slots=True, eq=False)
class PairingSheet(Sheet):
    """Does the computer show the same six digits?"""

    kind = Kind.PAIRING
    code: str
    answered: "asyncio.Future[bool]" = field(repr=False)

    @property
    def words(self) -> str:
        """The question with the code as the PC shows it."""
        return f"Does the computer show {self.code[:3]} {self.code[3:]}?"


S = TypeVar("S", bound=Sheet)


@dataclass(slots=True, eq=False)
class Sheets:
    """The open ones, oldest first. `changed` hears of each that opens or closes."""

    random: Callable[[int], bytes] = field(repr=False)
    clock: Callable[[], float] = field(repr=False)
    changed: Listener = field(repr=False)
    _open: dict[str, Sheet] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Sheet]:
        return iter(list(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)

    def new_id(self) -> str:
        """For the next sheet."""
        return self.random(ID_SIZE).hex()

    def put_up(self, sheet: S) -> S:
        """On the screen from now on."""
        self._open[sheet.id] = sheet
        self.changed()
        return sheet

    def take_down(self, sheet: Sheet) -> None:
        """Answered, withdrawn or out of time; nothing when it is gone already."""
        if self._open.pop(sheet.id, None) is not None:
            self.changed()

    def find(self, sheet_id: str, kind: type[S]) -> S:
        """The open sheet of this id and kind. Raises SheetGoneError."""
        sheet = self._open.get(sheet_id)
        if not isinstance(sheet, kind):
            raise SheetGoneError
        return sheet

    def seconds_left(self, sheet: Sheet) -> float:
        """Until the question is withdrawn, not below 0."""
        return max(sheet.until - self.clock(), 0.0)
