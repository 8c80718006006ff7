"""The device and the back office as they are: copies, a damaged component, a disabled copy, a clone and a letter."""

import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import func, update
from wasmtime import wat2wasm

from fob_device.integrity.own_program import NAME
from fob_device.integrity.program import Program
from fob_device.integrity.standings import USE_AGAIN
from fob_device.office.factory import factory_record
from fob_device.office.progress import Told
from fob_office.answering import UnreadableError
from fob_office.devices.service import add_device, set_state
from fob_office.devices.tables import DeviceState
from fob_office.distribution.letters import make_letter
from fob_office.distribution.operating import disable, enable, reissue
from fob_office.distribution.tables import Copy
from fob_office.orders.service import create_order
from fob_office.programs.service import add_installation, withdraw_installation
from fob_protocol.at.command import encode_command
from fob_protocol.catalogue import RELAYED
from fob_protocol.integrity.letter import read_letter
from fob_protocol.integrity.validation import State
from fob_protocol.link.frames import Kind as Record
from fob_protocol.link.gatt import SENT_VALUE_LIMIT
from fob_protocol.office.component import Kind
from fob_protocol.office.configuration import Purpose
from fob_protocol.office.envelope import Service
from fob_protocol.office.message import Version
from fob_protocol.relay import RelayStatus
from fob_protocol.session.parts import split_text
from fob_protocol.session.records import Sealer
from support.device_bench import DATA, LOOP, SERIAL, echo_module
from support.integrity_bench import IntegrityBench
from support.octets import flipped
from support.office import OfficeScene, office_scene
from support.office_holders import installation, octets_of, policy, results, state_of
from support.office_shop import OPERATOR, release
from support.reference_office import ReferenceOffice
from support.virtual_loop import run_virtually

OWN = b"run()"
ALL = [NAME, "table", "echo", "looping"]


