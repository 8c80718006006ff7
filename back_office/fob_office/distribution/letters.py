"""Letters: an identifier that a person carries to whom a copy shall belong (D2, D4)."""

from fob_office.components.versions import pack
from fob_office.database.erasing import erase_some
from fob_office.distribution.keeping import seal_letter
from fob_office.distribution.tables import Letter
from fob_office.errors import OperatorError
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.programs.programs import Program
from fob_office.programs.service import program_of
from fob_office.programs.settings import letter_method, setting_of
from fob_protocol.integrity.identifier import identifier_name
from fob_protocol.integrity.letter import write_letter
from fob_protocol.integrity.limits import IDENTIFIER_SIZE, LETTER_TIME
from fob_protocol.integrity.method import Method, Technique
from fob_protocol.office.message import Version


def make_letter(office: Office, name: str, version: Version, technique: Technique | None, who: str) -> str:
    """What to print, once: it cannot be shown again. Good for LETTER_TIME and one holder. Raises OperatorError."""
    identifier = office.surroundings.random(IDENTIFIER_SIZE)
    with office.database.write() as session:
        program = program_of(session, name, version)
        if program.is_withdrawn:
            raise OperatorError("no letter was made", f"{program.called} is withdrawn", "fob-office program list")
        method = letter_method(setting_of(session, program).method, technique)
        session.add(_row(office, program, method, identifier))
        erase_some(session, Letter, Letter.until, office.now())
        record(session, office.now(), who, "letter made", program.called)
    return write_letter(identifier)


def _row(office: Office, program: Program, method: Method, identifier: bytes) -> Letter:
    name = identifier_name(identifier)
    return Letter(
        name=name, program=program.name, version=pack(program.version),
        release=program.release, installation=program.installation,
        technique=method.technique, embedder=method.embedder, variant=method.variant,
        until=office.now() + LETTER_TIME, identifier=seal_letter(office.sealer, name, identifier),
    )  # fmt: skip
