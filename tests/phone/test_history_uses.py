"""Uses of keys in the phone's history: who, which key, whose decision; and never a signature without its entry."""

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fob_device.approval.questions import Decider, Decision, Prompt, Question
from fob_device.approval.rules import Rule, Rules
from fob_device.history.history import History
from fob_device.security.manager import SecurityManager
from fob_device.withdrawal import WITHDRAWN
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer
from fob_protocol.at.attribute_list import attributes_to_values, parameters_to_block
from fob_protocol.caller import Caller, Purpose
from fob_protocol.history.entry import By, Entry, Kind, Outcome, Use, computer_id
from fob_protocol.history.head import Head
from fob_protocol.history.record import SignedRecord
from fob_protocol.history.verdict import Fault, Verdict
from fob_protocol.history.verify import verify
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Ecdh1Parameters
from support.history import NONCE, checked
from support.token_bench import USER_PIN, Bench, make_ec
from support.virtual_loop import run_virtually
from support.world import World

DESK = bytes(range(32))
LAPTOP = bytes(range(32, 64))
SSH = Caller(("ssh", "git", "zsh"), Purpose.LOGIN, host="github.com")
DIGEST = bytes(32)


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "token.db")
    yield bench
    bench.memory.close()


class Desk:
    """One computer's session with a phone that has one key."""

    def __init__(self, phone: Bench, decider: Decider | None = None, key: bytes = DESK) -> None:
        self.phone = phone
        self.manager = SecurityManager(
            phone.token, decider or Rules(), pc_name="me@desk", pc_key=key, history=phone.memory.history
        )
        self.handle = 0

    async def begin(self) -> "Desk":
        (await self.ask(catalogue.LOGIN_USER, 1, USER_PIN)).raise_for_ckr()
        self.handle = make_ec(self.phone.user(), LABEL=b"work")[1].handle
        return self

    async def ask(self, spec: catalogue.CommandSpec, *values: int | str | bytes | None) -> Answer:
        return await self.manager.execute(spec.build(*values))

    async def sign(self, digest: bytes = DIGEST) -> Answer:
        return await self.ask(catalogue.SIGN, self.handle, None, digest, None, 0, SSH.to_block())

    async def history(self, computer: "Desk | None" = None) -> tuple[list[SignedRecord], Head]:
        asker = computer or self
        answer = await asker.ask(catalogue.HISTORY, 1)
        head = await asker.ask(catalogue.HISTORY_HEAD, NONCE)
        return [SignedRecord.from_values(line) for line in answer.lines[1:]], Head.from_values(head.lines[0], NONCE)


def uses(history: History) -> list[Entry]:
    """Newest first."""
    return [line.entry for line in history.newest(99) if line.entry is not None and line.entry.kind is Kind.USE]


async def test_a_signature_is_written_down_with_all_that_is_known(phone: Bench) -> None:
    desk = await Desk(phone).begin()
    assert (await desk.sign()).ckr == Ckr.OK
    assert uses(phone.memory.history) == [
        Entry(
            Kind.USE, Outcome.APPROVED, By.RULE, 1_700_000_000, 1, computer_id(DESK), "me@desk", SSH, Use.SIGN,
            "work", desk.handle, uses=1,
        )
    ]  # fmt: skip
    assert checked(phone.memory.history) == Verdict()


async def test_other_uses_are_written_down_too(phone: Bench) -> None:
    desk = await Desk(phone).begin()
    generator = bytes.fromhex(
        "04"
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )
    parameter = parameters_to_block(Ecdh1Parameters(kdf=1, shared_data=b"", public_data=generator))
    template = attributes_to_values({Cka.CLASS: Cko.SECRET_KEY, Cka.KEY_TYPE: Ckk.GENERIC_SECRET, Cka.VALUE_LEN: 32})
    values = (desk.handle, int(Ckm.ECDH1_DERIVE), parameter, None, None, *template)
    answer = await desk.ask(catalogue.DERIVE_KEY, *values)
    assert answer.ckr == Ckr.OK, answer.words
    # What fails is written down too: whoever probes a key by its failures is seen.
    assert (await desk.ask(catalogue.DECRYPT, desk.handle, int(Ckm.RSA_PKCS), DIGEST)).ckr != Ckr.OK
    assert [(entry.use, entry.outcome) for entry in uses(phone.memory.history)] == [
        (Use.DECRYPT, Outcome.FAILED),
        (Use.DERIVE, Outcome.APPROVED),
    ]


