"""Several computers at one phone: what one of them does to PINs and logins, the others hear, and no more than that."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fob_daemon.device.slot import Slot, open_slot
from fob_daemon.link.data_line import open_data_line
from fob_daemon.link.manager import LinkManager
from fob_daemon.link.pair import pair
from fob_device.approval.rules import Rules
from fob_device.line.phone_lines import PhoneLines
from fob_device.security.values import whole
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer, Event
from fob_protocol.at.values import Value
from fob_protocol.noise.keys import KeyPair
from fob_protocol.pairing.pc import PairedDevice
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.flags import TokenFlag
from support.memory_line import Cable
from support.noise import Noise
from support.virtual_loop import run_virtually
from support.world import SO_PIN, URL, USER_PIN, World

WRONG = b"999999"
NEW = b"654321"

LOW = TokenFlag.USER_PIN_COUNT_LOW
LAST = LOW | TokenFlag.USER_PIN_FINAL_TRY
LOCKED = TokenFlag.USER_PIN_LOCKED
# The frame of an event as it begins on the line: the distance to the first zero (COBS), and the kind.
EVENT = b"\x02\x24"

COUNTERS = LAST | LOCKED | TokenFlag.SO_PIN_COUNT_LOW | TokenFlag.SO_PIN_FINAL_TRY | TokenFlag.SO_PIN_LOCKED


class Pc:
    """A computer with a cable of its own to the phone."""

    def __init__(self, world: World, name: str, seed: int) -> None:
        self.world = world
        self.name = name
        self.cable = Cable(Noise(0.0, seed))
        self.cable.switch_on(PhoneLines(world.phone))
        self.events: list[Event] = []
        self._identity = KeyPair.generate(world.random.randbytes)

    async def connect(self) -> None:
        """Pair, open a session, and wait until the daemon knows the token."""

        async def equal(code: str, device: PairedDevice) -> bool:
            return True

        random = self.world.random.randbytes
        data_line = await open_data_line(URL, self.cable.open)
        device = await pair(data_line, self._identity, random, pc_name=self.name, compare=equal)
        data_line.line.close()
        self.link = LinkManager((URL,), self._identity, device.key, random, self.cable.open)
        self.slot: Slot = open_slot(1, self.name, self.link)
        self.link.subscribe(self.events.append)
        self._running = asyncio.get_running_loop().create_task(self.link.run())
        await self.world.until(lambda: self.slot.has_token)

    async def disconnect(self) -> None:
        """The cable is pulled and the daemon ends."""
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self.slot.close()
        self.cable.switch_off()

    async def ask(self, spec: catalogue.CommandSpec, *values: Value) -> Answer:
        """One command; what it announces has arrived too."""
        answer = await self.link.request(spec.build(*values), timeout=30)
        await asyncio.sleep(0.1)
        return answer

    async def login(self, user: Cku, pin: bytes) -> int:
        """The login's number."""
        answer = await self.ask(catalogue.LOGIN_USER, int(user), pin)
        answer.raise_for_ckr()
        number = answer.lines[0][0]
        assert isinstance(number, int)
        return number

    @property
    def counters(self) -> TokenFlag:
        """What C_GetTokenInfo says of the PINs here, without asking the phone."""
        return self.flags & COUNTERS

    @property
    def flags(self) -> TokenFlag:
        token = self.slot.cache.token
        assert token is not None
        return token.flags

    def heard(self) -> list[tuple[str, int]]:
        """The events since the last time, sorted: those of one moment may arrive in any order."""
        heard = sorted((event.name, whole(event.values[0])) for event in self.events)
        self.events.clear()
        return heard


def story(folder: Path, tell: Callable[[Pc, Pc], Awaitable[None]]) -> None:
    """Two computers at a phone."""

    async def run() -> None:
        world = World(folder, 1, Rules())
        desk, laptop = Pc(world, "me@desk", 1), Pc(world, "me@laptop", 2)
        for pc in (desk, laptop):
            await pc.connect()
            pc.heard()
        await tell(desk, laptop)
        for pc in (desk, laptop):
            await pc.disconnect()
        await world.close()

    run_virtually(run())


