"""Questions and answers between two processes of the data centre."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from fob_office.centre.bus.answering import Server, Table, row, serve
from fob_office.centre.bus.asking import Link
from fob_office.centre.bus.errors import AwayError, BusRefusedError, LateError
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.limits import FRAME_LIMIT, IN_HAND
from support.centre import Centre, Echo, Other, Said, Wire

# What an Echo has around its text: the number, its name, the heads of both arrays and of the octets.
AROUND = 12


class Box:
    """Says what it is asked, once it may."""

    def __init__(self) -> None:
        self.asked = 0
        self._asked = asyncio.Condition()
        self.may = asyncio.Event()
        self.may.set()

    async def say_again(self, peer: Pass, echo: Echo) -> Said:
        async with self._asked:
            self.asked += 1
            self._asked.notify_all()
        await self.may.wait()
        match echo.text:
            case b"refuse":
                raise BusRefusedError("tampering", "that record is old", b"standing")
            case b"fail":
                raise RuntimeError("the secret is 1234")
            case b"long":
                return Said(bytes(FRAME_LIMIT))
        return Said(echo.text)

    async def is_asked(self, times: int) -> None:
        """Wait until it was asked so often."""
        async with self._asked:
            await self._asked.wait_for(lambda: self.asked >= times)

    @property
    def table(self) -> Table:
        return {Echo: row([Kind.FUNCTION], self.say_again)}


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    return Centre(tmp_path)


@asynccontextmanager
async def meter_box(
    centre: Centre, box: Box, kind: Kind = Kind.FUNCTION, address: str = ""
) -> AsyncIterator[tuple[Server, Link]]:
    """A meter box that answers, and a link to it of a process of this kind."""
    meter, asker = centre.process(Kind.METER, "meter-1"), centre.process(kind, "asker")
    server = await serve(address or f"unix:{centre.folder}/meter-1", meter.me, box.table)
    centre.enter(meter, server.address)
    link = Link(asker.me, centre.directory(), "meter-1")
    try:
        yield server, link
    finally:
        link.close()
        box.may.set()
        await server.close()


@pytest.mark.parametrize("address", ["", "tcp:127.0.0.1:0", "tcp:[::1]:0"])
async def test_a_question_is_answered(centre: Centre, address: str) -> None:
    async with meter_box(centre, Box(), address=address) as (_, link):
        assert await link.ask(Echo(b"frank")) == Said(b"frank")


async def test_no_more_questions_are_in_hand_than_agreed_and_each_gets_its_own_answer(centre: Centre) -> None:
    box = Box()
    box.may.clear()
    async with meter_box(centre, box) as (_, link):
        texts = [b"%d" % number for number in range(3 * IN_HAND)]
        asking = [asyncio.create_task(link.ask(Echo(text))) for text in texts]
        await box.is_asked(IN_HAND)
        for _ in range(50):
            await asyncio.sleep(0)
        assert box.asked == IN_HAND
        box.may.set()
        assert [answer.text for answer in await asyncio.gather(*asking)] == texts
        assert box.asked == len(texts)


async def test_a_question_is_one_frame_each_way(centre: Centre) -> None:
    """4 octets of length, a frame and a tag of 16 octets: nothing else goes over the wire."""
    frame = 4 + 16 + len(b"\x92\x01\x92\xa4Echo\xc4\x64") + 100
    async with meter_box(centre, Box()) as (server, link), Wire(centre.folder, server.address) as wire:
        centre.enter(centre.process_of("meter-1"), wire.address)
        await link.ask(Echo(b"first"))
        wire.to_server.clear()
        wire.to_client.clear()
        await asyncio.gather(*(link.ask(Echo(b"x" * 100)) for _ in range(10)))
        assert (sum(map(len, wire.to_server)), sum(map(len, wire.to_client))) == (10 * frame, 10 * frame)
        assert len(wire.to_server) == 1, "ten questions in one write"


async def test_refusals_come_with_their_data_and_the_next_question_is_answered(centre: Centre) -> None:
    async with meter_box(centre, Box()) as (_, link):
        with pytest.raises(BusRefusedError) as caught:
            await link.ask(Echo(b"refuse"))
        refused = caught.value
        assert (refused.word, refused.why, refused.data) == ("tampering", "that record is old", b"standing")
        assert await link.ask(Echo(b"next")) == Said(b"next")


async def test_a_handler_that_fails_says_so_logs_no_content_and_the_next_question_is_answered(centre: Centre) -> None:
    async with meter_box(centre, Box()) as (_, link):
        with capture_logs() as logs, pytest.raises(BusRefusedError, match="failed: an error of the program"):
            await link.ask(Echo(b"fail"))
        assert "1234" not in str(logs)
        assert [(line["event"], line["command"], line["error"]) for line in logs] == [
            ("a command failed", "Echo", "RuntimeError")
        ]
        assert await link.ask(Echo(b"next")) == Said(b"next")


async def test_another_kind_is_refused_by_name(centre: Centre) -> None:
    """A function server may ask an Echo; a database server may ask this box something, and not that."""
    box = Box()
    meter, asker = centre.process(Kind.METER, "meter-1"), centre.process(Kind.DATABASE, "asker")
    table: Table = {**box.table, Other: row([Kind.DATABASE], box.say_again)}
    async with await serve(f"unix:{centre.folder}/meter-1", meter.me, table) as server:
        centre.enter(meter, server.address)
        link = Link(asker.me, centre.directory(), "meter-1")
        with pytest.raises(BusRefusedError, match="not-yours: not for a process of kind database"):
            await link.ask(Echo(b"frank"))
        assert (box.asked, await link.ask(Other(b"mine"))) == (0, Said(b"mine"))
        link.close()


async def test_a_kind_that_may_ask_nothing_gets_no_connection(centre: Centre) -> None:
    box = Box()
    async with meter_box(centre, box, Kind.COMMUNICATION) as (_, link):
        with capture_logs() as logs, pytest.raises(AwayError, match="the connection ended"):
            await link.ask(Echo(b"frank"))
    assert (
        logs[0]["why"] == "the handshake failed: asker is a process of kind communication, which has no business here"
    )
    assert box.asked == 0


async def test_an_unknown_command_is_refused_by_name(centre: Centre) -> None:
    async with meter_box(centre, Box()) as (_, link):
        with pytest.raises(BusRefusedError, match="unknown-command"):
            await link.ask(Other(b""))
        assert await link.ask(Echo(b"next")) == Said(b"next")


async def test_a_frame_holds_so_much_and_no_more(centre: Centre) -> None:
    async with meter_box(centre, Box()) as (_, link):
        text = bytes(FRAME_LIMIT - AROUND)
        assert await link.ask(Echo(text)) == Said(text)
        with pytest.raises(ValueError, match=f"a frame has {FRAME_LIMIT}"):
            await link.ask(Echo(bytes(FRAME_LIMIT)))
        with pytest.raises(BusRefusedError, match=f"too-large: .* a frame has {FRAME_LIMIT}"):
            await link.ask(Echo(b"long"))
        assert await link.ask(Echo(b"next")) == Said(b"next")


async def test_all_in_hand_hear_that_the_connection_ended_and_the_next_question_connects_again(centre: Centre) -> None:
    box = Box()
    box.may.clear()
    async with meter_box(centre, box) as (server, link):
        asking = [asyncio.create_task(link.ask(Echo(b"%d" % number))) for number in range(IN_HAND + 10)]
        await box.is_asked(IN_HAND)
        (conversation,) = server._conversations
        conversation.channel.end("killed")
        ended = await asyncio.gather(*asking, return_exceptions=True)
        assert all(isinstance(error, AwayError) for error in ended)
        assert [error.was_sent for error in ended if isinstance(error, AwayError)] == [True] * IN_HAND + [False] * 10
        box.may.set()
        assert await link.ask(Echo(b"again")) == Said(b"again")


async def test_who_gives_up_is_told_and_leaves_no_room_until_it_is_answered(centre: Centre) -> None:
    box = Box()
    async with meter_box(centre, box) as (_, link):
        await link.ask(Echo(b"connected"))
        box.may.clear()
        late = await asyncio.gather(*(link.ask(Echo(b""), timeout=0.2) for _ in range(IN_HAND)), return_exceptions=True)
        assert [(type(error), error.was_sent) for error in late if isinstance(error, LateError)] == [
            (LateError, True)
        ] * IN_HAND
        with pytest.raises(LateError):
            await link.ask(Echo(b"no room"), timeout=0.01)
        await box.is_asked(1 + IN_HAND)
        assert box.asked == 1 + IN_HAND
        box.may.set()
        assert await link.ask(Echo(b"next")) == Said(b"next")


async def test_a_connection_on_which_nothing_is_heard_is_given_up(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without power says nothing. The next question connects again."""
    monkeypatch.setattr("fob_office.centre.bus.asking.SILENCE", 0.02)
    box = Box()
    async with meter_box(centre, box) as (_, link):
        await link.ask(Echo(b"connected"))
        box.may.clear()
        waiting = asyncio.create_task(link.ask(Echo(b"patient")))
        with pytest.raises(LateError):
            await link.ask(Echo(b"hasty"), timeout=0.05)
        with pytest.raises(AwayError, match="nothing was heard for"):
            await waiting
        box.may.set()
        assert await link.ask(Echo(b"next")) == Said(b"next")


