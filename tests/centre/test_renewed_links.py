"""A process whose pass is renewed asks by another connection from then on, and nothing that was asked is lost."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fob_office.centre.bus.answering import Server, row, serve
from fob_office.centre.bus.asking import Link, Links
from fob_office.centre.bus.directory import FILE, Entry, read_entries, write_entries
from fob_office.centre.bus.errors import AwayError, DirectoryError, LateError
from fob_office.centre.bus.own_pass import OwnPass
from fob_office.centre.bus.passes import Kind, Pass, read_pass
from fob_office.centre.limits import IN_HAND
from support.centre import Centre, Echo, Said

RENEWALS = 30


@dataclass
class Scene:
    """A meter box that answers when it may, and a function server whose pass is renewed by `renew`."""

    centre: Centre
    passes: list[bytes]
    may: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[tuple[int, bytes]] = field(default_factory=list)
    server: Server = field(init=False)
    number: int = 0

    def renew(self) -> None:
        self.number += 1

    def shown(self) -> bytes:
        return self.passes[self.number]

    async def answer(self, peer: Pass, echo: Echo) -> Said:
        self.asked.append((peer.number, echo.text))
        await self.may.wait()
        return Said(echo.text)


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    return Centre(tmp_path)


@pytest.fixture
async def scene(centre: Centre) -> AsyncIterator[Scene]:
    asker = centre.process(Kind.FUNCTION, "function-1")
    others = (centre.again(asker.me.static, Kind.FUNCTION, "function-1") for _ in range(RENEWALS))
    made = Scene(centre, [asker.me.shown(), *(other.me.shown() for other in others)])
    made.may.set()
    meter = centre.process(Kind.METER, "meter-1")
    made.server = await serve(f"unix:{centre.folder}/m1", meter.me, {Echo: row([Kind.FUNCTION], made.answer)})
    centre.enter(meter, made.server.address)
    async with made.server:
        yield made


@pytest.fixture
def link(scene: Scene) -> Link:
    me = replace(scene.centre.process_of("function-1").me, shown=scene.shown)
    return Links(me, scene.centre.directory()).to("meter-1")


def asks(link: Link, text: bytes) -> asyncio.Task[Said]:
    return asyncio.create_task(link.ask(Echo(text), 5))


async def until_asked(scene: Scene, times: int) -> None:
    async with asyncio.timeout(5):
        while len(scene.asked) < times:  # noqa: ASYNC110 - a list
            await asyncio.sleep(0)


async def until_connections(scene: Scene, count: int) -> None:
    async with asyncio.timeout(5):
        while len(scene.server._conversations) != count:  # noqa: ASYNC110 - a set
            await asyncio.sleep(0)


async def test_what_was_asked_before_is_answered_there_and_then_that_connection_ends(scene: Scene, link: Link) -> None:
    scene.may.clear()
    old = [asks(link, b"old") for _ in range(IN_HAND)]
    await until_asked(scene, IN_HAND)
    # And some that wait until there is room on it.
    waiting = [asks(link, b"old") for _ in range(20)]
    await asyncio.sleep(0)
    scene.renew()
    new = asks(link, b"new")
    await until_asked(scene, IN_HAND + 1)
    first, second = (read_pass(scene.centre.manufacturing, signed).number for signed in scene.passes[:2])
    assert scene.asked[-1] == (second, b"new")
    await until_connections(scene, 2)
    scene.may.set()
    assert {said.text for said in await asyncio.gather(*old, *waiting)} == {b"old"}
    assert await new == Said(b"new")
    assert {number for number, text in scene.asked if text == b"old"} == {first}
    await until_connections(scene, 1)
    link.close()


async def test_who_gives_up_keeps_no_old_connection_open(scene: Scene, link: Link) -> None:
    scene.may.clear()
    old = [asks(link, b"old") for _ in range(3)]
    await until_asked(scene, 3)
    scene.renew()
    new = asks(link, b"new")
    await until_asked(scene, 4)
    for task in old:
        task.cancel()
    await asyncio.gather(*old, return_exceptions=True)
    # Though nobody was answered on it.
    await until_connections(scene, 1)
    scene.may.set()
    assert await new == Said(b"new")
    link.close()


async def test_a_link_that_is_closed_leaves_no_older_connection_waiting(scene: Scene, link: Link) -> None:
    scene.may.clear()
    old = asks(link, b"old")
    await until_asked(scene, 1)
    scene.renew()
    new = asks(link, b"new")
    await until_asked(scene, 2)
    link.close()
    for task in (old, new):
        with pytest.raises(AwayError, match="the link was closed"):
            await asyncio.wait_for(task, 1)


async def test_a_renewal_while_a_connection_is_made_loses_nobody(scene: Scene) -> None:
    """Each time at another turn of the loop, with others who begin to ask at every one."""
    me = replace(scene.centre.process_of("function-1").me, shown=scene.shown)
    for turns in range(RENEWALS):
        link = Link(me, scene.centre.directory(), "meter-1")
        tasks = [asks(link, b"x") for _ in range(10)]
        for turn in range(2 * RENEWALS):
            if turn == turns:
                scene.renew()
            await asyncio.sleep(0)
            tasks.append(asks(link, b"x"))
        assert {said.text for said in await asyncio.gather(*tasks)} == {b"x"}
        # The older one, if there was one by then, has ended.
        await until_connections(scene, 1)
        link.close()
        await until_connections(scene, 0)


async def test_the_other_sides_pass_is_seen_by_a_connection_of_its_own(scene: Scene) -> None:
    links = Links(scene.centre.process_of("function-1").me, scene.centre.directory())
    link = links.fresh("meter-1")
    assert (await link.meet(1)).name == "meter-1"
    assert link is not links.to("meter-1")
    link.close()
    assert scene.asked == []


async def test_nobody_is_met_for_ever(centre: Centre) -> None:
    silent = await asyncio.get_running_loop().create_unix_server(asyncio.Protocol, f"{centre.folder}/silent")
    centre.enter(centre.process(Kind.METER, "meter-1"), f"unix:{centre.folder}/silent")
    link = Link(centre.process(Kind.FUNCTION, "function-1").me, centre.directory(), "meter-1")
    with pytest.raises(LateError, match=r"no handshake in 0\.05 s"):
        await link.meet(0.05)
    link.close()
    silent.close()


class Shown:
    """A process and its directory, of which a test makes what it likes."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.first = centre.process(Kind.METER, "meter-1")
        self.enter(self.first.me.shown())
        self.own = OwnPass(centre.directory(), self.first.me.shown())

    def again(self) -> bytes:
        """A newer pass for its key."""
        return self.centre.again(self.first.me.static, Kind.METER, "meter-1").me.shown()

    def enter(self, shown: bytes) -> None:
        write_entries(self.centre.folder, [Entry("meter-1", Kind.METER, "unix:/nowhere", shown)])