def flags_of(pc: Pc) -> int:
    return int(pc.world.phone.token_flags())


def test_a_wrong_pin_at_one_is_seen_at_the_other(tmp_path: Path) -> None:
    async def tell(desk: Pc, laptop: Pc) -> None:
        for flags in (LOW, LAST, LOCKED):
            assert (await desk.ask(catalogue.LOGIN_USER, int(Cku.USER), WRONG)).ckr == Ckr.PIN_INCORRECT
            assert laptop.counters == desk.counters == flags
            assert laptop.heard() == desk.heard() == [("+FOBTOKEN", flags_of(desk))]
        # Nothing changed any more: the one that asked hears it again, the other one nothing.
        assert (await desk.ask(catalogue.LOGIN_USER, int(Cku.USER), USER_PIN)).ckr == Ckr.PIN_LOCKED
        assert (len(desk.heard()), laptop.heard()) == (1, [])

    story(tmp_path, tell)


def test_the_right_pin_at_one_clears_the_counter_at_the_other(tmp_path: Path) -> None:
    async def tell(desk: Pc, laptop: Pc) -> None:
        await desk.ask(catalogue.LOGIN_USER, int(Cku.USER), WRONG)
        desk.heard(), laptop.heard()
        await laptop.login(Cku.USER, USER_PIN)
        assert (desk.counters, laptop.heard()) == (TokenFlag(0), [])
        assert desk.heard() == [("+FOBTOKEN", flags_of(desk))]

    story(tmp_path, tell)


def test_what_was_lost_of_a_wrong_pin_does_not_come_behind_the_answer_to_the_right_one(tmp_path: Path) -> None:
    async def tell(desk: Pc, laptop: Pc) -> None:
        desk.cable.noise.swallow(EVENT)
        await desk.ask(catalogue.LOGIN_USER, int(Cku.USER), WRONG)
        assert (len(laptop.heard()), desk.heard()) == (1, [])
        await desk.login(Cku.USER, USER_PIN)
        assert desk.heard() == [("+FOBTOKEN", flags_of(desk))]
        await asyncio.sleep(60)
        assert (desk.heard(), desk.counters) == ([], TokenFlag(0))

    story(tmp_path, tell)


def test_what_was_lost_of_an_earlier_wrong_pin_does_not_come_behind_a_later_one(tmp_path: Path) -> None:
    async def tell(desk: Pc, laptop: Pc) -> None:
        laptop.cable.noise.swallow(EVENT)
        for _ in range(2):
            await desk.ask(catalogue.LOGIN_USER, int(Cku.USER), WRONG)
        assert laptop.heard() == [("+FOBTOKEN", flags_of(desk))]
        await asyncio.sleep(60)
        assert (laptop.heard(), laptop.counters) == ([], LAST)

    story(tmp_path, tell)


def test_a_login_that_changes_nothing_is_no_event_at_all(tmp_path: Path) -> None:
    async def tell(desk: Pc, laptop: Pc) -> None:
        number = await desk.login(Cku.USER, USER_PIN)
        await laptop.login(Cku.USER, USER_PIN)
        await desk.ask(catalogue.LOGIN_USER, int(Cku.USER), USER_PIN, number)
        await desk.ask(catalogue.LOGOUT, number + 2)
        assert desk.heard() == laptop.heard() == []

    story(tmp_path, tell)


