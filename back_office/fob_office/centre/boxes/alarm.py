"""What a function server should not have asked for is told to the database by the box that refuses it (M20, M22)."""

from typing import Final

import structlog

from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Pass
from fob_office.centre.warning import tell_database, warning_of
from fob_office.surroundings import Surroundings

log = structlog.get_logger(__name__)

# Seconds for a warning; the refusal waits no longer for it.
_TIME: Final = 2.0


class Alarm:
    """Of one box."""

    def __init__(self, links: Links, surroundings: Surroundings) -> None:
        self._links = links
        self._surroundings = surroundings

    async def warn(self, asker: Pass, refused: BusRefusedError) -> None:
        """A warning record, by whichever database server answers first; the box's own log has it besides."""
        log.critical("refused", asker=asker.name, word=refused.word, why=refused.why, clause="M22")
        why = f"{asker.name}: {refused.why}"
        await tell_database(self._links, warning_of(refused.word, "", why, self._surroundings.clock()), _TIME)