class _PublicKey:
    """As much of a key as a device needs of its issuer's."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def public_key(self) -> "_PublicKey":
        return self

    def public_bytes_raw(self) -> bytes:
        return self._raw


class _Signers:
    """The issuer and the configuration server."""

    def __init__(self, scene: OfficeScene) -> None:
        self.issuer = _PublicKey(scene.issuer)
        self.configuration = self
        self.signed = scene.signed_certificate("configuration")


class RealOffice:
    """What a bench asks of an office."""

    def __init__(self, scene: OfficeScene) -> None:
        self.scene = scene
        self.signers = _Signers(scene)
        self.device: object = None

    @property
    def now(self) -> int:
        return self.scene.clock.time

    def answer(self, service: str, sealed: bytes) -> bytes:
        try:
            return self.scene.answering.answer(Service(service), sealed)
        except UnreadableError:
            raise ValueError from None


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[OfficeScene]:
    (tmp_path / "office").mkdir()
    with office_scene(tmp_path / "office") as opened:
        release(opened, "table", octets=DATA, kind=Kind.DATA)
        release(opened, "echo", octets=echo_module(), commands=("XECHO",), needs={"table": (1, 0, 0)})
        release(opened, "looping", octets=bytes(wat2wasm(LOOP)), commands=("XLOOP",))
        add_installation(opened.office, NAME, (0, 1, 0), installation(OWN), OPERATOR)
        yield opened


def tell(
    folder: Path, scene: OfficeScene, story: Callable[[IntegrityBench], Coroutine[Any, Any, None]], *more: str
) -> None:
    """A story of a device with an order of three components and more."""

    async def whole() -> None:
        (folder / "device").mkdir()
        bench = IntegrityBench(folder / "device", cast(ReferenceOffice, RealOffice(scene)))
        bench.own_octets = octets_of(installation(OWN))
        bench.own = Program(NAME, (0, 1, 0), None, lambda: bench.own_octets)
        add_device(scene.office, factory_record(bench.device, "Meter"), OPERATOR)
        create_order(scene.office, SERIAL, ("table", "echo", "looping", *more), OPERATOR)
        bench.switch_on()
        try:
            await bench.validated()
            await story(bench)
        finally:
            await bench.switch_off()

    run_virtually(whole())


def number_of(bench: IntegrityBench, program: str) -> bytes:
    return bench.copy(program).about.copy


def stored(bench: IntegrityBench, program: str) -> Path:
    (found,) = (one for one in bench.back_office.machine.running.found if one.release.id == program)
    return bench.folder / "components" / f"content-{found.stored_as.hex()}"


@pytest.mark.clause("V2", "V17", "V21", "V22")
def test_every_start_is_validated_and_rolls(tmp_path: Path, scene: OfficeScene) -> None:
    async def story(bench: IntegrityBench) -> None:
        assert bench.words == dict.fromkeys(ALL, "valid")
        await bench.restart()
        assert bench.words == dict.fromkeys(ALL, "valid")
        assert await bench.use("echo") == "used"
        assert results(scene, number_of(bench, "echo")) == [(1, "valid"), (2, "valid"), (3, "valid")]

    tell(tmp_path, scene, story)


@pytest.mark.clause("V15")
def test_a_damaged_component_is_flagged_and_healed_by_a_fresh_download(tmp_path: Path, scene: OfficeScene) -> None:
    async def story(bench: IntegrityBench) -> None:
        old = number_of(bench, "echo")
        path = stored(bench, "echo")
        path.write_bytes(flipped(path.read_bytes()))
        await bench.restart()
        assert (bench.words["echo"], state_of(scene, old)) == ("invalid", State.INVALID)
        assert await bench.use("echo") == "invalid"
        await bench.back_office.configure(Purpose.AGAIN)
        await bench.validated()
        assert (bench.words["echo"], await bench.use("echo")) == ("valid", "used")
        assert number_of(bench, "echo") != old
        assert state_of(scene, old) is State.INVALID

    tell(tmp_path, scene, story)


@pytest.mark.clause("V16")
def test_what_an_operator_disables_and_gives_anew(tmp_path: Path, scene: OfficeScene) -> None:
    async def story(bench: IntegrityBench) -> None:
        assert await bench.use("looping") == "used"
        number = number_of(bench, "looping")
        disable(scene.office, number, OPERATOR)
        assert await bench.use("looping") == "disabled"
        reissue(scene.office, number, OPERATOR)
        await bench.restart()
        assert (bench.words["looping"], await bench.use("looping")) == ("valid", "used")

    tell(tmp_path, scene, story)


@pytest.mark.clause("V21")
def test_of_two_of_one_disk_the_second_is_refused_and_both_are_flagged(tmp_path: Path, scene: OfficeScene) -> None:
    async def story(bench: IntegrityBench) -> None:
        other = await bench.clone(tmp_path / "other")
        assert other.words == dict.fromkeys(ALL, "cloned")
        assert [state_of(scene, number_of(bench, name)) for name in ALL] == [State.CLONED] * 4
        assert [await bench.use(name) for name in ("table", "echo", "looping")] == ["cloned"] * 3
        await other.switch_off()

    tell(tmp_path, scene, story)


@pytest.mark.clause("R27")
@pytest.mark.parametrize("by_itself", [True, False])
def test_a_device_that_was_off_while_all_keys_were_changed_and_revoked_goes_on(
    tmp_path: Path, scene: OfficeScene, by_itself: bool
) -> None:
    """The first question that nobody opens makes it ask the directory, for which its old keys are good enough."""

    async def story(bench: IntegrityBench) -> None:
        issuing = scene.issuing()
        for server in ("configuration", "integrity", "configuration"):
            issuing.change_keys(server)
            issuing.revoke(server, everything=False)
        if by_itself:
            await bench.restart()
        else:
            await bench.back_office.configure(Purpose.LOOK)
            await bench.copies.validate_all()
        assert {bench.words[name] for name in ALL} == {"valid"}
        epochs = bench.back_office.talker.known.trust.epochs
        assert (epochs["configuration"], epochs["integrity"]) == (3, 2)

    tell(tmp_path, scene, story)


@pytest.mark.clause("R27", "V16")
@pytest.mark.parametrize("servers", [("integrity",), ("configuration", "integrity")])
def test_a_use_that_meets_changed_and_revoked_keys_goes_on_by_the_new_ones(
    tmp_path: Path, scene: OfficeScene, servers: tuple[str, ...]
) -> None:
    async def story(bench: IntegrityBench) -> None:
        for server in servers:
            scene.issuing().change_keys(server)
            scene.issuing().revoke(server, everything=False)
        assert [await bench.use(name) for name in (NAME, "looping")] == ["used", "used"]
        assert not bench.standings.is_unanswered(NAME)
        disable(scene.office, number_of(bench, NAME), OPERATOR)
        assert await bench.use(NAME) == "disabled"

    tell(tmp_path, scene, story)


@pytest.mark.clause("V6")
def test_a_letter_makes_a_copy_of_what_everybody_gets_alike(tmp_path: Path, scene: OfficeScene) -> None:
    policy(scene, "looping", technique="D4", embedder="tool")

    async def story(bench: IntegrityBench) -> None:
        assert (bench.words["looping"], bench.standings.reason("looping")) == ("not-validated", "needs-letter")
        letter = make_letter(scene.office, "looping", (1, 0, 0), None, OPERATOR)
        await bench.copies.enter_letter("looping", read_letter(letter))
        assert (bench.words["looping"], await bench.use("looping")) == ("valid", "used")

    tell(tmp_path, scene, story)


@pytest.mark.clause("V15", "V16")
def test_a_program_that_was_added_by_mistake_stops_itself_alone_and_the_operator_mends_it(
    tmp_path: Path, scene: OfficeScene
) -> None:
    withdraw_installation(scene.office, NAME, (0, 1, 0), OPERATOR)
    add_installation(scene.office, NAME, (0, 1, 0), installation(b"another build"), OPERATOR)

    async def story(bench: IntegrityBench) -> None:
        assert bench.words == {NAME: "invalid", "table": "valid", "echo": "valid", "looping": "valid"}
        assert [await bench.use(name) for name in (NAME, "echo")] == ["invalid", "used"]
        assert results(scene, number_of(bench, NAME)) == [(1, "invalid")]
        withdraw_installation(scene.office, NAME, (0, 1, 0), OPERATOR)
        add_installation(scene.office, NAME, (0, 1, 0), installation(OWN), OPERATOR)
        await bench.restart()
        assert (bench.words[NAME], await bench.use(NAME)) == ("valid", "used")

    tell(tmp_path, scene, story)


async def runs(bench: IntegrityBench, version: Version) -> None:
    """Another version of the device's own program is installed."""
    assert bench.own is not None
    bench.own_octets = octets_of(installation(OWN + bytes(version)))
    if version == (0, 1, 0):
        bench.own_octets = octets_of(installation(OWN))
    bench.own = replace(bench.own, version=version)
    await bench.restart()


