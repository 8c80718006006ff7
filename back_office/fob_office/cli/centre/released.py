"""Whether this office has the components by whose tickets meters of a value kind are opened (X5)."""

from collections.abc import Iterator, Mapping

from sqlalchemy.orm import Session

from fob_office.centre.founding.plan import RATES
from fob_office.cli.context import Cli
from fob_office.components.service import LIST, highest_offered
from fob_office.components.versions import pack, unpack
from fob_office.errors import UsageError
from fob_protocol.office.component import words
from fob_protocol.office.message import Version


def check_released(session: Session, programs: Mapping[str, Version], what: str) -> None:
    """Those that an operator names: `what` is not done else. Raises UsageError."""
    for why in _lacking(session, programs):
        raise UsageError(what, f"nobody could sign up by it: {why}", f"{LIST}    (and component add)")


def warn_of_lacking(cli: Cli, session: Session, programs: Mapping[str, Version]) -> None:
    """Those that nobody named: a data centre may be made before they are released."""
    for why in _lacking(session, programs):
        shipped = " --shipped --hardware H" if RATES in programs else ""
        cli.say(f"warning: nobody can sign up yet: {why}: fob-office component add{shipped}")


def _lacking(session: Session, programs: Mapping[str, Version]) -> Iterator[str]:
    for name, least in programs.items():
        newest = highest_offered(session, name)
        if newest == 0:
            yield f"this office has no release of {name}"
        elif newest < pack(least):
            yield f"the newest release of {name} is {words(unpack(newest))}, which is less than {words(least)}"
