"""What a PC asks of the device's copies over a link, and what it never learns (docs/protocol.md, section 4.3)."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from fob_device.approval.asking import Asking
from fob_device.approval.rules import Rules
from fob_device.integrity.own_program import NAME
from fob_device.office.door import OfficeDoor
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer, Event
from fob_protocol.at.command import Command
from fob_protocol.history.entry import Kind, Outcome
from fob_protocol.integrity.copy_record import COMPONENT_POLICY, INSTALLATION_POLICY, Policy
from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from fob_protocol.integrity.relying import RelyingParty
from fob_protocol.integrity.validation import State, Validate
from fob_protocol.office.message import Message
from fob_protocol.pkcs11.ckr import Ckr
from support.integrity_bench import validating_office
from support.office_world import OfficeWorld
from support.reference_integrity import METHOD, ReferenceIntegrity
from support.reference_office import ReferenceOffice
from support.virtual_loop import run_virtually
from support.world import NOW

NONCE = bytes(range(16))
TYPED = Method(Technique.D4, Embedder.TOOL, Variant.VA_3)


class IntegrityWorld(OfficeWorld):
    """Its office validates copies, also of the program that runs this test."""

    @property
    def integrity(self) -> ReferenceIntegrity:
        assert self.office.integrity is not None
        return self.office.integrity

    async def validated(self) -> None:
        """Every program was asked about."""
        await self.until(lambda: len(self.integrity.copies) >= 4, 600)
        copies = self.integrity.copies.values()
        await self.until(lambda: all(copy.was_validated or copy.record.method == TYPED for copy in copies), 600)

    async def states(self) -> dict[str, tuple[object, ...]]:
        """+FOBCOPIES by program: state and reason."""
        return {str(line[0]): line[3:5] for line in (await self.ask(catalogue.COPIES)).lines}


Story = Callable[[IntegrityWorld], Awaitable[None]]


def tell(
    folder: Path, story: Story, *, method: Method = METHOD, own: Policy = INSTALLATION_POLICY,
    known: tuple[str, ...] = ("table", "echo", "looping"),
) -> None:  # fmt: skip
    """A story of a device and the PC that relays for it, in virtual time."""

    async def whole() -> None:
        office: ReferenceOffice = validating_office(method=method, known=known, own=own)
        world = IntegrityWorld(folder, office, Rules())
        await world.begin()
        world.manager.subscribe(world.events.append)
        relaying = world.relaying()
        try:
            await world.validated()
            await story(world)
        finally:
            relaying.cancel()
            await world.close()

    run_virtually(whole())


def words(answer: Answer) -> tuple[Ckr | int, str]:
    return answer.ckr, answer.words


@pytest.mark.clause("V2", "V17")
def test_the_copies_and_how_they_stand(tmp_path: Path) -> None:
    async def story(world: IntegrityWorld) -> None:
        lines = (await world.ask(catalogue.COPIES)).lines
        at = world.integrity.copy("echo")
        assert [line[0] for line in lines] == [NAME, "table", "echo", "looping"]
        assert lines[2] == ("echo", "1.0.0", at.record.copy, "valid", "", int(NOW), int(NOW) + 86_400)
        assert [event for event in world.events if event.name == "+FOBINTEGRITY"] == [
            Event("+FOBINTEGRITY", (name, "waiting" if (name, word) == (NAME, "not-validated") else word))
            for word in ("not-validated", "valid") for name in (NAME, "table", "echo", "looping")
        ]  # fmt: skip
        (await world.ask(catalogue.VALIDATE, "echo")).raise_for_ckr()
        assert at.program_number == 2
        assert words(await world.ask(catalogue.VALIDATE, "other")) == (Ckr.ARGUMENTS_BAD, "no program other")

    tell(tmp_path, story)


@pytest.mark.clause("V16")
@pytest.mark.parametrize("state", [State.INVALID, State.CLONED, State.DISABLED])
def test_commands_and_data_of_a_copy_that_is_not_enabled_are_refused_by_name(tmp_path: Path, state: State) -> None:
    async def story(world: IntegrityWorld) -> None:
        assert (await world.run("+XECHO", 1)).lines == ((1,),)
        world.integrity.copy("table").state = state
        refused = (Ckr.FUNCTION_REJECTED, f"{state.name.lower()}: table")
        assert words(await world.ask(catalogue.OPTION, "table", 0)) == refused
        # It needs the table.
        assert words(await world.run("+XECHO", 1)) == refused
        assert (await world.run("+XLOOP")).words == "out-of-fuel"
        assert words(await world.ask(catalogue.TICKET, "table")) == refused
        assert (await world.states())["table"] == (state.name.lower(), state.name.lower())
        assert Event("+FOBINTEGRITY", ("table", state.name.lower())) in world.events
        # On demand: what was measured wrong and is whole gets another copy, for all else an operator has to say so.
        answer = await world.ask(catalogue.VALIDATE, "table")
        assert words(answer) == ((Ckr.OK, "") if state is State.INVALID else refused)

    tell(tmp_path, story)


def test_a_computer_that_comes_hears_which_copies_are_not_good(tmp_path: Path) -> None:
    async def story(world: IntegrityWorld) -> None:
        world.integrity.copy("table").state = State.DISABLED
        assert (await world.ask(catalogue.OPTION, "table", 0)).ckr == Ckr.FUNCTION_REJECTED
        heard: list[Event] = []
        world.manager.subscribe(heard.append)
        await world.reconnect()
        await world.until(lambda: Event("+FOBINTEGRITY", ("table", "disabled")) in heard)
        assert [event.values for event in heard if event.name == "+FOBINTEGRITY"] == [("table", "disabled")]

    tell(tmp_path, story)


@pytest.mark.clause("V16")
def test_private_keys_are_used_only_by_a_program_that_is_as_it_was_given_out(tmp_path: Path) -> None:
    async def story(world: IntegrityWorld) -> None:
        handle = await world.new_key()
        assert (await world.ask(catalogue.SIGN, handle, None, bytes(32))).ckr == Ckr.OK
        world.integrity.copy(NAME).state = State.DISABLED
        assert words(await world.ask(catalogue.SIGN, handle, None, bytes(32))) == (
            Ckr.FUNCTION_REJECTED,
            "disabled: fob-device",
        )
        assert (await world.ask(catalogue.GENERATE_RANDOM, 8)).ckr == Ckr.OK

    tell(tmp_path, story, own=COMPONENT_POLICY)


@pytest.mark.clause("V16")
@pytest.mark.parametrize("interval", [0, 3600])
def test_what_a_use_of_a_key_costs_in_round_trips_of_the_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interval: int
) -> None:
    """docs/decisions/0009: one more where each use is asked about, as its request is announced: what it is answered."""
    asked: list[str] = []

    async def story(world: IntegrityWorld) -> None:
        handle = await world.new_key()
        before = world.manager.request

        async def counting(command: Command, **how: float) -> Answer:
            asked.append(command.name)
            return await before(command, **how)

        monkeypatch.setattr(world.manager, "request", counting)
        assert (await world.ask(catalogue.SIGN, handle, None, bytes(32))).ckr == Ckr.OK
        assert asked == [catalogue.SIGN.name, *([catalogue.RELAYED.name] if interval == 0 else [])]

    tell(tmp_path, story, own=replace(INSTALLATION_POLICY, interval=interval))


@pytest.mark.clause("V18")
def test_a_relying_party_is_shown_that_a_copy_is_genuine_and_whose_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    unlocked = Rules.unlocked

    async def noting(rules: Rules, asking: Asking) -> None:
        asked.append(asking.what)
        await unlocked(rules, asking)

    async def story(world: IntegrityWorld) -> None:
        monkeypatch.setattr(Rules, "unlocked", noting)
        party = RelyingParty(world.integrity.validation.certificate.signing_key, 60, {"echo": (1, 0, 0)})
        ((shown,),) = (await world.ask(catalogue.PRESENT, "echo", "bank", NONCE)).lines
        assert isinstance(shown, bytes)
        ((ticket,),) = (await world.ask(catalogue.TICKET, "echo")).lines
        assert isinstance(ticket, bytes)
        assert party.admit(shown, "bank", NONCE, int(NOW)) == party.verify(ticket, int(NOW))
        assert asked == ["show bank that 'echo' is genuine"]
        assert (await world.ask(catalogue.PRESENT, "echo", "bank", b"short")).ckr == Ckr.ARGUMENTS_BAD

    tell(tmp_path, story)


@pytest.mark.clause("V6")
def test_a_letter_that_is_typed_at_the_pc(tmp_path: Path) -> None:
    async def story(world: IntegrityWorld) -> None:
        assert (await world.states())["looping"] == ("not-validated", "needs-letter")
        assert words(await world.run("+XLOOP")) == (Ckr.GENERAL_ERROR, "not-validated: looping needs-letter")
        letter = world.integrity.letter("looping")
        mistyped = letter[:-1] + ("A" if letter[-1] != "A" else "B")
        assert (await world.ask(catalogue.LETTER, "looping", mistyped)).ckr == Ckr.ARGUMENTS_BAD
        (await world.ask(catalogue.LETTER, "looping", letter.lower())).raise_for_ckr()
        assert (await world.run("+XLOOP")).words == "out-of-fuel"
        again = await world.ask(catalogue.LETTER, "table", letter)
        assert words(again) == (Ckr.FUNCTION_REJECTED, "letter-used")

    tell(tmp_path, story, method=TYPED)


@pytest.mark.clause("V19")
def test_the_history_holds_the_value_of_what_did_it(tmp_path: Path) -> None:
    async def story(world: IntegrityWorld) -> None:
        handle = await world.new_key()
        await world.ask(catalogue.SIGN, handle, None, bytes(32))
        await world.run("+XECHO", 1)
        await world.run("+XLOOP")
        await world.ask(catalogue.OPTION, "table", 0)
        door = world.phone.office
        assert isinstance(door, OfficeDoor)
        entries = [line.entry for line in reversed(world.phone.history.newest(4)) if line.entry is not None]
        assert [(entry.kind, entry.outcome, entry.words) for entry in entries] == [
            (Kind.USE, Outcome.APPROVED, ""),
            (Kind.COMPONENT_RUN, Outcome.APPROVED, "echo +XECHO"),
            (Kind.COMPONENT_RUN, Outcome.FAILED, "looping +XLOOP"),
            (Kind.COMPONENT_RUN, Outcome.APPROVED, "table read"),
        ]
        values = [door.office.standings.integrity_value(name) for name in (NAME, "echo", "looping", "table")]
        assert [entry.integrity_value for entry in entries] == values
        assert len({entry.integrity_value for entry in entries}) == 4
        assert all(len(entry.integrity_value) == 32 and entry.pc_name == "me@pc" for entry in entries)

    tell(tmp_path, story)


@pytest.mark.clause("V13")
def test_a_pc_never_has_an_identifier_and_never_a_value_before_it_is_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that it hears and relays is looked through for every UI and every ICV that there was."""
    seen: list[bytes] = []
    secrets: dict[str, set[bytes]] = {"UI": set(), "ICV": set()}

    async def story(world: IntegrityWorld) -> None:
        before = world.manager.request

        async def reading(command: Command, **how: float) -> Answer:
            answer = await before(command, **how)
            seen.append(repr(command.values).encode() + b"".join(_octets(command.values)))
            seen.extend(b"".join(_octets(line)) for line in answer.lines)
            return answer

        monkeypatch.setattr(world.manager, "request", reading)
        validate = world.integrity._answered

        def noting(message: Validate) -> Message:
            secrets["UI"].add(message.secret.identifier)
            secrets["ICV"].add(message.secret.integrity_value)
            return validate(message)

        monkeypatch.setattr(world.integrity, "_answered", noting)
        for _ in range(3):
            await world.run("+XECHO", 1)
        await world.ask(catalogue.COPIES)
        await world.ask(catalogue.TICKET, "echo")
        await world.ask(catalogue.PRESENT, "echo", "bank", NONCE)
        await world.ask(catalogue.OPTIONS)
        assert {len(found) for found in secrets.values()} == {6}
        heard = b"".join(seen)
        assert len(heard) > 5000
        assert [secret for found in secrets.values() for secret in found if secret in heard] == []
        # The history has values, of identifiers that are over by then, and no identifier.
        await world.ask(catalogue.HISTORY, 1)
        heard = b"".join(seen)
        assert sum(value in heard for value in secrets["ICV"]) == 3
        assert not any(identifier in heard for identifier in secrets["UI"])

    tell(tmp_path, story)


def _octets(values: tuple[object, ...]) -> list[bytes]:
    return [value if isinstance(value, bytes) else repr(value).encode() for value in values]