class Person:
    """Taps: yes, no, or nothing."""

    def __init__(self, *decisions: Decision | None) -> None:
        self.decisions = list(decisions)
        self.asked = asyncio.Event()
        self._rules = Rules()

    def __getattr__(self, name: str) -> object:
        return getattr(self._rules, name)

    def is_silent(self, question: Question) -> bool:
        return False

    async def decide(self, prompt: Prompt) -> Decision:
        self.asked.set()
        decision = self.decisions.pop(0)
        if decision is None:
            await asyncio.Event().wait()
        assert decision is not None
        return decision


async def desk_of(phone: Bench, *decisions: Decision | None) -> tuple[Desk, Person]:
    person = Person(*decisions)
    return await Desk(phone, person).begin(), person  # type: ignore[arg-type]


async def test_a_tap_and_the_grant_that_it_gave(phone: Bench) -> None:
    desk, _ = await desk_of(phone, Decision(True, remember=300))
    assert [(await desk.sign()).ckr for _ in range(2)] == [Ckr.OK, Ckr.OK]
    assert [(entry.by, entry.uses) for entry in uses(phone.memory.history)] == [(By.GRANT, 2), (By.TAP, 1)]
    await desk.ask(catalogue.REVOKE, 0)
    await phone.memory.history.note(Entry(Kind.UNLOCKED))
    revoked = phone.memory.history.newest(2)[1].entry
    assert revoked is not None
    assert (revoked.kind, revoked.key_label, revoked.words, revoked.caller, revoked.computer) == (
        Kind.GRANT_REVOKED,
        "work",
        "log in to github.com",
        SSH,
        computer_id(DESK),
    )


async def test_a_no_is_written_down_and_counts_as_no_use(phone: Bench) -> None:
    desk, _ = await desk_of(phone, Decision(False), Decision(True))
    assert [(await desk.sign()).ckr for _ in range(2)] == [Ckr.FUNCTION_REJECTED, Ckr.OK]
    assert [(entry.outcome, entry.by, entry.uses) for entry in uses(phone.memory.history)] == [
        (Outcome.APPROVED, By.TAP, 1),
        (Outcome.REFUSED, By.TAP, 0),
    ]


async def test_a_no_stays_a_no_on_a_full_disk(phone: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, _ = await desk_of(phone, Decision(False), Decision(True))
    fill_the_disk(phone)
    assert (await desk.sign()).ckr == Ckr.FUNCTION_REJECTED


def test_silence_is_written_down(tmp_path: Path) -> None:
    async def story() -> None:
        phone = Bench(tmp_path / "token.db")
        desk, _ = await desk_of(phone, None)
        assert (await desk.sign()).ckr == Ckr.FUNCTION_CANCELED
        assert [(entry.outcome, entry.by) for entry in uses(phone.memory.history)] == [(Outcome.OUT_OF_TIME, By.NONE)]
        phone.memory.close()

    run_virtually(story())


async def test_a_request_that_the_computer_withdraws_is_written_down(phone: Bench) -> None:
    desk, person = await desk_of(phone, None)
    request = asyncio.create_task(desk.sign())
    await person.asked.wait()
    request.cancel(WITHDRAWN)
    await asyncio.gather(request, return_exceptions=True)
    await phone.memory.history.note(Entry(Kind.UNLOCKED))
    assert [(entry.outcome, entry.by) for entry in uses(phone.memory.history)] == [(Outcome.WITHDRAWN, By.NONE)]


async def test_a_power_cut_is_no_withdrawal(phone: Bench) -> None:
    desk, person = await desk_of(phone, None)
    request = asyncio.create_task(desk.sign())
    await person.asked.wait()
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    await phone.memory.history.note(Entry(Kind.UNLOCKED))
    assert uses(phone.memory.history) == []


def test_a_withdrawal_over_the_link_is_written_down(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 6, Rules((Rule(answer="ignore"),)))
        handle = await world.new_key(b"work")
        command = catalogue.SIGN.build(handle, None, DIGEST)
        with pytest.raises(CkrError):
            await world.manager.request(command, timeout=2)
        await world.until(lambda: bool(uses(world.phone.history)))
        assert [entry.outcome for entry in uses(world.phone.history)] == [Outcome.WITHDRAWN]
        await world.close()

    run_virtually(story())


async def test_who_is_not_logged_in_leaves_no_trace(phone: Bench) -> None:
    desk = Desk(phone)
    desk.handle = make_ec(phone.user())[1].handle
    before = len(phone.memory.history.newest(99))
    assert (await desk.sign()).ckr == Ckr.USER_NOT_LOGGED_IN
    assert len(phone.memory.history.newest(99)) == before


async def test_a_computer_reads_its_own_entries_and_checks_all(phone: Bench) -> None:
    desk = await Desk(phone).begin()
    laptop = Desk(phone, key=LAPTOP)
    await desk.sign()
    for asker, readable in ((desk, [True, False, False, True]), (laptop, [False] * 4)):
        records, head = await desk.history(asker)
        assert [record.details is not None for record in records] == readable
        assert verify(records, head) == Verdict()


async def test_what_is_no_question_about_the_history(phone: Bench) -> None:
    desk = Desk(phone)
    assert (await desk.ask(catalogue.HISTORY_HEAD, bytes(31))).ckr == Ckr.ARGUMENTS_BAD
    assert (await desk.ask(catalogue.HISTORY, (1 << 64) - 1)).lines == (((1 << 64) - 1, 0),)
    silent = SecurityManager(phone.token, Rules(), pc_name="me@desk")
    assert (await silent.execute(catalogue.HISTORY.build(1))).ckr == Ckr.FUNCTION_NOT_SUPPORTED


def fill_the_disk(phone: Bench) -> None:
    connection: sqlite3.Connection = phone.token._database._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages}")


