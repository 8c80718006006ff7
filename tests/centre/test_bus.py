"""Questions and answers between two processes of the data centre."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fob_office.centre.bus.answering import Server, Table, row, serve
from fob_office.centre.bus.asking import Link
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.limits import IN_HAND
from support.centre import Centre, Echo, Said


async def say_again(peer: Pass, echo: Echo) -> Said:
    if echo.text == b"refuse":
        raise BusRefusedError("tampering", "that record is old", b"standing")
    if echo.text == b"fail":
        raise RuntimeError("the secret is 1234")
    return Said(echo.text)


ECHO: Table = {Echo: row([Kind.FUNCTION], say_again)}


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    return Centre(tmp_path)


@asynccontextmanager
async def meter_box(
    centre: Centre, table: Table = ECHO, kind: Kind = Kind.FUNCTION
) -> AsyncIterator[tuple[Server, Link]]:
    """A meter box that answers, and a link to it of a process of this kind."""
    box, asker = centre.process(Kind.METER, "meter-1"), centre.process(kind, "asker")
    server = await serve(f"unix:{centre.folder}/meter-1", box.me, table)
    centre.enter(box, server.address)
    link = Link(asker.me, centre.directory(), "meter-1")
    yield server, link
    link.close()
    await server.close()


async def test_a_question_is_answered(centre: Centre) -> None:
    async with meter_box(centre) as (_, link):
        assert await link.ask(Echo(b"frank")) == Said(b"frank")


async def test_many_questions_are_in_hand_and_each_gets_its_own_answer(centre: Centre) -> None:
    async with meter_box(centre) as (_, link):
        texts = [b"%d" % number for number in range(3 * IN_HAND)]
        answers = await asyncio.gather(*(link.ask(Echo(text)) for text in texts))
        assert [answer.text for answer in answers] == texts


async def test_refusals_come_with_their_data_and_the_next_question_is_answered(centre: Centre) -> None:
    async with meter_box(centre) as (_, link):
        with pytest.raises(BusRefusedError) as caught:
            await link.ask(Echo(b"refuse"))
        assert (caught.value.word, caught.value.why, caught.value.data) == (
            "tampering",
            "that record is old",
            b"standing",
        )
        assert await link.ask(Echo(b"next")) == Said(b"next")
