"""Sheets, as their templates need them."""

from dataclasses import dataclass
from typing import Final

from fob_device.approval.questions import Operation, Prompt, Question
from fob_device.pad.entry import PinUse
from fob_device.screen.sheets import AWAY, ApprovalSheet, PairingSheet, PasswordSheet, PinSheet, Sheet, Stage
from fob_device.screen.web.views.deeds import has_unknown_host, title
from fob_device.screen.web.words import duration, first_upper
from fob_protocol.caller import Caller
from fob_protocol.deeds import BY, FORWARDED
from fob_protocol.metering.limits import PASSWORD_LIMIT
from fob_protocol.names import plain_name, shortened
from fob_protocol.pkcs11.constants import Cku

# Characters of a title that fit one line in large letters.
LARGE: Final = 24

_KINDS: Final = {
    Operation.SIGN: "Signature",
    Operation.DECRYPT: "Decryption",
    Operation.DERIVE: "Key agreement",
    Operation.FRANK: "Postage",
    Operation.LOAD: "Payment",
    Operation.REFUND: "Refund",
}
# Characters of a computer's name above a title; the whole of it stands below.
HEAD: Final = 32

# Characters of a fact that stand beside its name; more get the whole width.
BESIDE: Final = 20

_UNKNOWN_PROGRAM: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of who asks; `chain`, in place of `value`: the program and those that started it."""

    icon: str
    name: str
    value: str = ""
    chain: tuple[str, ...] = ()

    @property
    def is_long(self) -> bool:
        """It stands below its name."""
        return len(BY.join(self.chain) or self.value) > BESIDE


@dataclass(frozen=True, slots=True)
class Choice:
    """For how long a yes may hold."""

    seconds: int
    short: str

    @property
    def words(self) -> str:
        """`1 hour`."""
        return duration(self.seconds)


REMEMBER: Final = (Choice(300, "5 min"), Choice(3600, "1 hour"), Choice(28_800, "8 hours"))


@dataclass(frozen=True, slots=True)
class SheetView:
    """What all sheets have. `seconds`: the time they had at first, or have left if that is more."""

    template: str
    id: str
    kind: str
    title: str
    words: str
    count: int
    seconds_left: float
    seconds: float

    @property
    def is_long(self) -> bool:
        """The title takes smaller letters."""
        return len(self.title) > LARGE

    @property
    def ring(self) -> float:
        """How much of the time is over, in percent."""
        return round(100 - 100 * self.seconds_left / self.seconds, 1)


@dataclass(frozen=True, slots=True)
class ApprovalView(SheetView):
    """A key is about to be used. `plain`: what a plain yes is called."""

    facts: tuple[Fact, ...]
    is_forwarded: bool
    plain: str
    remember: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class PairingView(SheetView):
    """Six digits to compare."""

    code: str

    @property
    def spelled(self) -> str:
        """For those who hear it."""
        return f"{' '.join(self.code[:3])}, {' '.join(self.code[3:])}"


@dataclass(frozen=True, slots=True)
class PinView(SheetView):
    """A PIN is due. `stage`: which one; `said`: to the last one."""

    stage: str
    purpose: str
    said: str
    is_wrong: bool
    is_erasing: bool
    is_forwarded: bool
    field: str


@dataclass(frozen=True, slots=True)
class PasswordView(SheetView):
    """A password is due, twice where it `is_new`; `said`: to the last one."""

    purpose: str
    said: str
    is_new: bool
    limit: int


def sheet_view(sheet: Sheet, seconds_left: float, seconds: float, plain_seconds: int) -> SheetView:
    """What a sheet shows now; a plain yes holds for `plain_seconds`. Raises TypeError for a kind without a template."""
    times = (seconds_left, max(seconds, seconds_left))
    match sheet:
        case ApprovalSheet():
            return _approval(sheet, *times, plain_seconds if sheet.can_be_remembered else 0)
        case PairingSheet():
            return _pairing(sheet, *times)
        case PinSheet():
            return _pin(sheet, *times)
        case PasswordSheet():
            return _password(sheet, *times)
    raise TypeError(f"no template for a sheet of {sheet.kind}")


def facts_of(question: Question) -> tuple[Fact, ...]:
    """Who asks for what, a line each."""
    caller = question.caller
    program = Fact("program", "Program", _UNKNOWN_PROGRAM, caller.programs)
    computer = Fact("computer", "Computer", plain_name(question.pc_name))
    label = plain_name(question.key_label)
    key = Fact("pen", "Meter", label) if question.deed else Fact("key", "Key", label)
    return (program, computer, key, *_where(caller))


def _where(caller: Caller) -> tuple[Fact, ...]:
    name = "Host key" if has_unknown_host(caller) else "Host"
    host = (Fact("host", name, caller.host),) if caller.host else ()
    return (*host, Fact("pen", "Namespace", caller.namespace)) if caller.namespace else host


def _again(prompt: Prompt) -> tuple[Fact, ...]:
    """Why it is asked though it was allowed before."""
    return (Fact("history", "Asked again", first_upper(prompt.again)),) if prompt.again else ()


def _away(sheet: Sheet) -> tuple[Fact, ...]:
    """That an answer does nothing yet."""
    return (Fact("none", "Away", first_upper(AWAY)),) if sheet.is_away else ()


def _approval(sheet: ApprovalSheet, seconds_left: float, seconds: float, plain_seconds: int) -> ApprovalView:
    question = sheet.question
    return ApprovalView(
        template="sheets/approval.html",
        id=sheet.id,
        kind=_KINDS[question.operation],
        title=first_upper(question.deed)
        or title(question.operation.value, question.caller, plain_name(question.key_label)),
        words=sheet.words,
        count=sheet.count,
        seconds_left=seconds_left,
        seconds=seconds,
        facts=(*_away(sheet), *facts_of(question), *_again(sheet.prompt)),
        is_forwarded=question.caller.is_forwarded,
        plain=f"Allow for {duration(plain_seconds)}" if plain_seconds else "Allow once",
        remember=tuple(choice for choice in REMEMBER if sheet.can_be_remembered and choice.seconds != plain_seconds),
    )


def _pairing(sheet: PairingSheet, seconds_left: float, seconds: float) -> PairingView:
    return PairingView(
        template="sheets/pairing.html",
        id=sheet.id,
        kind="A computer wants to pair",
        title="Compare the codes",
        words=sheet.words,
        count=1,
        seconds_left=seconds_left,
        seconds=seconds,
        code=sheet.code,
    )


def _password(sheet: PasswordSheet, seconds_left: float, seconds: float) -> PasswordView:
    entry = sheet.entry
    return PasswordView(
        template="sheets/password.html",
        id=sheet.id,
        kind=f"{shortened(plain_name(entry.pc_name), HEAD)} asks for a password",
        title="Choose a password" if entry.is_new else "Type the password",
        words=sheet.words,
        count=sheet.count,
        seconds_left=seconds_left,
        seconds=seconds,
        purpose=f"Of {entry.what()}. It is sealed here: the computer does not see it."
        + (f" ({AWAY})" if sheet.is_away else ""),
        said=sheet.said,
        is_new=entry.is_new,
        limit=PASSWORD_LIMIT,
    )


# By stage: the title, and what a reader of screens calls the field.
_PINS: Final = {
    Stage.PIN: ("Type {}", "PIN"),
    Stage.NEW: ("Choose {}", "New PIN"),
    Stage.AGAIN: ("Type {} again", "New PIN again"),
}
_OWNERS: Final = {Cku.USER: "PIN", Cku.SO: "security officer's PIN"}


def _pin(sheet: PinSheet, seconds_left: float, seconds: float) -> PinView:
    entry = sheet.entry
    title_of, field = _PINS[sheet.stage]
    article = "the new" if sheet.stage is Stage.AGAIN else "a new" if entry.is_new else "the"
    return PinView(
        template="sheets/pin.html",
        id=sheet.id,
        kind=f"{shortened(plain_name(entry.pc_name), HEAD)} asks for a PIN",
        title=title_of.format(f"{article} {_OWNERS[entry.user]}"),
        words=sheet.words,
        count=sheet.count,
        seconds_left=seconds_left,
        seconds=seconds,
        stage=sheet.stage.value,
        purpose=f"To {entry.what().removesuffix(FORWARDED)}" + (f" ({AWAY})" if sheet.is_away else ""),
        said=sheet.said,
        is_wrong=bool(sheet.said) and sheet.stage is not Stage.AGAIN,
        is_erasing=entry.use is PinUse.ERASE,
        is_forwarded=entry.caller.is_forwarded,
        field=field,
    )
