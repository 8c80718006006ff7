"""The PC's end and the device's end of the meter together, over a link: what crosses it, and that it is paid once."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from daemon_metering.bench import ZSH, due, letters
from fob_daemon.control.errors import ControlError
from fob_daemon.device.remote_office import RemoteOffice
from fob_daemon.device.remote_token import RemoteToken
from fob_daemon.link.fate import FateUnknownError
from fob_daemon.metering.desk import MeterDesk
from fob_daemon.metering.kept.store import MeterStore
from fob_daemon.metering.reading import transaction_of
from fob_daemon.metering.remote_meter import RemoteMeter
from fob_daemon.metering.views import Piece, SignUp
from fob_device.approval.rules import parse_rules
from fob_device.integrity.program import Program
from fob_device.office import switching
from fob_device.security.manager import SecurityManager
from fob_office.shipped import shipped
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer
from fob_protocol.at.command import Command
from fob_protocol.integrity.copy_record import COMPONENT_POLICY
from fob_protocol.integrity.validation import State
from fob_protocol.metering.indicium import Indicium, addressee_digest
from fob_protocol.office.message import read
from fob_protocol.pkcs11.errors import CkrError
from support.integrity_bench import LASTING, OWN
from support.metering_office import KIND, PASSWORD, SERIAL, MeteringOffice
from support.office_world import OfficeWorld
from support.virtual_loop import run_virtually
from support.world import USER_PIN

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

RULES = {"pin": USER_PIN.decode(), "password": PASSWORD}
MANY = 70
TYPED = "Ann  Example, Hauptstr. 5, 20095 Hamburg"
WRITTEN = "Ann Example, Hauptstraße 5, 20095 Hamburg"
TO_ANN = Piece("20095", TYPED, "letter", grams=20, zone="domestic")


class Desks:
    """A desk at a real device; `start` makes the daemon's end anew."""

    def __init__(self, world: OfficeWorld, path: Path) -> None:
        self.world = world
        self.path = path
        self.start()

    def start(self) -> None:
        remote = RemoteMeter(RemoteToken(self.world.manager))
        office = RemoteOffice(self.world.manager)
        self.desk = MeterDesk(remote, office, MeterStore.at(self.path), self.world.random.randbytes, lambda: 1.0)

    @property
    def office(self) -> MeteringOffice:
        assert isinstance(self.world.office, MeteringOffice)
        return self.world.office

    async def begin(self, count: int) -> int:
        number = (await self.desk.begin_job("XRATE")).job
        await self.desk.add(number, letters(count))
        return number

    async def digests(self) -> list[bytes]:
        counters = sorted(kept.counter for kept in await self.desk.kept(None))
        records = [transaction_of(await self.desk.record(counter)) for counter in counters]
        return [read(Indicium, one.indicium).addressee for record in records for one in record.indicia]


Story = Callable[[Desks], Awaitable[None]]


@pytest.fixture(autouse=True)
def small_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switching, "own_program", lambda: Program("fob-device", (0, 1, 0), None, lambda: OWN))


def tell(folder: Path, story: Story, centre: MeteringOffice | None = None, after: int = 5) -> None:
    """`after`: seconds that the person takes to say yes to a letter."""
    rules = parse_rules({**RULES, "approval": [{"operation": "frank", "after": after}]})

    async def whole() -> None:
        world = OfficeWorld(folder, centre or MeteringOffice(), rules)
        await world.begin()
        world.manager.subscribe(world.events.append)
        relaying = world.relaying()
        try:
            await world.until(lambda: len(world.office.integrity.copies) >= 3, 600)  # type: ignore[union-attr]
            desks = Desks(world, folder / "meter.db")
            await desks.desk.sign_up(SignUp("ann", KIND, 1, None, None, ("10115",)))
            await desks.desk.load(10_000, ZSH)
            await story(desks)
        finally:
            relaying.cancel()
            await world.close()

    run_virtually(whole())


