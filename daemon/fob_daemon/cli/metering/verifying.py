"""`fob meter verify`: is what stands on labels what the mailer's own meter paid? Read from pictures of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.metering.asking import meter_of
from fob_daemon.cli.metering.labels import Label, Transaction, labels_of
from fob_daemon.cli.metering.words import Report
from fob_daemon.control.errors import ControlError, ExitCode
from fob_protocol.metering.amounts import amount_words
from fob_protocol.metering.indicium import Indicium, day_of, read_indicium
from fob_protocol.metering.pictures import Found, PictureError, Reading, picture_octets, read_picture
from fob_protocol.names import plain_name


class Outcome(StrEnum):
    """As the post calls it (docs/office.md), as far as who paid can tell: whether it was used only the post knows.

    REFUNDED: given back from this computer; of what another one gave back only the post knows.
    """

    GENUINE = "genuine"
    REFUNDED = "refunded"
    ALTERED = "altered"
    FORGED = "forged"
    UNKNOWN_METER = "unknown-meter"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Judged:
    """One code of a picture; `indicium`: what it says, where it can be read."""

    where: str
    outcome: Outcome
    why: str = ""
    indicium: Indicium | None = None


@click.command("verify", short_help="Read labels back, and compare them with what was paid.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@device_option
@json_option
@click.pass_obj
def verify_command(fob: Fob, files: Sequence[str], device: str | None) -> None:
    """Read every indicium in pictures (PNG, JPEG) of labels, and compare it with the transaction that paid for it.

    What this computer does not keep the device fetches, and checks. A picture that cannot be read is named, and the
    others are judged. Exit status 0: all were read, and are what was paid. Whether one was used already, stands on
    another's letter, or was given back from another computer, the post finds out.
    """
    pictures, unread = _read_all(fob, files)
    chosen = fob.device(device)
    judge = _Judge(fob, chosen, meter_of(fob, chosen)["serial"])
    judged = [one for name, found in pictures for one in judge.picture(name, found)]
    _show(fob, chosen, judged, unread)
    if unread or any(one.outcome is not Outcome.GENUINE for one in judged):
        raise click.exceptions.Exit(ExitCode.FAILED)


@dataclass(frozen=True, slots=True)
class Unread:
    """A picture of which nobody knows what is on it."""

    where: str
    error: ControlError


def _read_all(fob: Fob, files: Sequence[str]) -> tuple[list[tuple[str, list[Found]]], list[Unread]]:
    """What stands on each, and those that could not be read: a person hears of these at once."""
    pictures, unread = [], []
    for name in files:
        try:
            pictures.append((name, _read(Path(name))))
        except ControlError as error:
            unread.append(Unread(name, error))
            if not fob.output.is_json:
                fob.output.error(error)
    return pictures, unread


def _read(file: Path) -> list[Found]:
    """Raises ControlError."""
    name = plain_name(str(file), limit=len(str(file)))
    try:
        return read_picture(picture_octets(file))
    except OSError as error:
        raise ControlError(f"{name} was not read", error.strerror or str(error), f"ls -l {name}") from None
    except PictureError as error:
        raise ControlError(f"{name} was not read", error.why, error.command) from None


@dataclass(slots=True)
class _Judge:
    """`serial`: of the device's meter; of others counts what is kept here. Methods raise ControlError."""

    fob: Fob
    device: Report
    serial: str
    _paid: dict[Transaction, list[Label]] = field(default_factory=dict)

    def picture(self, name: str, found: Sequence[Found]) -> list[Judged]:
        """Each code on it; those of others do not count."""
        ours = [one for one in found if one.reading is not Reading.FOREIGN]
        if not ours:
            return [Judged(name, Outcome.DAMAGED, "no indicium is on this picture")]
        return [self._code(f"{name} at {one.x},{one.y}", one) for one in ours]

    def _code(self, where: str, found: Found) -> Judged:
        if found.indicated is None:
            outcome = Outcome.FORGED if found.reading is Reading.MALFORMED else Outcome.DAMAGED
            return Judged(where, outcome, found.why)
        said = read_indicium(found.indicated)
        paid = self._transaction((said.serial, said.counter))
        if not paid and said.serial != self.serial:
            return Judged(where, Outcome.UNKNOWN_METER, f"'{self.device['name']}' has meter {self.serial}", said)
        if said.piece >= len(paid):
            return Judged(where, Outcome.FORGED, "no transaction made it", said)
        own = paid[said.piece].indicated
        if own.indicium != found.indicated.indicium:
            return Judged(where, Outcome.ALTERED, _difference(said, paid[said.piece].indicium), said)
        if own.token != found.indicated.token:
            return Judged(where, Outcome.FORGED, "its token is another than the one that was paid", said)
        if paid[said.piece].is_void:
            return Judged(where, Outcome.REFUNDED, "it was given back from this computer, and is void", said)
        return Judged(where, Outcome.GENUINE, "", said)

    def _transaction(self, one: Transaction) -> list[Label]:
        """Its indicia in their order; none where there is no such transaction."""
        if one not in self._paid:
            try:
                self._paid[one] = labels_of(self.fob, self.device, [one])
            except ControlError as error:
                if error.exit_code is not ExitCode.NOTHING_TO_DO:
                    raise
                self._paid[one] = []
        return self._paid[one]


def _difference(said: Indicium, paid: Indicium) -> str:
    names = [name for name in Indicium.__struct_fields__ if getattr(said, name) != getattr(paid, name)]
    return f"paid for with another {', '.join(names).replace('_', ' ')}"


def _show(fob: Fob, device: Report, judged: Sequence[Judged], unread: Sequence[Unread]) -> None:
    if fob.output.is_json:
        failed = [{"where": one.where, "why": one.error.why, "next": one.error.next_command} for one in unread]
        fob.output.data({"device": device["name"], "codes": [_told(one) for one in judged], "unread": failed})
        return
    rows = [(one.where, one.outcome.value, *_read_by_people(one.indicium), one.why) for one in judged]
    fob.output.table(("WHERE", "OUTCOME", "NUMBER", "AMOUNT", "DATE", "TO", "WHY"), rows)


def _read_by_people(indicium: Indicium | None) -> tuple[str, str, str, str]:
    if indicium is None:
        return "-", "-", "-", "-"
    number = f"{indicium.counter}/{indicium.piece + 1}"
    amount = amount_words(indicium.value_kind, indicium.amount)
    return number, amount, day_of(indicium.date).isoformat(), indicium.destination


def _told(judged: Judged) -> dict[str, Any]:
    told: dict[str, Any] = {"where": judged.where, "outcome": judged.outcome.value, "why": judged.why}
    if (said := judged.indicium) is not None:
        told |= {
            "serial": said.serial, "counter": said.counter, "piece": said.piece + 1, "amount": said.amount,
            "value_kind": said.value_kind, "date": day_of(said.date).isoformat(), "destination": said.destination,
            "origin": said.origin, "class": said.mail_class,
        }  # fmt: skip
    return told