async def test_nothing_is_signed_on_a_full_disk(phone: Bench) -> None:
    desk = await Desk(phone).begin()
    fill_the_disk(phone)
    answers = [await desk.sign(bytes([number]) * 32) for number in range(200)]
    written = len(uses(phone.memory.history))
    refused = [answer for answer in answers if answer.ckr != Ckr.OK]
    # What fits into the last page, and not one more.
    assert written == len(answers) - len(refused)
    assert {answer.ckr for answer in refused} == {Ckr.DEVICE_MEMORY}
    assert refused[0].words == "the phone's history cannot be written: token file: database or disk is full"
    assert all(answer.lines == () for answer in refused)
    assert checked(phone.memory.history) == Verdict()


class Camera:
    """Copies the file and its journal at each statement, with the number of answers that had left by then."""

    def __init__(self, phone: Bench, shelf: Path) -> None:
        self.phone = phone
        self.shelf = shelf
        self.answered = 0
        self.pictures: list[tuple[Path, int]] = []
        connection: sqlite3.Connection = phone.token._database._connection
        connection.execute("PRAGMA cache_size=1")
        connection.set_trace_callback(self)

    def __call__(self, statement: str = "") -> None:
        folder = self.shelf / str(len(self.pictures))
        folder.mkdir(parents=True)
        name = self.phone.path.name
        for file in (self.phone.path, self.phone.path.with_name(f"{name}-journal")):
            if file.exists():
                (folder / file.name).write_bytes(file.read_bytes())
        self.pictures.append((folder / name, self.answered))

    def stop(self) -> None:
        connection: sqlite3.Connection = self.phone.token._database._connection
        connection.set_trace_callback(None)
        self()


@pytest.mark.parametrize("at_once", [1, 4])
async def test_a_power_cut_at_any_write_leaves_no_signature_without_its_entry(
    phone: Bench, tmp_path: Path, at_once: int
) -> None:
    desk = await Desk(phone).begin()
    camera = Camera(phone, tmp_path / "film")

    async def sign() -> None:
        assert (await desk.sign()).ckr == Ckr.OK
        # The answer is about to leave; no transaction is half done while its lock is held.
        with phone.token._database._lock:
            camera()
            camera.answered += 1

    for _ in range(3):
        await asyncio.gather(*(sign() for _ in range(at_once)))
    camera.stop()

    assert len(camera.pictures) > 20
    seen = set()
    for picture, answered in camera.pictures:
        memory = phone.open_file(picture)
        written = uses(memory.history)
        assert len(written) >= answered
        assert [entry.uses for entry in written] == list(range(len(written), 0, -1))
        assert checked(memory.history) == Verdict()
        seen.add((len(written), answered))
        memory.close()
    # Also cuts in between were looked at: the entry there, the answer not yet gone.
    assert any(written > answered for written, answered in seen)
    assert seen <= {(written, answered) for written in range(3 * at_once + 1) for answered in range(written + 1)}


async def shown_to(desk: Desk) -> Verdict:
    """What a check at this computer finds."""
    return verify(*await desk.history())


def set_counter(phone: Bench, uses: int) -> None:
    """Somebody changes the stopped phone's file."""
    with phone.token._database.transaction() as connection:
        connection.execute("UPDATE key_use SET uses = ?", (uses,))