@pytest.mark.clause("M1", "M25")
def test_a_letter_is_two_round_trips_and_two_that_carry_the_question(tmp_path: Path) -> None:
    async def story(desks: Desks) -> None:
        sent: list[str] = []
        execute = SecurityManager.execute

        async def counted(manager: SecurityManager, command: Command, *others: Any) -> Answer:
            sent.append(command.name)
            return await execute(manager, command, *others)

        number = await desks.begin(1)
        with patch.object(SecurityManager, "execute", counted):
            job = await desks.desk.frank(number, ZSH, lambda done: None)
        assert sent == ["+FOBMETERFRANK", "+FOBRELAY", "+FOBRELAYED", "+FOBMETERTAKEN"]
        assert (job.done, job.amount, await desks.digests()) == (1, 95, due(1))
        known = await desks.desk.known()
        assert known is not None
        assert (known.serial, known.descending, known.value_kind) == (SERIAL, 9905, KIND)
        asks = [event.values[1] for event in desks.world.events if event.name == catalogue.EVENT_ASK]
        assert asks[-1] == "frank 1 letter, EUR 0.95, to 20095 for fob <- zsh on me@pc"

    tell(tmp_path, story)


@pytest.mark.clause("M1", "V16", "X5")
@pytest.mark.parametrize(("after", "asked"), [(0, []), (5, ["+FOBRELAY"])])
def test_where_each_use_is_asked_about_a_letter_is_one_round_trip_more_for_each_program(
    tmp_path: Path, after: int, asked: list[str]
) -> None:
    """The request about the first one comes with its announcement; each answer is told in one that brings the next.

    While the person thinks nothing is brought, and what the data centre is asked then is too long for its announcement.
    """
    office = MeteringOffice()
    assert office.integrity is not None
    for name in ("postage-table", "postage-rates"):
        known = office.integrity.known[name]
        office.integrity.known[name] = replace(known, policy=COMPONENT_POLICY)

    async def story(desks: Desks) -> None:
        sent: list[str] = []
        execute = SecurityManager.execute

        async def counted(manager: SecurityManager, command: Command, *others: Any) -> Answer:
            sent.append(command.name)
            return await execute(manager, command, *others)

        for _ in range(2):
            number = await desks.begin(1)
            sent.clear()
            with patch.object(SecurityManager, "execute", counted):
                await desks.desk.frank(number, ZSH, lambda done: None)
            validated = ["+FOBRELAYED"] * 2
            assert sent == ["+FOBMETERFRANK", *validated, *asked, "+FOBRELAYED", "+FOBMETERTAKEN"]
        assert office.integrity is not None
        office.integrity.copy("postage-table").state = State.DISABLED
        number = await desks.begin(1)
        sent.clear()
        with (
            patch.object(SecurityManager, "execute", counted),
            pytest.raises(CkrError, match="disabled: postage-table"),
        ):
            await desks.desk.frank(number, ZSH, lambda done: None)
        # At that very use, and nothing is asked of the meter.
        assert sent == ["+FOBMETERFRANK", "+FOBRELAYED"]

    tell(tmp_path, story, office, after)


@pytest.mark.clause("M17")
def test_a_batch_that_ran_out_of_money_goes_on(tmp_path: Path) -> None:
    async def story(desks: Desks) -> None:
        number = await desks.begin(110)
        with pytest.raises(CkrError, match="insufficient-funds"):
            await desks.desk.frank(number, ZSH, lambda done: None)
        assert await desks.digests() == due(64)
        await desks.desk.load(10_000, ZSH)
        job = await desks.desk.frank((await desks.desk.resumable()).number, ZSH, lambda done: None)
        assert (job.done, await desks.digests()) == (110, due(110))
        assert desks.office.mailer.registers.ascending == 110 * 95

    tell(tmp_path, story)