async def test_a_process_that_is_away_is_named_and_found_again_when_it_has_moved(centre: Centre) -> None:
    asker, meter = centre.process(Kind.FUNCTION, "asker"), centre.process(Kind.METER, "meter-1")
    centre.enter(meter, f"unix:{centre.folder}/nobody")
    link = Link(asker.me, centre.directory(), "meter-1")
    with pytest.raises(AwayError, match="meter-1: it does not run") as caught:
        await link.ask(Echo(b""))
    assert not caught.value.was_sent
    async with await serve(f"unix:{centre.folder}/here", meter.me, Box().table) as server:
        centre.enter(meter, server.address)
        assert await link.ask(Echo(b"found")) == Said(b"found")
        link.close()


async def test_a_link_that_is_closed_tells_those_who_wait(centre: Centre) -> None:
    box = Box()
    box.may.clear()
    async with meter_box(centre, box) as (_, link):
        asking = asyncio.create_task(link.ask(Echo(b"")))
        await box.is_asked(1)
        link.close()
        with pytest.raises(AwayError, match="the link was closed"):
            await asking


async def test_who_is_cancelled_while_the_link_is_closed_is_cancelled(centre: Centre) -> None:
    """As a process ends: who is told instead that the other is away asks again, and the process waits for it."""
    async with meter_box(centre, Box()) as (server, link):
        await server.close()
        with suppress(AwayError):
            await link.ask(Echo(b""))
        # It waits before it connects again.
        asking = asyncio.create_task(link.ask(Echo(b"")))
        await asyncio.sleep(0)
        link.close()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_a_server_that_is_closed_answers_what_it_has_in_hand(centre: Centre) -> None:
    box = Box()
    box.may.clear()
    async with meter_box(centre, box) as (server, link):
        asking = asyncio.create_task(link.ask(Echo(b"last")))
        await box.is_asked(1)
        closing = asyncio.create_task(server.close())
        await asyncio.sleep(0)
        box.may.set()
        assert await asking == Said(b"last")
        await closing