@pytest.mark.clause("P8")
def test_a_pin_set_by_the_officer_at_one_unlocks_and_logs_out_at_the_other(tmp_path: Path) -> None:
    async def tell(desk: Pc, laptop: Pc) -> None:
        number = await laptop.login(Cku.USER, USER_PIN)
        for _ in range(3):
            await desk.ask(catalogue.LOGIN_USER, int(Cku.USER), WRONG)
        await desk.login(Cku.SO, SO_PIN)
        assert laptop.counters == LOCKED
        desk.heard(), laptop.heard()
        assert (await desk.ask(catalogue.INIT_PIN, NEW)).ckr == Ckr.OK
        assert laptop.counters == desk.counters == TokenFlag(0)
        assert laptop.heard() == [("+FOBLOCKED", number), ("+FOBTOKEN", flags_of(desk))]
        assert desk.heard() == [("+FOBTOKEN", flags_of(desk))]
        assert (await laptop.ask(catalogue.LOGOUT, number)).ckr == Ckr.USER_NOT_LOGGED_IN
        await laptop.login(Cku.USER, NEW)

    story(tmp_path, tell)


@pytest.mark.clause("P8")
def test_a_pin_changed_by_the_user_at_one_ends_the_logins_at_the_other(tmp_path: Path) -> None:
    async def tell(desk: Pc, laptop: Pc) -> None:
        mine = await desk.login(Cku.USER, USER_PIN)
        numbers = [await laptop.login(Cku.USER, USER_PIN), await laptop.login(Cku.USER, USER_PIN)]
        officer = await laptop.login(Cku.SO, SO_PIN)
        assert (await desk.ask(catalogue.SET_PIN, int(Cku.USER), USER_PIN, NEW)).ckr == Ckr.OK
        assert laptop.heard() == [("+FOBLOCKED", number) for number in numbers]
        assert desk.heard() == [("+FOBTOKEN", flags_of(desk))]
        # The officer's login and the login of the one who changed the PIN go on.
        assert (await laptop.ask(catalogue.LOGOUT, officer)).ckr == Ckr.OK
        assert (await desk.ask(catalogue.LOGOUT, mine)).ckr == Ckr.OK
        # Each is told once.
        await desk.ask(catalogue.LOGIN_USER, int(Cku.USER), WRONG)
        assert [name for name, _ in laptop.heard()] == ["+FOBTOKEN"]

    story(tmp_path, tell)


def test_a_change_with_a_wrong_old_pin_costs_a_try_everywhere_and_ends_nothing(tmp_path: Path) -> None:
    async def tell(desk: Pc, laptop: Pc) -> None:
        number = await laptop.login(Cku.USER, USER_PIN)
        assert (await desk.ask(catalogue.SET_PIN, int(Cku.USER), WRONG, NEW)).ckr == Ckr.PIN_INCORRECT
        assert laptop.counters == desk.counters == LOW
        assert laptop.heard() == [("+FOBTOKEN", flags_of(desk))]
        assert (await laptop.ask(catalogue.LOGOUT, number)).ckr == Ckr.OK

    story(tmp_path, tell)


def test_a_token_initialised_by_one_has_no_user_pin_at_the_other(tmp_path: Path) -> None:
    async def tell(desk: Pc, laptop: Pc) -> None:
        logins = [await laptop.login(Cku.USER, USER_PIN), await laptop.login(Cku.SO, SO_PIN)]
        assert laptop.flags & TokenFlag.USER_PIN_INITIALIZED
        assert (await desk.ask(catalogue.INIT_TOKEN, SO_PIN, b"again")).ckr == Ckr.OK
        assert not laptop.flags & TokenFlag.USER_PIN_INITIALIZED
        assert laptop.heard() == [*(("+FOBLOCKED", number) for number in logins), ("+FOBTOKEN", flags_of(desk))]

    story(tmp_path, tell)


def test_a_computer_that_was_away_learns_it_from_the_greeting(tmp_path: Path) -> None:
    async def tell(desk: Pc, laptop: Pc) -> None:
        laptop.cable.unplug()
        await desk.ask(catalogue.LOGIN_USER, int(Cku.USER), WRONG)
        assert laptop.counters == TokenFlag(0)
        laptop.cable.plug_in()
        await laptop.world.until(lambda: laptop.link.greeting is not None)
        assert (laptop.counters, laptop.heard()) == (LOW, [])

    story(tmp_path, tell)
