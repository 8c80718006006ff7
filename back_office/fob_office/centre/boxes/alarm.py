"""What a function server should not have asked for is told to the database by the box that refuses it (M20, M22)."""

from typing import Final

import structlog

from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.errors import AwayError, BusRefusedError, DirectoryError
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.database import Warn
from fob_office.surroundings import Surroundings

log = structlog.get_logger(__name__)

# Seconds for a warning; the refusal waits no longer for it.
_TIME: Final = 2.0
_WHY_LIMIT: Final = 200


class Alarm:
    """Of one box."""

    def __init__(self, links: Links, surroundings: Surroundings) -> None:
        self._links = links
        self._surroundings = surroundings

    async def warn(self, asker: Pass, refused: BusRefusedError) -> None:
        """A warning record, by whichever database server answers first; the box's own log has it besides."""
        why = f"{asker.name}: {refused.why}"[:_WHY_LIMIT]
        log.critical("refused", asker=asker.name, word=refused.word, why=refused.why, clause="M22")
        warning = Warn(refused.word, "", why, self._surroundings.clock())
        try:
            for entry in self._links.directory.of_kind(Kind.DATABASE):
                try:
                    await self._links.to(entry.name).ask(warning, _TIME)
                except AwayError as away:
                    log.warning("a warning is not recorded", database=entry.name, why=away.why)
                    continue
                return
        except (DirectoryError, BusRefusedError) as error:
            log.error("a warning is not recorded", why=str(error))
