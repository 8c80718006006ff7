"""A warning record on its way (M20, M22): as long as a database server takes, and to whichever answers first."""

import structlog

from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.errors import AwayError, BusRefusedError, DirectoryError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import Warn
from fob_office.centre.limits import WARNING_LIMIT
from fob_office.centre.next_step import shortened

log = structlog.get_logger(__name__)


def warning_of(word: str, serial: str, why: str, time: int) -> Warn:
    """Cut where the reason is long; the command that helps stays."""
    return Warn(word, serial, shortened(why, WARNING_LIMIT), time)


async def tell_database(links: Links, warning: Warn, patience: float) -> bool:
    """Whether one has taken it; `patience`: seconds for each of them."""
    try:
        names = [entry.name for entry in links.directory.of_kind(Kind.DATABASE)]
    except DirectoryError as error:
        log.error("a warning is not recorded", why=str(error))
        return False
    for name in names:
        try:
            await links.to(name).ask(warning, patience)
        except (AwayError, BusRefusedError) as error:
            log.warning("a warning is not recorded", database=name, why=error.why)
            continue
        return True
    return False