@pytest.mark.clause("V16")
@pytest.mark.parametrize("is_heard", [True, False])
def test_a_version_that_was_never_added_lifts_no_disabled_copy(
    tmp_path: Path, scene: OfficeScene, is_heard: bool
) -> None:
    async def story(bench: IntegrityBench) -> None:
        number = number_of(bench, NAME)
        disable(scene.office, number, OPERATOR)
        if is_heard:
            assert await bench.use(NAME) == "disabled"
        await runs(bench, (0, 2, 0))
        assert (bench.words[NAME], await bench.use(NAME)) == ("disabled", "disabled")
        assert {bench.words[name] for name in ("table", "echo", "looping")} == {"valid"}
        bench.away()
        await bench.power_cut()
        await bench.back_office.started.wait()
        assert await bench.use(NAME) == "disabled"
        # Once it was added, what the operator says is about it too.
        bench.away(False)
        add_installation(scene.office, NAME, (0, 2, 0), installation(OWN + bytes((0, 2, 0))), OPERATOR)
        await bench.restart()
        assert await bench.use(NAME) == "disabled"
        reissue(scene.office, number_of(bench, NAME), OPERATOR)
        scene.clock.pass_by(USE_AGAIN)
        assert (await bench.use(NAME), bench.words[NAME]) == ("used", "valid")

    tell(tmp_path, scene, story)


