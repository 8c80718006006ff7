"""An office with copies that were used for weeks, and somebody who is logged in to its page."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import sin
from pathlib import Path
from random import Random
from ssl import SSLContext, create_default_context

from sqlalchemy import select

from fob_office.components.tables import ReleaseState
from fob_office.distribution.operating import disable
from fob_office.distribution.tables import Copy
from fob_office.operators.service import make_token
from fob_office.programs.service import add_installation
from fob_office.rollout.service import Course, create_rollout, start_rollout
from fob_office.tls import CA_FILE
from fob_office.validation.tables import Result
from fob_office.watching.counting import HOURS
from fob_office.watching.rounds import look
from fob_office.watching.tables import LastUse, UsageDay
from support.holder import ReferenceHolder
from support.office import OfficeScene, office_scene
from support.office_holders import direct, installation, rates_holder
from support.office_http import HttpOffice, served
from support.office_shop import OPERATOR, release
from support.office_usage import DAY, HOUR, MIDNIGHT, more_copies, use
from support.seen_centre import seen_centre


@dataclass
class PageScene:
    """`holder` has the first copy; `numbers` are those of all. The tokens may change something, or read only."""

    office: HttpOffice
    holder: ReferenceHolder
    numbers: list[bytes]
    changing: str
    reading: str

    @property
    def address(self) -> str:
        """Of the page."""
        return f"https://localhost:{self.office.port}/operator"

    @property
    def trusted(self) -> SSLContext:
        """The office's own authority."""
        return create_default_context(cafile=self.office.scene.office.settings.state / CA_FILE)


@contextmanager
def page_scene(state: Path) -> Iterator[PageScene]:
    """Served, with something on every page."""
    with office_scene(state) as scene:
        holder = rates_holder(scene, ask=direct(scene.office))
        numbers = [holder.copies["rates"].number]
        numbers += more_copies(scene, numbers[0], 30)
        add_installation(scene.office, "fobd", (1, 0, 0), installation(b"the daemon"), OPERATOR)
        _weeks(scene, holder, numbers)
        _oddities(scene, numbers)
        release(scene, "rates", (2, 0, 0), state=ReleaseState.STAGED)
        create_rollout(scene.office, "rates-2", "rates", (2, 0, 0), Course((10, 100)), OPERATOR)
        start_rollout(scene.office, "rates-2", OPERATOR)
        tokens = [make_token(scene.office, "Ada", may_change=True), make_token(scene.office, "Bob", may_change=False)]
        with seen_centre(state, scene.clock.time), served(scene) as office:
            yield PageScene(office, holder, numbers, *tokens)


def _weeks(scene: OfficeScene, holder: ReferenceHolder, numbers: list[bytes]) -> None:
    """Of a few copies, more by day than at night, less at weekends; one of them is not used any more."""
    random = Random(5)
    today = MIDNIGHT // DAY
    with scene.office.database.write() as session:
        ids = {copy.number: copy.id for copy in session.scalars(select(Copy))}
        for position, number in enumerate(numbers[:8]):
            days = range(today - 27, today - 6 if position == 3 else today)
            for day in days:
                often = random.uniform(4, 7) * (0.2 if day % 7 in (2, 3) else 1)
                hours = [round(1 + often * sin((hour - 7) / 3.5)) if 7 <= hour < 19 else 0 for hour in range(24)]
                row = UsageDay(
                    copy=ids[number], day=day, program="rates", lines=sum(hours), hours=HOURS.pack(*hours)
                )  # fmt: skip
                session.add(row)
            session.add(LastUse(copy=ids[number], day=days[-1], due=days[-1] + 2))
    scene.clock.time = MIDNIGHT + 8 * HOUR
    look(scene.office)
    for _ in range(9):
        scene.clock.pass_by(random.randrange(700))
        holder.validate("rates")


def _oddities(scene: OfficeScene, numbers: list[bytes]) -> None:
    use(scene, numbers[4], 7, result=Result.LATE)
    use(scene, numbers[1], ahead=-700)
    disable(scene.office, numbers[9], OPERATOR)