@pytest.mark.parametrize("uses", [0, 1, 5])
async def test_a_counter_that_staff_sets_is_found_at_the_next_use(phone: Bench, uses: int) -> None:
    desk = await Desk(phone).begin()
    for _ in range(3):
        assert (await desk.sign()).ckr == Ckr.OK
    length = phone.memory.history.head(NONCE).end.length
    set_counter(phone, uses)
    assert await shown_to(desk) == Verdict()
    assert (await desk.sign()).ckr == Ckr.OK
    assert await shown_to(desk) == Verdict(Fault.MISCOUNTED, length + 1)


@pytest.mark.parametrize("uses", [-1, -5])
async def test_a_counter_below_every_count_lets_no_signature_out(phone: Bench, uses: int) -> None:
    desk = await Desk(phone).begin()
    assert (await desk.sign()).ckr == Ckr.OK
    set_counter(phone, uses)
    refused = await desk.sign()
    assert refused.ckr == Ckr.DEVICE_ERROR
    assert refused.words == "the phone's history cannot be written: a key's count of uses was altered"
    assert await shown_to(desk) == Verdict()


async def test_computers_that_share_a_key_count_together(phone: Bench) -> None:
    """Each sees its own uses, and of the other's that there are some."""
    desk = await Desk(phone).begin()
    laptop = Desk(phone, key=LAPTOP)
    laptop.handle = desk.handle
    (await laptop.ask(catalogue.LOGIN_USER, 1, USER_PIN)).raise_for_ckr()
    for computer in (laptop, desk, laptop, laptop, desk):
        assert (await computer.sign()).ckr == Ckr.OK
    assert [await shown_to(desk), await shown_to(laptop)] == 2 * [Verdict()]
    set_counter(phone, 1)
    assert (await desk.sign()).ckr == Ckr.OK
    assert (await shown_to(desk)).fault is Fault.MISCOUNTED
    # The laptop used it four times before, and sees it at its own next use.
    assert await shown_to(laptop) == Verdict()
    assert (await laptop.sign()).ckr == Ckr.OK
    assert (await shown_to(laptop)).fault is Fault.MISCOUNTED


async def test_a_disk_that_fails_at_any_write_lets_no_signature_out_without_its_entry(phone: Bench) -> None:
    """Every statement of the history's transaction fails once."""
    desk = await Desk(phone).begin()
    real: sqlite3.Connection = phone.token._database._connection

    class Failing:
        """A connection of which the statement `due` fails as a dying disk does."""

        def __init__(self, due: int) -> None:
            self.due = due
            self.statements = 0

        def __getattr__(self, name: str) -> object:
            return getattr(real, name)

        def execute(self, statement: str, *arguments: Any) -> object:
            if "history" in statement or "key_use" in statement or statement in ("BEGIN IMMEDIATE", "COMMIT"):
                self.statements += 1
                if self.statements == self.due:
                    raise sqlite3.OperationalError("disk I/O error")
            return real.execute(statement, *arguments)

    failures = 0
    for due in range(1, 12):
        phone.token._database._connection = Failing(due)  # type: ignore[assignment]
        answer = await desk.sign(bytes([due]) * 32)
        phone.token._database._connection = real
        signed = len(uses(phone.memory.history))
        failures += answer.ckr == Ckr.DEVICE_ERROR
        assert (answer.ckr == Ckr.OK and signed == due - failures) or (answer.lines == () and signed == due - failures)
        assert checked(phone.memory.history) == Verdict()
    assert failures >= 6


def test_a_real_session_over_a_noisy_line_is_written_down_once_each(tmp_path: Path) -> None:
    """Frames are sent again; what was done is written down once."""

    async def story() -> None:
        world = await World.paired(tmp_path, 5, Rules((Rule(after=0.5, remember=60.0),)))
        handle = await world.new_key(b"work")
        world.noise.rate = 0.002
        command = catalogue.SIGN.build(handle, None, DIGEST, None, 0, replace(SSH, host="").to_block())
        for _ in range(5):
            (await world.manager.request(command, timeout=60)).raise_for_ckr()
        history = world.phone.history
        assert [(entry.by, entry.uses) for entry in uses(history)][-1] == (By.RULE, 1)
        assert [entry.uses for entry in uses(history)] == [5, 4, 3, 2, 1]
        assert [line.entry.kind for line in history.newest(99) if line.entry][::-1][:3] == [
            Kind.PAIRED,
            Kind.LOGIN,
            Kind.KEY_MADE,
        ]
        assert checked(history) == Verdict()
        await world.close()

    run_virtually(story())