async def test_one_who_asks_more_than_agreed_is_cut_off(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fob_office.centre.bus.asking.IN_HAND", IN_HAND + 1)
    box = Box()
    box.may.clear()
    async with meter_box(centre, box) as (_, link):
        with capture_logs() as logs:
            await asyncio.gather(*(link.ask(Echo(b"")) for _ in range(IN_HAND + 1)), return_exceptions=True)
        assert logs[0]["why"] == f"more than {IN_HAND} questions in hand"


async def test_more_connections_than_agreed_are_not_taken(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fob_office.centre.bus.answering.CONNECTIONS", 1)
    async with meter_box(centre, Box()) as (_, link):
        assert await link.ask(Echo(b"first")) == Said(b"first")
        second = Link(centre.process(Kind.FUNCTION, "second").me, centre.directory(), "meter-1")
        with pytest.raises(AwayError):
            await second.ask(Echo(b""))
        assert await link.ask(Echo(b"still")) == Said(b"still")


async def test_a_connection_ends_with_the_pass_that_it_began_with(centre: Centre) -> None:
    async with meter_box(centre, Box()) as (_, link):
        assert await link.ask(Echo(b"today")) == Said(b"today")
        centre.now += 400 * 24 * 3600
        with pytest.raises(AwayError):
            await link.ask(Echo(b"next year"))
