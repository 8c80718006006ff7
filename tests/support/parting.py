"""A computer and a phone that are parted while something is on the screen."""

import asyncio

from fob_device.screen.sheets import Sheet
from fob_protocol.at.answer import Answer
from fob_protocol.caller import Caller
from fob_protocol.history.entry import Kind, Outcome
from fob_protocol.pkcs11.ckr import Ckr
from support.screen_world import ScreenWorld


def outcomes(world: ScreenWorld) -> list[Outcome]:
    """What became of the uses of keys, the newest first."""
    lines = world.phone.history.newest(99)
    return [line.entry.outcome for line in lines if line.entry is not None and line.entry.kind is Kind.USE]


def grants(world: ScreenWorld) -> int:
    """How many permissions are stored."""
    desk = world.phone.grants_of(world.pc_key)
    return 0 if desk is None else len(desk.active())


async def part(world: ScreenWorld, sheet: Sheet) -> float:
    """The line is cut while the sheet is up; how long the phone waits for the computer from then on."""
    (opened,) = world.phone.sessions
    world.cable.unplug()
    world.cable.hang_up()
    await world.until(lambda: sheet.is_away)
    return opened.session._responder.pace.next_session_time


async def kill_daemon(world: ScreenWorld) -> None:
    """It says no goodbye; the phone learns of it by its line."""
    await vanish(world)
    await world.until(lambda: not world.phone.sessions)
    world.cable.plug_in()


async def vanish(world: ScreenWorld) -> None:
    """The daemon ends, and not a word of it leaves the computer."""
    world.cable.unplug()
    world.cable.hang_up()
    await world.disconnect()


async def start_daemon(world: ScreenWorld) -> None:
    """A new one, which knows of no request."""
    world.link = world.new_link()
    world._running = asyncio.create_task(world.link.run())
    await world.until(lambda: world.manager.greeting is not None)


async def sign_anew(world: ScreenWorld, key: int, caller: Caller) -> None:
    """A new daemon that recalls nothing asks its own question, and the person says yes to that one, once."""
    await start_daemon(world)
    await world.login()
    # The same once more is another operation.
    answer = world.begin_to_sign(key, 2, caller)
    await world.tap()
    assert (await answer).ckr == Ckr.OK
    await asyncio.sleep(60)


async def let_go(answer: "asyncio.Task[Answer]") -> None:
    """Of a daemon that is no more: whatever it says is not the point."""
    answer.cancel()
    await asyncio.gather(answer, return_exceptions=True)


def session_of(world: ScreenWorld) -> bytes:
    """What the daemon recalls by."""
    greeting = world.manager.greeting
    assert greeting is not None
    return greeting.session