@pytest.fixture
def shown(centre: Centre) -> Shown:
    return Shown(centre)


def test_a_process_shows_the_newest_pass_that_it_saw(shown: Shown) -> None:
    first, second, third = shown.own(), shown.again(), shown.again()
    assert first == shown.first.me.shown()
    shown.enter(third)
    assert shown.own() == third
    for older in (second, first):
        shown.enter(older)
        assert shown.own() == third


@pytest.mark.parametrize("octets", [None, b"", b"[", b'[{"name":"\xff"}]'])
def test_a_directory_that_cannot_be_read_takes_nothing_back(shown: Shown, octets: bytes | None) -> None:
    newer = shown.again()
    shown.enter(newer)
    assert shown.own() == newer
    path = shown.centre.folder / FILE
    path.unlink() if octets is None else path.write_bytes(octets)
    assert shown.own() == newer


def test_a_pass_for_another_key_is_not_shown(shown: Shown) -> None:
    shown.enter(shown.centre.process(Kind.METER, "meter-1").me.shown())
    assert shown.own() == shown.first.me.shown()


async def test_a_connection_that_stands_outlives_a_directory_that_is_lost(scene: Scene, link: Link) -> None:
    assert await link.ask(Echo(b"before")) == Said(b"before")
    (scene.centre.folder / FILE).write_bytes(b"[")
    assert await link.ask(Echo(b"after")) == Said(b"after")
    link.close()


def test_a_bad_directory_is_read_once(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    centre.enter(centre.process(Kind.METER, "meter-1"), "unix:/nowhere")
    directory = centre.directory()
    path, octets = centre.folder / FILE, (centre.folder / FILE).read_bytes()
    path.write_bytes(octets[:-3])
    with pytest.raises(DirectoryError, match="damaged"):
        directory.named("meter-1")
    with monkeypatch.context() as patched:
        patched.setattr("fob_office.centre.bus.directory.read_entries", lambda _: pytest.fail("read again"))
        with pytest.raises(DirectoryError, match="damaged"):
            directory.named("meter-1")
    path.write_bytes(octets)
    assert directory.named("meter-1").name == "meter-1"


def test_octets_that_are_no_text_are_a_damaged_directory(centre: Centre) -> None:
    centre.enter(centre.process(Kind.METER, "meter-1"), "unix:/nowhere")
    path = centre.folder / FILE
    path.write_bytes(path.read_bytes().replace(b"meter-1", b"meter\xff1", 1))
    with pytest.raises(DirectoryError, match="damaged"):
        read_entries(path)
