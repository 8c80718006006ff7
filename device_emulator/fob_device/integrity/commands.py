"""+FOBCOPIES and what else a PC asks of the device's copies (docs/protocol.md, section 4.3). None tells a UI (V13)."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from fob_device.office.naming import named
from fob_device.security.context import Context
from fob_device.security.values import octets, text
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer
from fob_protocol.at.values import Value, Values
from fob_protocol.integrity.held_copy import HeldCopy
from fob_protocol.integrity.letter import LetterError, read_letter
from fob_protocol.integrity.presentation import Presentation
from fob_protocol.integrity.ticket import unverified_ticket
from fob_protocol.names import plain_name
from fob_protocol.office.component import words
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

if TYPE_CHECKING:
    from fob_device.office.back_office import BackOffice


async def list_copies(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBCOPIES: nothing while nothing needs to be validated."""
    await office.started.wait()
    standings = office.standings
    lines = []
    for program in standings.programs if office.copies.is_required else ():
        copy = standings.copy(program.name)
        number, time, until = (None, None, None) if copy is None else _numbers(copy)
        word, reason = standings.word(program.name), standings.reason(program.name)
        lines.append((program.name, words(program.version), number, word, reason or program.damage, time, until))
    return Answer(tuple(lines))


async def validate(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBVALIDATE: on demand (V17)."""
    await office.started.wait()
    name = _program(office, values[0])
    with named():
        await office.copies.validate(name)
    return Answer()


async def give_ticket(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBTICKET: the last VAL_OK."""
    with named():
        return Answer(((office.standings.ticket(_program(office, values[0])),),))


async def present(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBPRESENT: to a relying party, for this one request of it (V18)."""
    name, audience, nonce = _program(office, values[0]), text(values[1]), octets(values[2])
    async with context.asking(f"show {plain_name(audience)} that '{plain_name(name)}' is genuine") as asking:
        await context.decider.unlocked(asking)
    with named():
        presentation = Presentation(office.standings.ticket(name))
    try:
        return Answer(((presentation.signed(office.device.signing_key, audience, nonce),),))
    except ValueError as error:
        raise CkrError(Ckr.ARGUMENTS_BAD, str(error)) from None


async def enter_letter(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBLETTER: a person typed it at the PC."""
    await office.started.wait()
    name = _program(office, values[0])
    try:
        identifier = read_letter(text(values[1]))
    except LetterError as error:
        raise CkrError(Ckr.ARGUMENTS_BAD, str(error)) from None
    with named():
        await office.copies.enter_letter(name, identifier)
    return Answer()


HANDLERS: Final[dict[str, "Callable[[BackOffice, Context, Values], Awaitable[Answer]]"]] = {
    catalogue.COPIES.name: list_copies,
    catalogue.VALIDATE.name: validate,
    catalogue.TICKET.name: give_ticket,
    catalogue.PRESENT.name: present,
    catalogue.LETTER.name: enter_letter,
}


def _numbers(copy: HeldCopy) -> tuple[Value, Value, Value]:
    """Copy number, DT and until when the ticket is good."""
    if copy.ticket is None:
        return copy.about.copy, None, None
    ticket = unverified_ticket(copy.ticket)
    return copy.about.copy, ticket.time, ticket.until


def _program(office: "BackOffice", value: Value) -> str:
    name = text(value)
    if name not in {program.name for program in office.standings.programs}:
        raise CkrError(Ckr.ARGUMENTS_BAD, f"no program {plain_name(name)}")
    return name