@pytest.mark.clause("M33")
def test_whoever_dies_the_batch_is_paid_once(tmp_path: Path) -> None:
    async def story(desks: Desks) -> None:
        number = await desks.begin(MANY)
        desk, frank = desks.desk, desks.desk.remote.frank

        async def cut(*values: Any) -> Any:
            await frank(*values)
            desks.world.restart_phone()
            raise FateUnknownError("the line ended")

        with patch.object(desk.remote, "frank", cut), pytest.raises(CkrError):
            await desk.frank(number, ZSH, lambda done: None)
        desks.start()
        job = await desks.desk.resumable()
        # The link that broke says so to one request more.
        with suppress(FateUnknownError):
            job = await desks.desk.frank(job.number, ZSH, lambda done: None)
        if job.done < MANY:
            job = await desks.desk.frank(job.number, ZSH, lambda done: None)
        assert (job.done, await desks.digests()) == (MANY, due(MANY))
        assert desks.office.mailer.registers.pieces == MANY

    tell(tmp_path, story)


@pytest.mark.clause("M14", "M33")
def test_a_sign_on_elsewhere_has_the_batch_paid_once(tmp_path: Path) -> None:
    """At the device's screen, or from another computer, before this one has heard what it paid for."""

    async def story(desks: Desks) -> None:
        number = await desks.begin(MANY)
        desk, frank = desks.desk, desks.desk.remote.frank

        async def unheard(*values: Any) -> Any:
            await frank(*values)
            raise FateUnknownError("the line ended")

        with patch.object(desk.remote, "frank", unheard), pytest.raises(CkrError):
            await desk.frank(number, ZSH, lambda done: None)
        assert (await desks.world.ask(catalogue.METER_SIGN_ON, "ann")).ckr == 0
        desks.start()
        job = await desks.desk.frank((await desks.desk.resumable()).number, ZSH, lambda done: None)
        assert (job.done, await desks.digests()) == (MANY, due(MANY))
        assert desks.office.mailer.registers.pieces == MANY

    tell(tmp_path, story)


def test_history_refunds_and_state(tmp_path: Path) -> None:
    async def story(desks: Desks) -> None:
        await desks.desk.frank(await desks.begin(2), ZSH, lambda done: None)
        assert (await desks.desk.refund(None, 3, 1, ZSH)).amount == 95
        deeds = [transaction_of(record).deed.name for record in await desks.desk.history(1)]
        assert deeds == ["LOAD", "FRANK", "CREDIT"]
        state = await desks.desk.state()
        assert (state.stage, state.name, state.counter, state.order) == ("ready", "ann", 4, "")
        assert (await desks.desk.about()).origins == ("10115",)

    tell(tmp_path, story)


def cleansing_office() -> MeteringOffice:
    """Whose set for the device has the shipped component besides."""
    office = MeteringOffice()
    content = shipped()["address-cleansing"].content()
    office.order = [*(office.order or ()), office.signers.release("address-cleansing", content, commands=("XADDRESS",))]
    assert office.integrity is not None
    office.integrity.knows("address-cleansing", content, policy=LASTING)
    return office


@pytest.mark.clause("M36")
def test_the_indicium_is_for_the_address_that_the_component_wrote(tmp_path: Path) -> None:
    async def story(desks: Desks) -> None:
        (piece,) = await desks.desk.cleansed([TO_ANN])
        assert piece.address == WRITTEN
        number = (await desks.desk.begin_job("XRATE")).job
        await desks.desk.add(number, [piece])
        await desks.desk.frank(number, ZSH, lambda done: None)
        assert await desks.digests() == [addressee_digest(WRITTEN)]
        assert addressee_digest(WRITTEN) != addressee_digest(TYPED)

    tell(tmp_path, story, cleansing_office())


@pytest.mark.clause("M36")
def test_a_device_without_the_component_says_so_and_franks_nothing(tmp_path: Path) -> None:
    async def story(desks: Desks) -> None:
        said = len(desks.office.said)
        with pytest.raises(ControlError, match="no component of the device has XADDRESS"):
            await desks.desk.cleansed([TO_ANN])
        assert len(desks.office.said) == said
        # What is not asked for is not missed.
        await desks.desk.frank(await desks.begin(1), ZSH, lambda done: None)

    tell(tmp_path, story)
