"""What one authentication box was shown of an account, all of them know (M22, M34)."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from centre.authentication.asking import load
from fob_office.centre.boxes.authentication.records import UserRecords
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.authentication import FetchUsers, NoteUser, SeenMailer, ShowUser, UserSeen
from fob_protocol.office.hashing import digest
from support.centre_key_boxes import KeyBoxes, MailerDevice, key_boxes

ONE, TWO = "authentication-1", "authentication-2"
BOTH = (ONE, TWO)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[KeyBoxes]:
    async with key_boxes(tmp_path, "steel-1", *BOTH, "meter-1") as made:
        yield made


async def replaced(world: KeyBoxes) -> tuple[MailerDevice, MailerDevice]:
    """A mailer's old device, and the new one, whose sign-on was answered; only the first box saw any of it."""
    old, new = MailerDevice(world), MailerDevice(world, seed=6)
    await old.signs_up()
    assert await old.permit(load(old))
    await new.signs_on(record=old.record)
    await world.ask(ONE, ShowUser(new.record))
    return old, new


async def refuses(device: MailerDevice, box: str) -> str:
    with pytest.raises(BusRefusedError) as refused:
        await device.permit(load(device), box=box)
    return refused.value.word


@pytest.mark.clause("M14", "M22", "M34")
async def test_a_device_that_was_replaced_is_over_at_every_box(world: KeyBoxes) -> None:
    old, new = await replaced(world)
    # Staff at the database put the record back of the device that was stolen.
    assert [await refuses(old, box) for box in BOTH] == ["tampering", "tampering"]
    for box in BOTH:
        assert await new.permit(load(new), box=box)


@pytest.mark.clause("M22", "M34")
async def test_a_box_that_is_shown_a_record_tells_the_others_before_it_answers(world: KeyBoxes) -> None:
    anna = MailerDevice(world)
    await anna.signs_up()
    assert [(await world.ask(box, SeenMailer(anna.account), Kind.OPERATOR)).counter for box in BOTH] == [None, None]
    await anna.permit(load(anna))
    assert [(await world.ask(box, SeenMailer(anna.account), Kind.OPERATOR)).counter for box in BOTH] == [1, 1]
    # What another box was shown is told again by the first that is asked: that one may have died in between.
    await world.stop(ONE)
    assert await anna.permit(load(anna), box=TWO)


@pytest.mark.clause("M22", "M34")
async def test_a_box_that_is_added_knows_what_the_others_do(world: KeyBoxes) -> None:
    old, new = await replaced(world)
    world.boxes.make(Kind.AUTHENTICATION, "authentication-3")
    await world.start("authentication-3")
    assert await refuses(old, "authentication-3") == "tampering"
    assert await new.permit(load(new), box="authentication-3")


@pytest.mark.clause("M22", "M34")
async def test_a_box_that_was_away_learns_what_it_missed(world: KeyBoxes) -> None:
    await world.stop(TWO)
    old, new = await replaced(world)
    await world.start(TWO)
    assert await refuses(old, TWO) == "tampering"
    assert await new.permit(load(new), box=TWO)


@pytest.mark.clause("M22", "M34")
@pytest.mark.parametrize("box", BOTH)
async def test_the_folder_of_a_box_that_is_put_back_is_of_no_use(world: KeyBoxes, tmp_path: Path, box: str) -> None:
    old = MailerDevice(world)
    await old.signs_up()
    await old.permit(load(old))
    await world.stop(box)
    shutil.copytree(tmp_path / box, tmp_path / "copy")
    await world.start(box)
    new = MailerDevice(world, seed=6)
    await new.signs_on(record=old.record)
    await world.ask(ONE, ShowUser(new.record))
    await world.stop(box)
    shutil.rmtree(tmp_path / box)
    shutil.copytree(tmp_path / "copy", tmp_path / box)
    await world.start(box)
    assert [await refuses(old, name) for name in BOTH] == ["tampering", "tampering"]


