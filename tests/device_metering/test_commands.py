"""A PC has its device frank, over a link (docs/protocol.md, section 4.4): what is said, and what never crosses."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from fob_daemon.link.fate import FateUnknownError
from fob_device.approval.rules import Rules, parse_rules
from fob_device.integrity.program import Program
from fob_device.office import switching
from fob_device.office.door import OfficeDoor
from fob_device.security.manager import SecurityManager
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer
from fob_protocol.at.command import Command
from fob_protocol.at.values import Value
from fob_protocol.caller import Caller
from fob_protocol.history.entry import Kind, Outcome
from fob_protocol.metering.amounts import amount_words
from fob_protocol.metering.kinds import Deed, Payment
from fob_protocol.metering.transaction import TransactionRecord, unverified_transaction
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal
from fob_protocol.pkcs11.ckr import Ckr
from support.integrity_bench import OWN
from support.metering_office import KIND, PASSWORD, SERIAL, MeteringOffice
from support.office_world import OfficeWorld
from support.virtual_loop import run_virtually
from support.world import USER_PIN

ORDER = bytes(range(16))
OTHER = bytes(range(16, 32))
LETTER: tuple[Value, ...] = (20, "letter", "domestic", None, "10115", "Ann Example, Street 1, 10115 Berlin", None)
RULES = {"pin": USER_PIN.decode(), "password": PASSWORD}


class MeterWorld(OfficeWorld):
    """Its person is a rule file."""

    office: MeteringOffice

    async def signed_up(self) -> None:
        answer = await self.ask(catalogue.METER_SIGN_UP, "ann", KIND, int(Payment.PREPAID), None, None, "20095")
        assert (answer.ckr, [line[1] for line in answer.lines]) == (0, [SERIAL])
        assert (await self.ask(catalogue.METER_LOAD, OTHER, 10_000)).ckr == 0
        assert (await self.ask(catalogue.METER_TAKEN, OTHER)).ckr == 0

    async def frank(self, *pieces: tuple[Value, ...], order: bytes = ORDER, serial: str | None = None) -> Answer:
        values = [value for piece in pieces or (LETTER,) for value in piece]
        return await self.ask(catalogue.METER_FRANK, order, "XRATE", serial, None, None, *values)


Story = Callable[[MeterWorld], Awaitable[None]]


@pytest.fixture(autouse=True)
def small_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switching, "own_program", lambda: Program("fob-device", (0, 1, 0), None, lambda: OWN))


def tell(folder: Path, story: Story, rules: Rules | None = None, *, joined: bool = True) -> None:
    async def whole() -> None:
        world = MeterWorld(folder, MeteringOffice(), rules or parse_rules(dict(RULES)))
        await world.begin()
        world.manager.subscribe(world.events.append)
        relaying = world.relaying()
        try:
            await world.until(lambda: len(world.office.integrity.copies) >= 3, 600)  # type: ignore[union-attr]
            if joined:
                await world.signed_up()
            await story(world)
        finally:
            relaying.cancel()
            await world.close()

    run_virtually(whole())


def words(answer: Answer) -> tuple[int, str]:
    return answer.ckr, answer.words


def record(answer: Answer) -> TransactionRecord:
    assert words(answer) == (0, "")
    (line,) = answer.lines
    block = line[-1]
    assert isinstance(block, bytes)
    return unverified_transaction(block)


@pytest.mark.clause("M19", "M30", "X5", "X6")
def test_from_sign_up_to_a_letter(tmp_path: Path) -> None:
    async def story(world: MeterWorld) -> None:
        none = ("none", "", None, "", "", 0, 0, 0, 0, 0, 0, 0, 0, None, None, "", 0)
        assert (await world.ask(catalogue.METER)).lines == (none,)
        assert words(await world.frank()) == (Ckr.GENERAL_ERROR, "no-account")
        assert (await world.ask(catalogue.METER_TERMS)).lines == ((500, 0), (KIND,))
        await world.signed_up()
        answer = await world.frank()
        assert answer.lines[0][:-1] == (3, 95, 9905, 1, 10_000, 0)
        assert (record(answer).deed, record(answer).amount) == (Deed.FRANK, 95)
        account = world.office.mailer.account
        line = ("ready", "ann", account, SERIAL, KIND, 3, 95, 9905, 1, 10_000, 0, 1, 1, ORDER, "done", "", 0)
        assert (await world.ask(catalogue.METER)).lines == (line,)
        assert (await world.ask(catalogue.METER_RESULT, ORDER)).lines == answer.lines
        assert words(await world.frank(order=OTHER)) == (Ckr.GENERAL_ERROR, "not-taken")
        assert words(await world.frank(LETTER, LETTER)) == (Ckr.GENERAL_ERROR, "id-used")
        for _ in range(2):
            assert (await world.ask(catalogue.METER_TAKEN, ORDER)).ckr == 0
        assert words(await world.ask(catalogue.METER_RESULT, ORDER)) == (Ckr.GENERAL_ERROR, "id-used")
        assert (await world.ask(catalogue.METER_RESULT, bytes(16))).ckr == Ckr.ARGUMENTS_BAD
        told = (await world.ask(catalogue.METER_ABOUT)).lines
        assert (told[0][:9], told[0][9], told[1]) == ((1, 1, 10_000, 100_000, 0, 0, 0, None, None), 3, ("20095",))
        history = (await world.ask(catalogue.METER_HISTORY, 1)).lines
        deeds = [unverified_transaction(line[0]).deed for line in history if isinstance(line[0], bytes)]
        assert deeds == [Deed.LOAD, Deed.FRANK]
        await world.until(lambda: any(event.name == catalogue.EVENT_METER for event in world.events))
        # What it did stands in the history, with what did it (X6).
        entries = [line.entry for line in world.phone.history.newest(3) if line.entry is not None]
        franked = next(entry for entry in entries if "frank" in entry.words)
        assert (franked.kind, franked.words) == (
            Kind.COMPONENT_RUN, "counter 3: frank 1 letter, EUR 0.95, to 10115",
        )  # fmt: skip
        assert franked.integrity_value == record(answer).integrity

    tell(tmp_path, story, joined=False)


@pytest.mark.clause("M33")
def test_a_frank_is_for_the_meter_that_it_names_and_an_order_that_is_over_stays_over(tmp_path: Path) -> None:
    async def story(world: MeterWorld) -> None:
        said = len(world.office.said)
        assert words(await world.frank(serial="FM99000000011")) == (Ckr.GENERAL_ERROR, "other-meter")
        assert len(world.office.said) == said
        assert (await world.frank(serial=SERIAL)).ckr == 0
        await world.ask(catalogue.METER_TAKEN, ORDER)
        for number in range(3):
            await world.frank(order=bytes([number]) * 16)
            await world.ask(catalogue.METER_TAKEN, bytes([number]) * 16)
        # Whoever comes late with an order that another computer took does not pay it again.
        pieces = world.office.mailer.registers.pieces
        assert words(await world.frank(serial=SERIAL)) == (Ckr.GENERAL_ERROR, "id-used")
        assert words(await world.ask(catalogue.METER_RESULT, ORDER)) == (Ckr.GENERAL_ERROR, "id-used")
        assert world.office.mailer.registers.pieces == pieces == 4

    tell(tmp_path, story)


@pytest.mark.clause("M30")
def test_what_signing_up_costs_is_told_until_it_is_paid(tmp_path: Path) -> None:
    async def story(world: MeterWorld) -> None:
        world.office.fee = 250
        await world.ask(catalogue.METER_SIGN_UP, "ann", KIND, int(Payment.PREPAID), None, None, "20095")
        assert (await world.ask(catalogue.METER)).lines[0][-1] == 250
        assert (await world.ask(catalogue.METER_LOAD, OTHER, 10_000)).ckr == 0
        assert (await world.ask(catalogue.METER)).lines[0][-1] == 0

    tell(tmp_path, story, joined=False)


@pytest.mark.parametrize("count", [1, 64])
def test_a_frank_is_one_question_to_the_centre_and_three_round_trips_of_the_line(tmp_path: Path, count: int) -> None:
    """The command, the question fetched, the answer brought: its reply says at once that nothing follows."""

    async def story(world: MeterWorld) -> None:
        relayed, said = world.relayed, len(world.office.said)
        sent: list[str] = []
        execute = SecurityManager.execute

        async def counted(manager: SecurityManager, command: Command, *others: Any) -> Answer:
            sent.append(command.name)
            return await execute(manager, command, *others)

        with patch.object(SecurityManager, "execute", counted):
            answer = await world.frank(*[LETTER] * count)
        assert sent == ["+FOBMETERFRANK", "+FOBRELAY", "+FOBRELAYED"]
        assert len(record(answer).indicia) == count
        assert (world.relayed - relayed, len(world.office.said) - said) == (1, 1)

    tell(tmp_path, story)


@pytest.mark.clause("M19")
@pytest.mark.parametrize(
    ("answer", "ckr", "outcome"),
    [("deny", Ckr.FUNCTION_REJECTED, Outcome.REFUSED), ("ignore", Ckr.FUNCTION_CANCELED, Outcome.OUT_OF_TIME)],
)
def test_nothing_is_asked_without_a_yes(tmp_path: Path, answer: str, ckr: Ckr, outcome: Outcome) -> None:
    rules = parse_rules({**RULES, "approval": [{"operation": "frank", "key": "VM-*", "answer": answer}]})

    async def story(world: MeterWorld) -> None:
        asked = len(world.office.said)
        assert (await world.frank()).ckr == ckr
        assert len(world.office.said) == asked
        entries = [line.entry for line in world.phone.history.newest(5) if line.entry is not None]
        assert outcome in {entry.outcome for entry in entries if "frank 1 letter" in entry.words}

    tell(tmp_path, story, rules)


def test_the_pc_is_told_what_waits_for_the_person(tmp_path: Path) -> None:
    rules = parse_rules({**RULES, "approval": [{"operation": "frank", "after": 5, "remember": 300}]})

    async def story(world: MeterWorld) -> None:
        caller = Caller(("fob", "zsh"))
        values = [value for _ in range(3) for value in LETTER]
        for order in (ORDER, bytes(16)):
            asked = len([event for event in world.events if event.name == catalogue.EVENT_ASK])
            answer = await world.ask(catalogue.METER_FRANK, order, "XRATE", None, 0, caller.to_block(), *values)
            assert record(answer).amount == 285
            asks = [event.values[1] for event in world.events if event.name == catalogue.EVENT_ASK][asked:]
            # A yes to money is not remembered.
            assert asks[-1] == "frank 3 letters, EUR 2.85, to 10115 for fob <- zsh on me@pc"
            await world.ask(catalogue.METER_TAKEN, order)
        assert amount_words(KIND, 285) == "EUR 2.85"

    tell(tmp_path, story, rules)


BAD = {
    "no pieces": ("XRATE", ()),
    "half a piece": ("XRATE", LETTER[:3]),
    "no such component": ("XGONE", LETTER),
    "no price": ("XRATE", (20, "letter", "mars", *LETTER[3:])),
    "an amount and a weight": ("XRATE", (20, "letter", "domestic", 95, *LETTER[4:])),
    "neither": ("XRATE", (None, "letter", None, None, *LETTER[4:])),
    "no place": ("XRATE", (*LETTER[:4], "Köln", *LETTER[5:])),
    "no address": ("XRATE", (*LETTER[:5], "-", None)),
    "too many": ("XRATE", LETTER * 65),
}


@pytest.mark.parametrize(("command", "values"), BAD.values(), ids=BAD)
def test_what_cannot_be_franked_is_refused_before_anybody_is_asked(
    tmp_path: Path, command: str, values: tuple[Value, ...]
) -> None:
    async def story(world: MeterWorld) -> None:
        said = len(world.office.said)
        answer = await world.ask(catalogue.METER_FRANK, ORDER, command, None, None, None, *values)
        assert answer.ckr == Ckr.ARGUMENTS_BAD
        assert (
            await world.ask(catalogue.METER_FRANK, b"short", "XRATE", None, None, None, *LETTER)
        ).ckr == Ckr.ARGUMENTS_BAD
        assert len(world.office.said) == said

    tell(tmp_path, story)


def test_rates_of_a_whole_batch_are_told_and_nothing_is_asked_or_paid(tmp_path: Path) -> None:
    async def story(world: MeterWorld) -> None:
        said, asks = len(world.office.said), len(world.events)
        weighed = (
            20,
            "letter",
            "domestic",
            20,
            "letter",
            "moon",
            900_000,
            "letter",
            "domestic",
            50,
            "letter",
            "domestic",
        )
        answer = await world.ask(catalogue.METER_RATE, "XRATE", *weighed)
        none = "the rates have no price for it"
        assert answer.lines == ((95, none, none, 110),)
        assert words(await world.ask(catalogue.METER_RATE, "XGONE", *weighed)) == (
            Ckr.ARGUMENTS_BAD, "no component has XGONE",
        )  # fmt: skip
        for values in ((), weighed[:2], weighed[:3] * 257):
            assert (await world.ask(catalogue.METER_RATE, "XRATE", *values)).ckr == Ckr.ARGUMENTS_BAD
        assert len((await world.ask(catalogue.METER_RATE, "XRATE", *weighed[:3] * 256)).lines[0]) == 256
        assert len(world.office.said) == said
        assert not [event for event in world.events[asks:] if event.name == catalogue.EVENT_ASK]

    tell(tmp_path, story)


def test_the_reason_of_a_refusal_comes_to_the_computer_without_what_steers_a_screen(tmp_path: Path) -> None:
    async def story(world: MeterWorld) -> None:
        world.office.refusals = [
            RefusedError(Refusal.OVER_LIMIT, said="at most 10 for a piece"),
            RefusedError(Refusal.STOPPED, said="\x1b[2Jstopped"),
        ]
        assert words(await world.frank()) == (Ckr.FUNCTION_REJECTED, "over-limit: at most 10 for a piece")
        assert words(await world.frank()) == (Ckr.FUNCTION_REJECTED, "stopped: \N{REPLACEMENT CHARACTER}[2Jstopped")

    tell(tmp_path, story)


def test_an_amount_that_the_computer_names_is_said_to_be_its(tmp_path: Path) -> None:
    rules = parse_rules({**RULES, "approval": [{"operation": "frank", "after": 1}]})

    async def story(world: MeterWorld) -> None:
        answer = await world.frank((None, "label", None, 700, "10115", "Ann", None))
        assert record(answer).amount == 700
        asks = [event.values[1] for event in world.events if event.name == catalogue.EVENT_ASK]
        assert asks[-1] == "frank 1 label, EUR 7.00 (amount by the computer), to 10115 for me@pc"

    tell(tmp_path, story, rules)


def test_without_a_password_nobody_signs_up(tmp_path: Path) -> None:
    async def story(world: MeterWorld) -> None:
        answer = await world.ask(catalogue.METER_SIGN_UP, "ann", KIND, 1, None, None, "20095")
        assert answer.ckr == Ckr.FUNCTION_CANCELED
        assert world.office.account is None

    tell(tmp_path, story, parse_rules({"pin": USER_PIN.decode()}), joined=False)


@pytest.mark.clause("M1", "M19")
def test_no_password_and_no_key_crosses_the_line(tmp_path: Path) -> None:
    """Neither in what the PC relays, nor in any answer."""

    async def story(world: MeterWorld) -> None:
        await world.frank()
        await world.ask(catalogue.METER_TAKEN, ORDER)
        answers = [
            await world.ask(catalogue.METER), await world.ask(catalogue.METER_ABOUT),
            await world.ask(catalogue.METER_HISTORY, 0),
        ]  # fmt: skip
        said = repr(answers) + repr(world.events) + "".join(world.said) + repr(world.office.said)
        key = world.office.mailer.key
        assert PASSWORD not in said
        assert repr(key)[2:-1] not in said

    tell(tmp_path, story)


@pytest.mark.clause("M33")
def test_after_the_pc_and_the_phone_died_the_same_order_is_the_same_postage(tmp_path: Path) -> None:
    async def story(world: MeterWorld) -> None:
        first = await world.frank()
        world.restart_phone()
        with suppress(FateUnknownError):
            await world.frank()
        again = await world.frank()
        assert again.lines == first.lines
        assert world.office.mailer.registers.pieces == 1

    tell(tmp_path, story)


@pytest.mark.clause("X2")
def test_one_device_has_keys_loader_table_integrity_security_manager_and_meter(tmp_path: Path) -> None:
    async def story(world: MeterWorld) -> None:
        managers: set[int] = set()
        execute = SecurityManager.execute

        async def seen(manager: SecurityManager, *others: Any) -> Answer:
            managers.add(id(manager))
            return await execute(manager, *others)

        with patch.object(SecurityManager, "execute", seen):
            assert (await world.ask(catalogue.GET_TOKEN_INFO)).ckr == 0
            # Put where the program vector table says, and started by the loader in its order.
            options = {line[0]: line for line in (await world.ask(catalogue.OPTIONS)).lines}
            assert set(options) == {"postage-table", "postage-rates"}
            assert (await world.run("+XRATE", 20, "letter", "domestic")).lines == ((95, "EUR"),)
            # The integrity engine measures them, and the device's own program.
            copies = {line[0]: line[3] for line in (await world.ask(catalogue.COPIES)).lines}
            assert copies == dict.fromkeys(["fob-device", *options], "valid")
            assert (await world.frank()).ckr == 0
            assert (await world.ask(catalogue.METER)).lines[0][0] == "ready"
        assert len(managers) == 1
        back_office = world.phone.office
        assert isinstance(back_office, OfficeDoor)
        places = [(one.release.id, one.address) for one in back_office.office.machine.running.components]
        assert [name for name, _ in places] == ["postage-table", "postage-rates"]
        assert len({address for _, address in places}) == 2

    tell(tmp_path, story)
