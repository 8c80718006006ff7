"""The back office over a link (docs/protocol.md, section 4.3): questions that PCs relay, and what they ask for."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import fields
from pathlib import Path

import pytest

from fob_device.approval.questions import Decider
from fob_device.approval.rules import Rules
from fob_device.components.equipment import Supplied
from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_device.office.progress import Told
from fob_device.office.relay import Relay
from fob_device.pad.entry import PinEntry, PinUse
from fob_protocol import catalogue
from fob_protocol.at.answer import Event, encode_event
from fob_protocol.office.configuration import Notice, Purpose
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.registration import Form
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.relay import ANNOUNCED_LIMIT, ANNOUNCED_TIME, RELAY_TIME, RelayStatus, Waiting
from support.device_bench import DATA, SERIAL, releases
from support.office_world import OfficeWorld, forget_item
from support.reference_office import ReferenceOffice
from support.virtual_loop import run_virtually
from support.world import USER_PIN, World

OFFICE_COMMANDS = [
    catalogue.RELAY.build(),
    catalogue.RELAYED.build(1, 2),
    catalogue.OFFICE.build(),
    catalogue.CONFIGURE.build(1),
    catalogue.SERVERS.build(),
    catalogue.REGISTER.build("bank", 0),
    catalogue.ENTITLED.build("bank"),
    catalogue.USE.build("bank", "letters", "", b""),
    catalogue.OPTIONS.build(),
    catalogue.OPTION.build("table", 0),
]
Story = Callable[[OfficeWorld], Awaitable[None]]


def ordered() -> ReferenceOffice:
    office = ReferenceOffice()
    office.order = releases(office)
    return office


def tell(folder: Path, story: Story, office: ReferenceOffice | None = None, decider: Decider | None = None) -> None:
    """A story of a device, whose PC relays nothing yet, in virtual time."""

    async def whole() -> None:
        world = await OfficeWorld.made(folder, office or ordered(), decider)
        await story(world)
        await world.close()

    run_virtually(whole())


def test_a_phone_that_no_factory_touched_knows_none_of_these_commands(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        for command in OFFICE_COMMANDS:
            assert (await world.manager.request(command, timeout=5)).ckr == Ckr.FUNCTION_NOT_SUPPORTED
        await world.close()

    run_virtually(story())


def test_it_does_not_even_load_them() -> None:
    code = (
        "import fob_device.main, fob_device.screen.web.running, sys;"
        "print([name for name in sys.modules if name.startswith(('fob_device.office', 'fob_device.components'))])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True, timeout=60)
    assert result.stdout.strip() == "[]"


@pytest.mark.clause("C12")
@pytest.mark.parametrize("item", [item.name for item in fields(Supplied)])
def test_a_device_that_lacks_an_item_says_which_and_is_a_phone_all_the_same(tmp_path: Path, item: str) -> None:
    async def story() -> None:
        office = ordered()
        world = OfficeWorld(tmp_path, office, Rules())
        world.phone.lose_power()
        await asyncio.sleep(0)
        world.phone.token.close()
        forget_item(tmp_path, item, office)
        world.phone = world._start()
        world.connect()
        world.cable.switch_on(world.lines())
        await world.begin()
        missing = f"{item.replace('_', ' ')}: the factory has not given it"
        assert world.said == [f"this device speaks to no office: {missing}"]
        for command in OFFICE_COMMANDS:
            answer = await world.manager.request(command, timeout=5)
            assert (answer.ckr, answer.words) == (Ckr.GENERAL_ERROR, missing)
        await world.new_key()
        assert office.asked == []
        await world.close()

    run_virtually(story())


@pytest.mark.clause("C13", "C17", "C18")
def test_from_the_factory_to_running_options_by_a_pc_that_only_carries(tmp_path: Path) -> None:
    async def story(world: OfficeWorld) -> None:
        assert (await world.run("+XECHO", 1)).ckr == Ckr.FUNCTION_NOT_SUPPORTED
        (state,) = (await world.ask(catalogue.OFFICE)).lines
        assert state[:4] == (SERIAL, "meter-1", 0, 0)
        relaying = world.relaying()
        await world.until(lambda: len(world.office.reports) == 1, 600)
        lines = (await world.ask(catalogue.OPTIONS)).lines
        assert lines == (
            ("table", "1.0.0", 2, "Table", len(DATA), None, ""),
            ("echo", "1.0.0", 1, "Echo", lines[1][4], None, "+XECHO"),
            ("looping", "1.0.0", 1, "Looping", lines[2][4], None, "+XLOOP"),
        )
        assert (await world.run("+XECHO", 1, "two", b"three")).lines == ((1, "two", b"three"),)
        assert (await world.run("+XECHO", 1, None, 2)).ckr == Ckr.ARGUMENTS_BAD
        endless = await world.run("+XLOOP")
        assert (endless.ckr, endless.words) == (Ckr.GENERAL_ERROR, "out-of-fuel")
        assert (await world.run("+XOTHER")).ckr == Ckr.FUNCTION_NOT_SUPPORTED
        assert (await world.ask(catalogue.OPTION, "table", 0)).lines == ((len(DATA), DATA[:32_768]),)
        assert (await world.ask(catalogue.OPTION, "table", len(DATA))).lines[0] == (len(DATA), b"")
        assert (await world.ask(catalogue.OPTION, "echo", 0)).ckr == Ckr.ARGUMENTS_BAD
        await world.until(lambda: Event(catalogue.EVENT_OPTIONS, (1,)) in world.events)
        await asyncio.sleep(5)
        assert Event(catalogue.EVENT_PROGRESS, (0, 0, "")) in world.events
        (state,) = (await world.ask(catalogue.OFFICE)).lines
        assert state == (SERIAL, "meter-1", 1, 1, "running", "", 0, 0)
        relaying.cancel()

    tell(tmp_path, story)


@pytest.mark.clause("C13", "C17")
def test_options_run_again_after_a_power_cut_without_a_question(tmp_path: Path) -> None:
    async def story(world: OfficeWorld) -> None:
        relaying = world.relaying()
        await world.until(lambda: len(world.office.reports) == 1, 600)
        relaying.cancel()
        await asyncio.sleep(5)
        world.restart_phone()
        await world.until(lambda: world.manager.greeting is None)
        await world.until(lambda: world.manager.greeting is not None)
        assert (await world.run("+XECHO", 7)).lines == ((7,),)
        assert (await world.ask(catalogue.RELAY)).lines == ()

    tell(tmp_path, story)


@pytest.mark.clause("C19", "C11")
def test_a_person_asks_for_more_and_hears_of_upgrades(tmp_path: Path) -> None:
    async def story(world: OfficeWorld) -> None:
        world.office.order = releases(world.office)[:1]
        relaying = world.relaying()
        assert (await world.ask(catalogue.CONFIGURE, int(Purpose.FIRST))).ckr == Ckr.OK
        world.office.order = releases(world.office)[:2]
        world.office.notices = (Notice("echo", (1, 0, 0), (2, 0, 0)),)
        assert (await world.ask(catalogue.CONFIGURE, int(Purpose.AGAIN))).ckr == Ckr.OK
        assert (await world.ask(catalogue.OPTIONS)).lines[1][5] == "2.0.0"
        assert (await world.ask(catalogue.CONFIGURE, 4)).ckr == Ckr.ARGUMENTS_BAD
        world.office.refuses = {Service.CONFIGURATION: RefusedError(Refusal.DENIED)}
        denied = await world.ask(catalogue.CONFIGURE, int(Purpose.LOOK))
        assert (denied.ckr, denied.words) == (Ckr.FUNCTION_REJECTED, "denied")
        relaying.cancel()

    tell(tmp_path, story)


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (RelayStatus.NO_OFFICE, "no-office"),
        (RelayStatus.UNREACHABLE, "unreachable"),
        (RelayStatus.NOT_ANSWERED, "not-answered"),
        (RelayStatus.TOO_LONG, "too-long"),
    ],
)
def test_what_no_pc_can_carry_ends_by_name(tmp_path: Path, status: RelayStatus, name: str) -> None:
    async def story(world: OfficeWorld) -> None:
        world.status = status
        relaying = world.relaying()
        answer = await world.ask(catalogue.CONFIGURE, int(Purpose.AGAIN))
        assert (answer.ckr, answer.words) == (Ckr.GENERAL_ERROR, name)
        relaying.cancel()

    tell(tmp_path, story)


@pytest.mark.clause("R6", "R7", "R18", "R21")
@pytest.mark.parametrize("form", list(Form))
def test_registration_needs_the_user_and_is_used_from_this_computer(tmp_path: Path, form: Form) -> None:
    async def story(world: OfficeWorld) -> None:
        world.office.form = form
        relaying = world.relaying()
        await world.ask(catalogue.CONFIGURE, int(Purpose.FIRST))
        assert (await world.ask(catalogue.REGISTER, "bank", 0)).ckr == Ckr.USER_NOT_LOGGED_IN
        assert (await world.ask(catalogue.USE, "bank", "letters", "", b"")).ckr == Ckr.USER_NOT_LOGGED_IN
        await world.login()
        assert (await world.ask(catalogue.REGISTER, "nobody", 0)).ckr == Ckr.ARGUMENTS_BAD
        assert (await world.ask(catalogue.REGISTER, "bank", 0)).lines == (
            ("A bank of letters", int(form)), ("name", "Your name", 64, 1), ("account", "Account", 20, 0),
        )  # fmt: skip
        assert (await world.ask(catalogue.ENTITLED, "bank")).ckr == Ckr.ARGUMENTS_BAD
        assert (await world.ask(catalogue.REGISTER, "bank", 1, "name", "")).ckr == Ckr.ARGUMENTS_BAD
        assert (await world.ask(catalogue.REGISTER, "bank", 2, "name", "Ann")).ckr == Ckr.ARGUMENTS_BAD
        assert (await world.ask(catalogue.REGISTER, "bank", 1, "name", "Ann")).ckr == Ckr.OK
        servers = {line[0]: line[1:] for line in (await world.ask(catalogue.SERVERS)).lines}
        assert list(servers) == ["bank", "shop"]
        assert servers["bank"] == ("bank", "letters", 1, "Ann")
        assert servers["shop"] == ("shop", "", 0, "")
        used = await world.ask(catalogue.USE, "bank", "letters", "new", b"hello")
        assert used.lines == ((200, b"for Ann: hello"),)
        (entitled, letters) = (await world.ask(catalogue.ENTITLED, "bank")).lines
        assert (entitled[:2], letters) == ((1, 1), ("letters", 2))
        until, told = entitled[2:]
        assert isinstance(until, int)
        assert isinstance(told, int)
        assert told < until
        for application, path, body in (
            ("Letters", "", b""),
            ("letters", "p" * 257, b""),
            ("letters", "", bytes(8193)),
        ):
            assert (await world.ask(catalogue.USE, "bank", application, path, body)).ckr == Ckr.ARGUMENTS_BAD
        refused = await world.ask(catalogue.USE, "bank", "gold", "", b"")
        assert (refused.ckr, refused.words) == (Ckr.FUNCTION_REJECTED, "not-entitled")
        assert (await world.ask(catalogue.USE, "shop", "letters", "", b"")).ckr == Ckr.ARGUMENTS_BAD
        relaying.cancel()

    office = ReferenceOffice()
    office.order = []
    tell(tmp_path, story, office)


@pytest.mark.clause("R6")
def test_a_pin_pad_is_typed_on_for_each_registration(tmp_path: Path) -> None:
    async def story(world: OfficeWorld) -> None:
        relaying = world.relaying()
        await world.ask(catalogue.CONFIGURE, int(Purpose.FIRST))
        assert (await world.ask(catalogue.REGISTER, "bank", 1, "name", "Ann")).ckr == Ckr.OK
        assert world.phone.token.tries_left(Cku.USER) == 3
        relaying.cancel()

    tell(tmp_path, story, decider=Rules(typed_pin=USER_PIN))


def test_who_types_a_pin_reads_what_it_is_for() -> None:
    entry = PinEntry(PinUse.SERVER, Cku.USER, "me@pc", deed="register at bank")
    assert entry.words() == "type the PIN to register at bank for me@pc"


@pytest.mark.clause("R6")
def test_a_wrong_pin_registers_nobody_and_costs_a_try(tmp_path: Path) -> None:
    async def story(world: OfficeWorld) -> None:
        relaying = world.relaying()
        await world.ask(catalogue.CONFIGURE, int(Purpose.FIRST))
        assert (await world.ask(catalogue.REGISTER, "bank", 1, "name", "Ann")).ckr == Ckr.PIN_INCORRECT
        assert world.phone.token.tries_left(Cku.USER) == 2
        assert world.office.registrations == {}
        relaying.cancel()

    tell(tmp_path, story, decider=Rules(typed_pin=b"000000"))


def test_a_question_is_announced_in_every_new_session_and_taken_again(tmp_path: Path) -> None:
    async def story(world: OfficeWorld) -> None:
        (first,) = (await world.ask(catalogue.RELAY)).lines
        await world.reconnect()
        await world.until(lambda: Event(catalogue.EVENT_RELAY) in world.events)
        (again,) = (await world.ask(catalogue.RELAY)).lines
        assert again == first
        waiting = Waiting.from_values(first)
        stray = await world.ask(catalogue.RELAYED, waiting.number + 1, 0, b"an answer to something else")
        assert stray.lines in ((first,), ())
        assert waiting.service == Service.DIRECTORY

    tell(tmp_path, story)


def relay_of(computers: set[bytes], announced: list[float]) -> Relay:
    loop = asyncio.get_running_loop()
    return Relay(lambda: computers, lambda event, computer: announced.append(loop.time()), lambda count: bytes(count))


def test_who_has_taken_a_question_has_a_minute_for_it() -> None:
    async def story() -> None:
        announced: list[float] = []
        relay = relay_of({b"a", b"b"}, announced)
        carrying = asyncio.create_task(relay.carry("directory", b"question", Told("asking", 1, 2)))
        await asyncio.sleep(0)
        waiting = relay.take(b"a")
        assert waiting == Waiting(1, "directory", b"question", "asking", 1, 2)
        assert relay.take(b"b") is None
        assert relay.take(b"a") == waiting
        await asyncio.sleep(RELAY_TIME + 1)
        assert announced == [0.0, RELAY_TIME]
        assert relay.take(b"b") == waiting
        relay.relayed(b"a", 1, 0, b"the answer, late", None)
        assert await carrying == b"the answer, late"

    run_virtually(story())


def announcing(computers: set[bytes], announced: list[tuple[bytes | None, Event]]) -> Relay:
    """Who was told what; None: all."""
    return Relay(lambda: computers, lambda event, pc: announced.append((pc, event)), lambda count: bytes(count))


async def answered(relay: Relay, computer: bytes, question: bytes = b"question") -> "asyncio.Task[bytes]":
    """A question that this computer takes, and brings the answer of; who brought it waits for none."""
    carrying = asyncio.create_task(relay.carry("directory", question, Told()))
    await asyncio.sleep(0)
    waiting = relay.take(computer)
    assert waiting is not None
    relay.relayed(computer, waiting.number, 0, b"answer", None)
    assert await carrying == b"answer"
    relay.judged(is_answer=True)
    return asyncio.create_task(relay.carry("validation", question, Told("validating rates")))


def test_who_brought_the_last_answer_has_the_next_question_with_its_announcement() -> None:
    async def story() -> None:
        announced: list[tuple[bytes | None, Event]] = []
        relay = announcing({b"a", b"b"}, announced)
        carrying = await answered(relay, b"a")
        await asyncio.sleep(0)
        waiting = Waiting(2, "validation", b"question", "validating rates")
        assert announced == [
            (None, Event(catalogue.EVENT_RELAY)),
            (b"a", Event(catalogue.EVENT_RELAY, waiting.values())),
        ]
        # It has it, and may ask for it all the same; the other one has to wait, and not for long.
        assert relay.take(b"b") is None
        assert relay.take(b"a") == waiting
        relay.relayed(b"a", 2, 0, b"the answer", None)
        assert await carrying == b"the answer"

    run_virtually(story())


def test_a_computer_that_does_nothing_with_what_was_announced_to_it_leaves_it_to_the_others() -> None:
    async def story() -> None:
        announced: list[tuple[bytes | None, Event]] = []
        relay = announcing({b"a", b"b"}, announced)
        carrying = await answered(relay, b"a")
        await asyncio.sleep(ANNOUNCED_TIME + 1)
        assert [computer for computer, _ in announced] == [None, b"a", None]
        assert announced[-1] == (None, Event(catalogue.EVENT_RELAY))
        assert relay.take(b"b") is not None
        relay.relayed(b"b", 2, 0, b"the answer", None)
        assert await carrying == b"the answer"

    run_virtually(story())


@pytest.mark.parametrize("over", [0, 1])
def test_a_question_that_fits_no_frame_is_asked_for(over: int) -> None:
    """Around it stand name, number, service, words and steps."""

    async def story() -> None:
        announced: list[tuple[bytes | None, Event]] = []
        relay = announcing({b"a"}, announced)
        short = Waiting(2, "validation", bytes(100), "validating rates")
        around = len(encode_event(Event(catalogue.EVENT_RELAY, short.values())))
        question = bytes(ANNOUNCED_LIMIT - around + 100 + over)
        carrying = await answered(relay, b"a", question)
        await asyncio.sleep(0)
        waiting = Waiting(2, "validation", question, "validating rates")
        told = (None, Event(catalogue.EVENT_RELAY)) if over else (b"a", Event(catalogue.EVENT_RELAY, waiting.values()))
        assert announced[-1] == told
        assert relay.take(b"a") == waiting
        carrying.cancel()

    run_virtually(story())


@pytest.mark.parametrize("status", [RelayStatus.NO_OFFICE, RelayStatus.UNREACHABLE])
def test_who_could_not_carry_what_was_announced_to_it_is_not_the_first_any_more(status: RelayStatus) -> None:
    async def story() -> None:
        announced: list[tuple[bytes | None, Event]] = []
        relay = announcing({b"a", b"b"}, announced)
        carrying = await answered(relay, b"a")
        await asyncio.sleep(0)
        relay.relayed(b"a", 2, int(status), None, None)
        assert announced[-1] == (None, Event(catalogue.EVENT_RELAY))
        assert relay.take(b"b") is not None
        relay.relayed(b"b", 2, 0, b"the answer", None)
        assert await carrying == b"the answer"
        relay.judged(is_answer=True)
        following = asyncio.create_task(relay.carry("metering", b"question", Told()))
        await asyncio.sleep(0)
        assert announced[-1][0] == b"b"
        following.cancel()

    run_virtually(story())


def test_a_computer_that_has_gone_is_announced_nothing() -> None:
    async def story() -> None:
        announced: list[tuple[bytes | None, Event]] = []
        computers = {b"a", b"b"}
        relay = announcing(computers, announced)
        carrying = await answered(relay, b"a")
        computers.remove(b"a")
        await asyncio.sleep(0)
        assert announced == [(None, Event(catalogue.EVENT_RELAY))] * 2
        carrying.cancel()

    run_virtually(story())


def test_a_pc_that_cannot_leaves_it_to_another_one() -> None:
    async def story() -> None:
        announced: list[float] = []
        relay = relay_of({b"a", b"b"}, announced)
        carrying = asyncio.create_task(relay.carry("directory", b"question", Told()))
        await asyncio.sleep(0)
        relay.take(b"a")
        relay.relayed(b"b", 1, int(RelayStatus.UNREACHABLE), None, None)
        assert not carrying.done()
        relay.relayed(b"a", 1, int(RelayStatus.NO_OFFICE), None, None)
        assert relay.take(b"a") is None
        assert relay.take(b"b") is not None
        relay.relayed(b"b", 1, 99, None, 7)
        with pytest.raises(NotCarriedError) as ended:
            await carrying
        assert (ended.value.why, ended.value.seconds) == (NotCarried.NOT_ANSWERED, 7)

    run_virtually(story())