@pytest.mark.clause("V16", "V17")
def test_a_version_that_was_never_added_needs_none_where_nothing_is_disabled(
    tmp_path: Path, scene: OfficeScene
) -> None:
    async def story(bench: IntegrityBench) -> None:
        await runs(bench, (0, 2, 0))
        assert (bench.words[NAME], await bench.use(NAME)) == ("needs-none", "used")

    tell(tmp_path, scene, story)


@pytest.mark.clause("V16", "V21", "V22")
@pytest.mark.parametrize("is_added", [True, False])
def test_a_version_that_comes_back_has_its_copy_as_it_was(tmp_path: Path, scene: OfficeScene, is_added: bool) -> None:
    if is_added:
        add_installation(scene.office, NAME, (0, 2, 0), installation(OWN + bytes((0, 2, 0))), OPERATOR)

    async def story(bench: IntegrityBench) -> None:
        number = number_of(bench, NAME)
        await runs(bench, (0, 2, 0))
        assert (bench.words[NAME], await bench.use(NAME)) == ("valid" if is_added else "needs-none", "used")
        await runs(bench, (0, 1, 0))
        assert (number_of(bench, NAME), bench.words[NAME]) == (number, "valid")
        assert await bench.use(NAME) == "used"
        assert {result for _, result in results(scene, number)} == {"valid"}
        disable(scene.office, number, OPERATOR)
        assert await bench.use(NAME) == "disabled"
        await runs(bench, (0, 2, 0))
        assert await bench.use(NAME) == "disabled"
        enable(scene.office, number, OPERATOR)
        await runs(bench, (0, 1, 0))
        assert (bench.words[NAME], await bench.use(NAME)) == ("valid", "used")

    tell(tmp_path, scene, story)


@pytest.mark.clause("V16")
def test_a_device_that_has_lost_its_identifiers_signs_nothing_before_it_has_others(
    tmp_path: Path, scene: OfficeScene
) -> None:
    async def story(bench: IntegrityBench) -> None:
        number = number_of(bench, NAME)
        await bench.switch_off()
        with closing(sqlite3.connect(bench.folder / "token.db")) as rows, rows:
            rows.execute("DELETE FROM copies WHERE program = ?", (NAME,))
        await bench.start()
        assert (bench.words[NAME], bench.standings.reason(NAME)) == ("not-validated", "lost-identifier")
        assert await bench.use(NAME) == "not-validated"
        bench.away()
        assert await bench.use(NAME) == "not-validated"
        bench.away(False)
        disable(scene.office, number, OPERATOR)
        assert await bench.use(NAME) == "not-validated"
        reissue(scene.office, number, OPERATOR)
        assert (await bench.use(NAME), bench.words[NAME]) == ("used", "valid")
        assert number_of(bench, NAME) != number

    tell(tmp_path, scene, story)


def forget(scene: OfficeScene) -> None:
    """The office is put back to a backup of before all its copies were made: those that it has are other ones."""
    with scene.office.database.write() as session:
        session.execute(update(Copy).values(number=func.randomblob(16), is_current=False, state=State.DISABLED))