@pytest.mark.clause("M34")
async def test_a_box_that_begins_says_nothing_before_it_has_heard_the_others(
    world: KeyBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fob_office.centre.boxes.authentication.others.BEGIN_TIME", 0.01)
    monkeypatch.setattr("fob_office.centre.boxes.authentication.sharing.PAUSE", 0.01)
    old, new = await replaced(world)
    await world.stop(ONE)
    await world.stop(TWO)
    await world.start(TWO)
    for device in (old, new):
        assert await refuses(device, TWO) == "incomplete"
    with pytest.raises(BusRefusedError, match="incomplete"):
        await world.ask(TWO, SeenMailer(old.account), Kind.OPERATOR)
    # The other one never comes back: an operator removes it.
    world.boxes.leave_out(ONE)
    monkeypatch.setattr("fob_office.centre.boxes.authentication.others.BEGIN_TIME", 5)
    assert await new.permit(load(new), box=TWO)
    assert await refuses(old, TWO) == "tampering"


@pytest.mark.clause("M34")
async def test_a_box_that_runs_and_does_not_answer_is_not_passed_over(
    world: KeyBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fob_office.centre.boxes.authentication.others.TELL_TIME", 0.05)
    hearing, goes_on = UserRecords.hear, asyncio.Event()

    async def stuck(self: UserRecords, seen: UserSeen) -> None:
        await goes_on.wait()
        await hearing(self, seen)

    known, new = MailerDevice(world), MailerDevice(world, "Bert", seed=6)
    await known.signs_up()
    await known.permit(load(known))
    await new.signs_up()
    monkeypatch.setattr(UserRecords, "hear", stuck)
    assert [await refuses(new, ONE) for _ in range(2)] == ["unavailable", "unavailable"]
    # Whom all boxes know, that one hinders in nothing.
    assert await known.permit(load(known))
    goes_on.set()
    assert await new.permit(load(new))


@pytest.mark.clause("M22")
async def test_a_box_that_knows_more_says_so(world: KeyBoxes) -> None:
    old, new = await replaced(world)
    for counter, record in ((1, old.record), (2, old.record)):
        with pytest.raises(BusRefusedError, match="newer-standing"):
            await world.ask(TWO, NoteUser(UserSeen(old.account, counter, digest(record))), Kind.AUTHENTICATION)
    await world.ask(TWO, NoteUser(UserSeen(new.account, 2, digest(new.record))), Kind.AUTHENTICATION)
    # What a box has missed all the same it hears from the others, as it tells what it was shown.
    bert = MailerDevice(world, "Bert", seed=7)
    await bert.signs_up()
    await world.ask(TWO, NoteUser(UserSeen(bert.account, 2, bytes(32))), Kind.AUTHENTICATION)
    with pytest.raises(BusRefusedError, match="tampering: authentication-2: record 1 of"):
        await bert.permit(load(bert))


@pytest.mark.clause("M34")
async def test_what_is_known_comes_in_pages(world: KeyBoxes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fob_office.centre.boxes.authentication.sharing.PAGE", 2)
    await world.stop(TWO)
    mailers = [MailerDevice(world, f"Mailer {number}", seed=number) for number in range(5)]
    for mailer in mailers:
        await mailer.signs_up()
        await mailer.permit(load(mailer))
    accounts = sorted(mailer.account for mailer in mailers)
    page = await world.ask(ONE, FetchUsers(accounts[2]), Kind.AUTHENTICATION)
    assert [(one.account, one.counter) for one in page.users] == [(account, 1) for account in accounts[3:]]
    await world.start(TWO)
    for mailer in mailers:
        assert (await world.ask(TWO, SeenMailer(mailer.account), Kind.OPERATOR)).counter == 1


@pytest.mark.clause("M34")
async def test_an_account_that_comes_twice_ends_no_box(world: KeyBoxes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A box that says so is not believed, and asked again."""
    anna = MailerDevice(world)
    await anna.signs_up()
    await anna.permit(load(anna))
    await world.stop(TWO)
    honest = UserRecords.after
    wrong: list[bytes] = []

    def twice(self: UserRecords, account: bytes, most: int) -> tuple[UserSeen, ...]:
        """Once."""
        if wrong:
            return honest(self, account, most)
        wrong.append(account)
        return honest(self, account, most) * 2

    monkeypatch.setattr(UserRecords, "after", twice)
    with capture_logs() as lines:
        await world.start(TWO)
        assert (await world.ask(TWO, SeenMailer(anna.account), Kind.OPERATOR)).counter == 1
    assert [line["why"] for line in lines if "not here yet" in line["event"]] == [
        "malformed: accounts of authentication-1 did not come in the order of their keys, each once"
    ]


@pytest.mark.clause("M14", "M33")
async def test_a_sign_on_is_not_done_again_over_a_later_one(world: KeyBoxes) -> None:
    first, thief, new = MailerDevice(world), MailerDevice(world, seed=6), MailerDevice(world, seed=7)
    await first.signs_up()
    again = thief.sign_on()
    await thief.signs_on(again, first.record)
    world.boxes.now += 30
    await new.signs_on(record=thief.record)
    # Staff at a function server kept what the device of before had sent, with the password in it.
    with pytest.raises(BusRefusedError, match="stale"):
        await thief.signs_on(again, new.record)
