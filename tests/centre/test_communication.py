"""Communication servers: what web workers ask goes to function servers over few links, and they open nothing of it."""

import asyncio
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from fob_office.centre.boxes.separation import held_by
from fob_office.centre.bus.answering import Server, Table, row, serve
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.communication import Count, Counted
from fob_office.centre.commands.function import Answer, Answered
from fob_office.centre.communication.asking import CentreAsker, CentreAwayError, NotReadableError
from fob_office.centre.communication.server import communication_server
from fob_office.centre.places import office_socket
from fob_office.centre.words import Word
from fob_protocol.office.limits import ANSWER_LIMIT, QUESTION_LIMIT
from support.centre_boxes import Boxes

Does = Callable[[bytes], Awaitable[bytes]]


async def echo(question: bytes) -> bytes:
    return b"answer to " + question


async def unreadable(question: bytes) -> bytes:
    raise BusRefusedError(Word.MALFORMED, f"{len(question)} octets are no question")


class Scene:
    """Function servers that do as they are told, one communication server, and a web worker."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.boxes = Boxes(folder)
        self.boxes.make(Kind.COMMUNICATION, "communication-1")
        self.asker = CentreAsker(folder)
        self.asked: list[str] = []
        self._stack = stack
        self.socket = office_socket(self.boxes.address("communication-1"))

    async def function_server(self, name: str, does: Does = echo) -> Server:
        self.boxes.make(Kind.FUNCTION, name)
        return await self.again(name, does)

    async def again(self, name: str, does: Does = echo) -> Server:
        async def answer(_: Pass, asked: Answer) -> Answered:
            self.asked.append(name)
            return Answered(await does(asked.question))

        table: Table = {Answer: row([Kind.COMMUNICATION], answer)}
        return await self._stack.enter_async_context(
            await serve(self.boxes.address(name), self.boxes.open(name).me, table)
        )

    @asynccontextmanager
    async def communication(self) -> AsyncIterator[None]:
        box = self.boxes.open("communication-1")
        address = self.boxes.address("communication-1")
        async with communication_server(box) as table, await serve(address, box.me, table):
            yield
        box.links.close()


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        made = Scene(tmp_path, stack)
        yield made
        made.asker.close()


@pytest.mark.clause("M2")
async def test_questions_of_many_devices_go_over_one_link_each_by_turns(scene: Scene) -> None:
    servers = [await scene.function_server(f"function-{number}") for number in (1, 2)]
    async with scene.communication():
        questions = [b"%d" % number for number in range(200)]
        assert await asyncio.gather(*map(scene.asker.ask, questions)) == [b"answer to " + one for one in questions]
        assert (scene.asked.count("function-1"), scene.asked.count("function-2")) == (100, 100)
        assert [len(server._conversations) for server in servers] == [1, 1]
        links = scene.boxes.open("operator-1").links
        assert await links.to("communication-1").ask(Count()) == Counted(200, 0, 0)
        links.close()


@pytest.mark.clause("M2")
def test_it_holds_no_master() -> None:
    assert held_by(Kind.COMMUNICATION) == held_by(Kind.FUNCTION) == frozenset()


async def test_the_largest_question_and_answer_go_through(scene: Scene) -> None:
    async def large(question: bytes) -> bytes:
        assert len(question) == QUESTION_LIMIT
        return bytes(ANSWER_LIMIT - 2000)

    await scene.function_server("function-1", large)
    async with scene.communication():
        assert len(await scene.asker.ask(bytes(QUESTION_LIMIT))) == ANSWER_LIMIT - 2000


@pytest.mark.clause("M3")
async def test_another_function_server_answers_for_one_that_is_gone(scene: Scene) -> None:
    first = await scene.function_server("function-1")
    await scene.function_server("function-2")
    async with scene.communication():
        assert [await scene.asker.ask(b"1"), await scene.asker.ask(b"2")] == [b"answer to 1", b"answer to 2"]
        await first.close()
        assert [await scene.asker.ask(b"%d" % number) for number in range(4)] == [b"answer to %d" % n for n in range(4)]
        await scene.again("function-1")
        scene.asked.clear()
        await asyncio.sleep(0.06)
        assert [await scene.asker.ask(b"%d" % number) for number in range(4)] == [b"answer to %d" % n for n in range(4)]
        assert set(scene.asked) == {"function-1", "function-2"}


async def test_what_a_function_server_cannot_read_is_no_question_and_it_says_why(scene: Scene) -> None:
    await scene.function_server("function-1", unreadable)
    async with scene.communication():
        with pytest.raises(NotReadableError, match=r"^5 octets are no question$"):
            await scene.asker.ask(b"noise")


async def test_without_function_servers_it_is_away_and_so_it_is_without_itself(scene: Scene) -> None:
    for _ in range(2):
        with pytest.raises(CentreAwayError):
            await scene.asker.ask(b"1")
    async with scene.communication():
        with pytest.raises(CentreAwayError):
            await scene.asker.ask(b"1")
        await scene.function_server("function-1")
        assert await scene.asker.ask(b"1") == b"answer to 1"
    with pytest.raises(CentreAwayError):
        await scene.asker.ask(b"1")
    async with scene.communication():
        assert await scene.asker.ask(b"1") == b"answer to 1"


async def test_who_waits_when_it_ends_hears_so_at_once(scene: Scene) -> None:
    reached = asyncio.Event()

    async def never(_: bytes) -> bytes:
        reached.set()
        await asyncio.sleep(3600)
        return b""

    server = await scene.function_server("function-1", never)
    async with scene.communication():
        waiting = asyncio.create_task(scene.asker.ask(b"1"))
        await reached.wait()
    with pytest.raises(CentreAwayError):
        await waiting
    for conversation in tuple(server._conversations):
        for task in conversation._tasks:
            task.cancel()


async def test_its_socket_is_its_owners_alone_and_noise_ends_a_connection_only(scene: Scene) -> None:
    await scene.function_server("function-1")
    assert scene.socket is not None
    async with scene.communication():
        assert stat.S_IMODE(scene.socket.stat().st_mode) == 0o600
        for noise in (b"\xff\xff\xff\xff", b"\0\0\0\3abc", b"\0\0\0\1"):
            reader, writer = await asyncio.open_unix_connection(scene.socket)
            writer.write(noise)
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
        assert await scene.asker.ask(b"1") == b"answer to 1"