@pytest.mark.clause("V16", "V22")
def test_copies_that_were_made_since_a_backup_are_given_anew_at_the_next_use(
    tmp_path: Path, scene: OfficeScene
) -> None:
    async def story(bench: IntegrityBench) -> None:
        before = {name: number_of(bench, name) for name in ALL}
        disable(scene.office, before["looping"], OPERATOR)
        assert await bench.use("looping") == "disabled"
        forget(scene)
        assert [await bench.use(name) for name in (NAME, "echo")] == ["used", "used"]
        assert not {number_of(bench, name) for name in (NAME, "table", "echo")} & set(before.values())
        # What was given in the place of what was disabled waits for the office's yes, which has forgotten its no.
        bench.away()
        scene.clock.pass_by(USE_AGAIN)
        assert await bench.use("looping") == "not-validated"
        bench.away(False)
        scene.clock.pass_by(USE_AGAIN)
        assert await bench.use("looping") == "used"
        await bench.restart()
        assert bench.words == dict.fromkeys(ALL, "valid")

    tell(tmp_path, scene, story)


@pytest.mark.clause("V16")
@pytest.mark.parametrize(("is_barred", "word"), [(True, "disabled"), (False, "not-validated")])
def test_a_device_that_is_disabled_has_no_grace_and_loses_no_verdict(
    tmp_path: Path, scene: OfficeScene, is_barred: bool, word: str
) -> None:
    """It hears the same word as who is not known any more."""

    async def story(bench: IntegrityBench) -> None:
        if is_barred:
            disable(scene.office, number_of(bench, NAME), OPERATOR)
            assert await bench.use(NAME) == "disabled"
        forget(scene)
        set_state(scene.office, SERIAL, DeviceState.DISABLED, OPERATOR)
        for _ in range(2):
            scene.clock.pass_by(USE_AGAIN)
            assert await bench.use(NAME) == word
        bench.away()
        await bench.power_cut()
        await bench.back_office.started.wait()
        assert await bench.use(NAME) == word

    tell(tmp_path, scene, story)


# The longest name of a component that comes with Fob, and what two numbers of 65,535 have more in octets.
LONGEST_NAME = "customer-profile"
NUMBERS = 4
# Of the air: a packet's data, what L2CAP and ATT put before a value, and the packets of one connection event.
PACKET, HEADERS, PACKETS = 251, 7, 4


def packets(octets: int) -> int:
    """Of the air, for frames that share values."""
    full, rest = divmod(octets, SENT_VALUE_LIMIT)
    return full * ceil((SENT_VALUE_LIMIT + HEADERS) / PACKET) + ceil((rest + HEADERS) / PACKET)


@pytest.mark.clause("P7")
def test_the_largest_usual_val_ok_crosses_in_one_connection_event(tmp_path: Path, scene: OfficeScene) -> None:
    """In two parts, beside which the PC may say that it has an event and an answer."""

    async def story(bench: IntegrityBench) -> None:
        carry, answers = bench.post.carry, []

        async def overheard(service: str, question: bytes, told: Told) -> bytes:
            answers.append((service, await carry(service, question, told)))
            return answers[-1][1]

        bench.post.carry = overheard  # type: ignore[method-assign]  # as the PC brings them
        assert await bench.use(LONGEST_NAME) == "used"
        ((service, answer),) = answers
        command = RELAYED.build((1 << 24) - 1, RelayStatus.ANSWERED, answer + bytes(NUMBERS))
        sealer, parts = Sealer(bytes(32)), split_text(encode_command(command))
        frames = [sealer.seal(Record.REQUEST_PART, 9, part, part=(index, 2)) for index, part in enumerate(parts)]
        frames += [sealer.seal(Record.EVENT_RECEIVED, 7), sealer.seal(Record.RELEASE, 8)]
        octets = sum(len(frame.to_bytes()) for frame in frames)
        assert (service, len(parts), packets(octets)) == (Service.VALIDATION, 2, PACKETS)

    release(scene, LONGEST_NAME, octets=DATA, kind=Kind.DATA)
    tell(tmp_path, scene, story, LONGEST_NAME)
