"""A yes while the computer is away: nothing is done for it before the computer asks for that answer again."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from fob_daemon.link.transport import LineUrl
from fob_device.approval.askers import Asker
from fob_device.line.phone_lines import PhoneLines
from fob_device.screen.sheets import AWAY, ApprovalSheet
from fob_device.settings import Ask, KeySetting
from fob_protocol import catalogue
from fob_protocol.caller import Caller, Purpose
from fob_protocol.history.entry import Outcome
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.session.pace import Pace
from support.medium import MakeMedium
from support.memory_line import Cable, Wire
from support.noise import Noise
from support.parting import grants, kill_daemon, let_go, outcomes, part, session_of, sign_anew, start_daemon
from support.radio_cable import RadioCable
from support.screen_world import ScreenWorld, at_screen
from support.world import counted_signatures

pytestmark = pytest.mark.clause("P9")

SSH = Caller(("ssh", "zsh"), Purpose.LOGIN, host="github.com")
OLD, NEW = bytes([1]) * 32, bytes([2]) * 32
HOUR = 3600
SLOW = 9600


class PacedCable(Cable):
    """At a rate, which both ends reckon with; each end learns that the other one hung up."""

    def __init__(self, baud: int) -> None:
        super().__init__(Noise())
        self.url = LineUrl.parse(f"serial:/cable?baud={baud}")
        self._pace = Pace(baud / 10)
        self._down, self._up = Wire(baud / 10), Wire(baud / 10)

    def switch_on(self, lines: PhoneLines) -> None:
        """A phone is at the other end from now on."""
        self._device = lines(self._to_pc, close=self.hang_up, pace=lambda: self._pace)


LINES: dict[str, MakeMedium] = {
    "quick": lambda folder: PacedCable(115_200),
    "slow": lambda folder: PacedCable(SLOW),
    "ble": RadioCable,
    "lazy ble": partial(RadioCable, interval=1.0),
}


@pytest.fixture(params=LINES)
def make_line(request: pytest.FixtureRequest) -> MakeMedium:
    """A line of each pace."""
    return LINES[request.param]


# On every line.


def test_a_yes_in_the_gap_signs_once_when_it_is_recalled(tmp_path: Path, make_line: MakeMedium) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key(b"work")
        with counted_signatures() as signed:
            answer = world.begin_to_sign(key, 1, SSH)
            sheet = await world.sheet(ApprovalSheet)
            words = sheet.words
            assert await world.asks() == [words]
            await part(world, sheet)
            assert sheet.words == f"{words} ({AWAY})"
            await world.tap()
            await asyncio.sleep(0.05)
            assert (signed.total(), outcomes(world)) == (0, [])
            world.cable.plug_in()
            assert (await answer).ckr == Ckr.OK
        assert signed == {OLD: 1}
        assert outcomes(world) == [Outcome.APPROVED]
        assert await world.asks() == []

    at_screen(tmp_path, story, make_line)


def test_a_yes_in_the_gap_that_nobody_recalls_does_nothing(tmp_path: Path, make_line: MakeMedium) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key(b"work")
        with counted_signatures() as signed:
            answer = world.begin_to_sign(key, 1, SSH)
            grace = await part(world, await world.sheet(ApprovalSheet))
            await world.tap(remember=HOUR)
            with pytest.raises(CkrError) as caught:
                await answer
            assert caught.value.ckr is Ckr.DEVICE_ERROR
            await asyncio.sleep(grace)
            assert outcomes(world) == [Outcome.WITHDRAWN]
            world.cable.plug_in()
            await world.until(lambda: world.manager.greeting is not None)
            await asyncio.sleep(grace)
        assert not signed
        assert grants(world) == 0
        assert outcomes(world) == [Outcome.WITHDRAWN]

    at_screen(tmp_path, story, make_line)


def test_an_equal_request_of_a_new_daemon_in_the_gap_is_one_use(tmp_path: Path, make_line: MakeMedium) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key(b"work")
        with counted_signatures() as signed:
            old = world.begin_to_sign(key, 1, SSH)
            sheet = await world.sheet(ApprovalSheet)
            await kill_daemon(world)
            assert sheet.is_away
            await start_daemon(world)
            await world.login()
            new = world.begin_to_sign(key, 2, SSH)
            await world.until(lambda: not sheet.is_away)
            assert sheet.count == 2
            await world.tap(remember=HOUR)
            assert (await new).ckr == Ckr.OK
            await asyncio.sleep(60)
        assert signed == {NEW: 1}
        assert sorted(outcomes(world)) == [Outcome.APPROVED, Outcome.WITHDRAWN]
        assert grants(world) == 1
        await let_go(old)

    at_screen(tmp_path, story, make_line)


# What else happens in a gap.


def test_a_no_in_the_gap_is_final(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        answer = world.begin_to_sign(await world.new_key(), 1, SSH)
        await part(world, await world.sheet(ApprovalSheet))
        await world.tap(is_yes=False)
        await asyncio.sleep(0.05)
        assert outcomes(world) == [Outcome.REFUSED]
        world.cable.plug_in()
        assert (await answer).ckr == Ckr.FUNCTION_REJECTED
        assert outcomes(world) == [Outcome.REFUSED]

    at_screen(tmp_path, story)


def test_what_was_allowed_for_an_hour_is_stored_when_it_is_recalled(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        answer = world.begin_to_sign(key, 1, SSH)
        await part(world, await world.sheet(ApprovalSheet))
        await world.tap(remember=HOUR)
        await asyncio.sleep(0.05)
        assert grants(world) == 0
        world.cable.plug_in()
        assert (await answer).ckr == Ckr.OK
        assert grants(world) == 1
        await world.login()
        assert (await world.begin_to_sign(key, 2, SSH)).ckr == Ckr.OK

    at_screen(tmp_path, story)


def test_a_link_that_breaks_again_takes_the_yes_along(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        with counted_signatures() as signed:
            answer = world.begin_to_sign(key, 1, SSH)
            sheet = await world.sheet(ApprovalSheet)
            for _ in range(3):
                await world.reconnect()
                await asyncio.sleep(0.5)
                assert not sheet.is_away
            await part(world, sheet)
            await world.tap()
            await asyncio.sleep(0.05)
            assert not signed
            world.cable.plug_in()
            assert (await answer).ckr == Ckr.OK
        assert signed == {OLD: 1}

    at_screen(tmp_path, story)


def test_a_new_daemon_that_recalls_nothing_gets_nothing_of_the_old_one_s_yes(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        with counted_signatures() as signed:
            old = world.begin_to_sign(key, 1, SSH)
            await world.sheet(ApprovalSheet)
            await kill_daemon(world)
            await world.tap(remember=HOUR)
            await sign_anew(world, key, SSH)
        assert signed == {NEW: 1}
        assert sorted(outcomes(world)) == [Outcome.APPROVED, Outcome.WITHDRAWN]
        assert grants(world) == 0
        await let_go(old)

    at_screen(tmp_path, story)


def test_a_pc_may_recall_by_itself_as_late_as_the_grace_lasts(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        with counted_signatures() as signed:
            old = world.begin_to_sign(key, 1, SSH)
            await world.sheet(ApprovalSheet)
            await asyncio.sleep(1)
            session, (number, *_) = session_of(world), world.asked[0]
            await kill_daemon(world)
            await world.tap()
            await asyncio.sleep(Pace().next_session_time - 1)
            await start_daemon(world)
            assert not signed
            answers = [await world.ask(catalogue.RECALL, session, number) for _ in range(2)]
        assert [answer.ckr for answer in answers] == 2 * [Ckr.OK]
        assert signed == {OLD: 1}
        await let_go(old)

    at_screen(tmp_path, story)


def test_a_phone_that_was_locked_in_the_gap_signs_when_it_is_unlocked(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        with counted_signatures() as signed:
            answer = world.begin_to_sign(key, 1, SSH)
            await part(world, await world.sheet(ApprovalSheet))
            await world.tap()
            world.person.lock.lock()
            world.cable.plug_in()
            await asyncio.sleep(1)
            assert not signed
            await world.unlock()
            assert (await answer).ckr == Ckr.OK
        assert signed == {OLD: 1}

    at_screen(tmp_path, story)


# What needs no tap.


@pytest.mark.parametrize("is_taken_back", [True, False])
def test_what_is_allowed_for_a_time_is_done_for_who_is_there(tmp_path: Path, is_taken_back: bool) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        first = world.begin_to_sign(key, 1, SSH)
        await world.tap(remember=HOUR)
        await first
        (opened,) = world.phone.sessions
        asker = Asker()
        asker.leave()
        with counted_signatures() as signed:
            sign = catalogue.SIGN.build(key, None, NEW, None, 0, SSH.to_block())
            second = asyncio.create_task(opened.manager.execute(sign, asker=asker))
            await asyncio.sleep(1)
            assert not signed
            if is_taken_back:
                world.phone.revoke(world.pc_key, 1)
            asker.come_back()
            if is_taken_back:
                await world.tap()
            assert (await second).ckr == Ckr.OK
        assert signed == {NEW: 1}

    at_screen(tmp_path, story)


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_key_that_never_asks_signs_for_who_is_there(tmp_path: Path, comes_back: bool) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        world.phone.set_key_setting(key, KeySetting(Ask.NEVER))
        (opened,) = world.phone.sessions
        asker = Asker()
        asker.leave()
        with counted_signatures() as signed:
            second = asyncio.create_task(opened.manager.execute(catalogue.SIGN.build(key, None, NEW), asker=asker))
            await asyncio.sleep(1)
            assert not signed
            if comes_back:
                asker.come_back()
                assert (await second).ckr == Ckr.OK
            else:
                # As every question, also one that nobody was asked.
                assert (await second).ckr == Ckr.FUNCTION_CANCELED
        assert signed == ({NEW: 1} if comes_back else {})
        assert outcomes(world) == [Outcome.APPROVED if comes_back else Outcome.OUT_OF_TIME]

    at_screen(tmp_path, story)
