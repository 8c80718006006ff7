"""The post of the tests: pieces of a mailer of a real data centre, and the verifier that looks at them."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from fob_daemon.metering.drawing.layout import Layout
from fob_daemon.metering.drawing.picture import picture_of
from fob_daemon.metering.drawing.png import png
from fob_office.centre.commands.steel import SetNewMeters
from fob_office.centre.operating.operator import Operator, operating
from fob_office.centre.places import CentreSettings, centre_folder, save_centre
from fob_office.centre.postal.asking import Post
from fob_office.centre.postal.verifying import OnPiece, Verdict
from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_protocol.metering.answers import SignedUp
from fob_protocol.metering.values import Indicated
from support.data_centre import LIMITS, VALUE_KIND, DataCentre, data_centre
from support.indicia import opened, saved
from support.mailers import Mailer

# As Mailer.frank addresses the first piece of a batch.
ADDRESS: Final = "Tante 0, Weg 1"
DESTINATION: Final = "80331"


@dataclass
class PostOffice:
    """With a mailer who has money."""

    state: Path
    centre: DataCentre
    mailer: Mailer
    operator: Operator
    signed_up: SignedUp

    async def franked(self, *amounts: int) -> tuple[Indicated, ...]:
        """What stands on pieces."""
        return (await self.mailer.frank(*amounts)).indicia

    def post(self, *, is_noted: bool = True, run: bytes | None = None) -> Post:
        """A new run."""
        name = self.mailer.random(16) if run is None else run
        return Post(self.operator.peers, self.operator.now, is_noted=is_noted, run=name)

    async def judged(self, indicated: Indicated, **on_piece: Any) -> Verdict:
        """And noted, where it is genuine."""
        return await self.post().verify(indicated, OnPiece(**on_piece))

    async def told(self, *arguments: str) -> int:
        """The exit status of `fob-office verify`."""
        return await self._run("verify", *arguments)

    async def export(self, file: Path) -> int:
        """The exit status of `fob-office centre keys`."""
        return await self._run("centre", "keys", str(file))

    async def _run(self, *line: str) -> int:
        cli = Cli(surroundings=self.centre.boxes.surroundings)
        return await asyncio.to_thread(run, [*line, "--state", str(self.state)], cli)


@asynccontextmanager
async def post_office(state: Path, *, is_public: bool = False, **how: Any) -> AsyncIterator[PostOffice]:
    """A data centre with an office's folder around it; `is_public`: tokens are signatures."""
    folder = centre_folder(state)
    folder.mkdir(parents=True)
    async with data_centre(folder, **how) as centre, centre.function_server() as (server, _):
        save_centre(folder, CentreSettings())
        await centre.ask("steel-1", SetNewMeters(VALUE_KIND, centre.freshness, LIMITS.octets(), is_public))
        mailer = Mailer(centre, server)
        signed_up = await mailer.sign_up()
        await mailer.load(10_000)
        async with operating(folder, centre.boxes.surroundings) as operator:
            yield PostOffice(state, centre, mailer, operator, signed_up)


def picture(indicated: Indicated) -> bytes:
    """A PNG as the mailer's PC draws it."""
    return png(picture_of(indicated, Layout(), None))


def page(pictures: Sequence[bytes]) -> bytes:
    """One below the other, on a sheet."""
    images = [opened(each) for each in pictures]
    paper = Image.new("L", (max(image.width for image in images), sum(image.height for image in images)), 255)
    y = 0
    for image in images:
        paper.paste(image, (0, y))
        y += image.height
    return saved(paper)


def rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What `--json` printed."""
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found
