"""The phone's history in its file: what is written, what stays, and what of it survives staff with sqlite3."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from fob_device.history.actor import Actor, acting, name_program
from fob_device.settings import Ask, KeySetting
from fob_device.store.errors import TokenFileError
from fob_protocol.caller import Caller
from fob_protocol.history.entry import By, Entry, Kind, Outcome, Use, computer_id
from fob_protocol.history.limits import HISTORY_PAGE
from fob_protocol.history.verdict import Fault, Verdict
from fob_protocol.history.verify import Anchor
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError
from support.history import NONCE, checked, kinds, read_all
from support.octets import flipped
from support.token_bench import SO_PIN, USER_PIN, WRONG_PIN, Bench, data_template, make_ec, refused

DESK = bytes(range(32))
LAPTOP = bytes(range(32, 64))
ON_DESK = Actor(DESK, "me@desk", Caller(("ssh", "zsh")))
USED = Entry(Kind.USE, Outcome.APPROVED, By.TAP, use=Use.SIGN, key_label="work", key=7)


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Bench]:
    """A new phone that is on."""
    bench = Bench(tmp_path / "token.db")
    yield bench
    bench.memory.close()


async def write(phone: Bench, count: int) -> None:
    """So many uses of a key by the desk's computer, one after the other."""
    with acting(ON_DESK):
        for _ in range(count):
            await phone.memory.history.note(USED)


def alter(phone: Bench, statement: str, *parameters: object) -> None:
    """Staff writes into the file while the phone is off, and switches it on again."""
    phone.alter(statement, *parameters)
    phone.restart()


def commits_of(phone: Bench) -> list[str]:
    """The transactions from now on."""
    commits: list[str] = []
    connection: sqlite3.Connection = phone.token._database._connection
    connection.set_trace_callback(lambda statement: commits.append(statement) if statement == "COMMIT" else None)
    return commits


def test_a_new_phone_has_done_nothing(phone: Bench) -> None:
    history = phone.memory.history
    assert history.newest(10) == []
    assert history.head(NONCE).end.length == 0
    assert checked(history) == Verdict()


def pair_and_unpair(phone: Bench) -> None:
    phone.memory.pairings.add(DESK, "me@desk", 1.5)
    phone.memory.pairings.remove(DESK)
    # Nothing to forget, nothing to tell.
    phone.memory.pairings.remove(DESK)


def make_and_destroy_a_key(phone: Bench) -> None:
    session = phone.user()
    _, private = make_ec(session, LABEL=b"work")
    session.destroy_object(private.handle)


def make_other_objects(phone: Bench) -> None:
    session = phone.user()
    view = session.create_object(data_template())
    session.set_attributes(view.handle, {Cka.VALUE: b"else"})
    session.destroy_object(view.handle)


def guess_the_pin(phone: Bench) -> None:
    for _ in range(4):
        with suppress(CkrError):
            phone.session().login(Cku.USER, WRONG_PIN)


def change_the_settings(phone: Bench) -> None:
    _, private = make_ec(phone.user(), LABEL=b"work")
    for setting in (KeySetting(Ask.ONCE, 300), KeySetting(Ask.NEVER), KeySetting()):
        phone.memory.settings.set_key(private.handle, setting)
    for seconds in (60, None):
        phone.memory.settings.set_auto_lock(seconds)


def begin_anew(phone: Bench) -> None:
    phone.token.init_token(SO_PIN, "again")


@pytest.mark.parametrize(
    ("deed", "entries"),
    [
        (pair_and_unpair, ["computer paired, me@desk", "computer unpaired, me@desk"]),
        (make_and_destroy_a_key, ["login: the user", "key made: 'work'", "key deleted: 'work'"]),
        (make_other_objects, ["login: the user"]),
        (
            guess_the_pin,
            [
                "wrong PIN: the user's, tries left: 2",
                "wrong PIN: the user's, tries left: 1",
                "wrong PIN, and now it is blocked: the user's, tries left: 0",
            ],
        ),
        (
            change_the_settings,
            [
                "login: the user",
                "key made: 'work'",
                "setting changed: 'work', asks once per 300 s",
                "setting changed: 'work', never asks",
                "setting changed: 'work', asks always",
                "setting changed: locks itself after 60 s",
                "setting changed: never locks itself",
            ],
        ),
        (begin_anew, ["token initialised, and every key erased: again"]),
    ],
    ids=lambda case: case.__name__ if callable(case) else "",
)
def test_what_is_written_down(phone: Bench, deed: Callable[[Bench], None], entries: list[str]) -> None:
    deed(phone)
    assert kinds(phone.memory.history) == entries[::-1]
    assert checked(phone.memory.history) == Verdict()


def test_pins_that_are_changed_are_written_down(phone: Bench) -> None:
    phone.session().set_pin(Cku.USER, USER_PIN, b"new-pin")
    phone.session(Cku.SO).init_pin(USER_PIN)
    assert kinds(phone.memory.history) == [
        "PIN changed: the user's",
        "login: the security officer",
        "PIN changed: the user's",
    ]


def test_who_acted_is_written_down(phone: Bench) -> None:
    with acting(ON_DESK):
        phone.user()
    with acting(Actor(LAPTOP, "me@laptop")):
        name_program(Caller(("git",)))
        phone.user()
    phone.user()
    assert kinds(phone.memory.history) == [
        "login: the user",
        "login: the user, git on me@laptop",
        "login: the user, ssh <- zsh on me@desk",
    ]


async def test_an_entry_has_its_time_its_boot_and_the_uses_of_its_key(phone: Bench) -> None:
    await write(phone, 2)
    phone.restart()
    # A start of which nothing is written down is not counted.
    phone.restart()
    phone.clock.now += 100
    await write(phone, 1)
    found = [line.entry for line in phone.memory.history.newest(10)]
    assert [(entry.time - 1_700_000_000, entry.boot, entry.uses) for entry in found if entry] == [
        (100, 2, 3),
        (0, 1, 2),
        (0, 1, 1),
    ]


async def test_only_approved_uses_of_keys_that_stay_are_counted(phone: Bench) -> None:
    history = phone.memory.history
    await history.note(Entry(Kind.USE, Outcome.REFUSED, By.TAP, key=7))
    await history.note(Entry(Kind.USE, Outcome.APPROVED, By.TAP, key=1 << 20))
    await history.note(USED)
    assert [line.entry.uses for line in history.newest(10) if line.entry] == [1, 0, 0]


async def test_the_chain_goes_on_after_a_restart_with_the_same_key(phone: Bench) -> None:
    await write(phone, 3)
    anchor = Anchor.of(phone.memory.history.head(NONCE))
    phone.restart()
    await write(phone, 2)
    assert phone.memory.history.head(NONCE).end.length == 5
    assert checked(phone.memory.history, anchor) == Verdict()


async def test_the_oldest_entries_drop_and_the_rest_verifies(phone: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fob_device.history.history.HISTORY_LIMIT", 10)
    await write(phone, 4)
    early = Anchor.of(phone.memory.history.head(NONCE))
    await write(phone, 19)
    end = phone.memory.history.head(NONCE).end
    assert (end.first, end.length, len(read_all(phone.memory.history))) == (14, 23, 10)
    assert checked(phone.memory.history) == Verdict()
    assert checked(phone.memory.history, early) == Verdict(unseen=9)


async def test_a_computer_sees_its_own_entries_and_of_others_that_there_are_some(phone: Bench) -> None:
    await write(phone, 1)
    with acting(Actor(LAPTOP, "me@laptop")):
        await phone.memory.history.note(USED)
    phone.user()
    seen = {
        name: [record.details is not None for record in read_all(phone.memory.history, computer_id(key))]
        for name, key in (("desk", DESK), ("laptop", LAPTOP), ("stranger", bytes(32)))
    }
    assert seen == {
        "desk": [True, False, False],
        "laptop": [False, True, False],
        "stranger": [False, False, False],
    }


async def test_pages_are_bounded_and_none_is_empty(phone: Bench) -> None:
    await write(phone, 60)
    history = phone.memory.history
    whole = history.page(0, b"", 1 << 20).records
    assert len(whole) == 60
    assert read_all(history) == read_all(history, page=1) == list(whole)
    page = history.page(1, computer_id(DESK), HISTORY_PAGE)
    sizes = [len(r.block) + len(r.signature) + len(r.salt or b"") + len(r.details or b"") for r in page.records]
    assert page.is_more
    assert HISTORY_PAGE * 0.9 < sum(sizes) + 32 * len(sizes) <= HISTORY_PAGE
    assert history.page(61, b"", HISTORY_PAGE).records == ()
    assert history.page(1 << 64, b"", HISTORY_PAGE).records == ()


async def test_the_screen_reads_from_the_newest_on(phone: Bench) -> None:
    await write(phone, 5)
    history = phone.memory.history
    assert [line.sequence for line in history.newest(2)] == [5, 4]
    assert [line.sequence for line in history.newest(9, before=4)] == [3, 2, 1]
    assert history.newest(9, before=1) == []


async def test_who_watches_hears_of_every_new_entry(phone: Bench) -> None:
    heard = asyncio.Queue[int]()
    stop = phone.memory.history.watch(lambda: heard.put_nowait(1))
    await write(phone, 1)
    await heard.get()
    await asyncio.to_thread(phone.user)
    await heard.get()
    stop()
    await write(phone, 1)
    await asyncio.sleep(0)
    assert heard.empty()


async def test_uses_at_the_same_time_share_their_transactions(phone: Bench) -> None:
    commits = commits_of(phone)
    await asyncio.gather(*(write(phone, 1) for _ in range(50)))
    # The first goes at once, and all that come meanwhile go together.
    assert len(commits) <= 2
    assert sorted(line.entry.uses for line in phone.memory.history.newest(99) if line.entry) == list(range(1, 51))
    assert checked(phone.memory.history) == Verdict()


async def test_an_entry_is_on_the_disk_when_its_note_is_done(phone: Bench, tmp_path: Path) -> None:
    for number in range(1, 4):
        await write(phone, 1)
        copy = tmp_path / f"{number}.db"
        copy.write_bytes(phone.path.read_bytes())
        memory = phone.open_file(copy)
        assert memory.history.head(NONCE).end.length == number
        memory.close()


async def test_what_nobody_waits_for_is_written_all_the_same(phone: Bench) -> None:
    phone.memory.history.note(USED)
    note = phone.memory.history.note(USED)
    note.cancel()
    await phone.memory.history.note(USED)
    assert len(phone.memory.history.newest(10)) == 3


def fill_the_disk(phone: Bench) -> sqlite3.Connection:
    connection: sqlite3.Connection = phone.token._database._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages}")
    return connection


async def test_a_full_disk_is_said_clearly_and_leaves_the_chain_whole(phone: Bench) -> None:
    await write(phone, 1)
    fill_the_disk(phone)
    with pytest.raises(
        CkrError, match="the phone's history cannot be written: token file: database or disk is full"
    ) as full:
        await write(phone, 1000)
    assert full.value.ckr is Ckr.DEVICE_MEMORY
    # Whoever waits in the same transaction hears it too.
    results = await asyncio.gather(*(write(phone, 1) for _ in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [CkrError] * 5
    assert checked(phone.memory.history) == Verdict()
    phone.restart()
    await write(phone, 1)
    assert checked(phone.memory.history) == Verdict()


def test_a_change_whose_entry_finds_no_room_is_not_made(phone: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    session = phone.user()
    before = (phone.token.generation, len(phone.memory.history.newest(99)))

    def no_room(*arguments: object) -> None:
        raise CkrError(Ckr.DEVICE_MEMORY, "full")

    monkeypatch.setattr("fob_device.history.history.write_record", no_room)
    with refused(Ckr.DEVICE_MEMORY):
        make_ec(session)
    with refused(Ckr.DEVICE_MEMORY):
        phone.memory.pairings.add(DESK, "me@desk", 1.5)
    with refused(Ckr.DEVICE_MEMORY):
        phone.memory.settings.set_auto_lock(60)
    with refused(Ckr.DEVICE_MEMORY):
        phone.session().login(Cku.USER, USER_PIN)
    assert (phone.token.generation, len(phone.memory.history.newest(99))) == before
    assert (len(phone.memory.pairings), phone.memory.settings.auto_lock()) == (0, 300)


async def test_the_log_key_does_not_stand_in_the_file(phone: Bench) -> None:
    await write(phone, 1)
    seed = phone.memory.history._root.log_seed()
    public = phone.memory.history.head(NONCE).key
    assert (len(seed), len(public)) == (32, 32)
    assert seed not in phone.path.read_bytes()


COUNT = 6


def emptied(octets: bytes) -> bytes:
    return b""


def lengthened(octets: bytes) -> bytes:
    return octets + bytes(100_000)


@pytest.mark.parametrize("sequence", range(1, COUNT + 1))
@pytest.mark.parametrize("column", ["record", "signature", "salt", "details"])
@pytest.mark.parametrize("change", [flipped, emptied, lengthened])
async def test_every_field_that_staff_changes_is_found(
    phone: Bench, sequence: int, column: str, change: Callable[[bytes], bytes]
) -> None:
    await write(phone, COUNT)
    record = read_all(phone.memory.history, computer_id(DESK))[sequence - 1]
    before = record.block if column == "record" else getattr(record, column)
    alter(phone, f"UPDATE history SET {column} = ? WHERE sequence = ?", change(before), sequence)  # noqa: S608
    assert checked(phone.memory.history) == Verdict(Fault.EDITED, sequence)
    # The phone's person sees it too.
    assert [line.sequence for line in phone.memory.history.newest(99) if line.entry is None] == [sequence]


@pytest.mark.parametrize("sequence", range(1, COUNT + 1))
async def test_every_row_that_staff_moves_is_found(phone: Bench, sequence: int) -> None:
    await write(phone, COUNT)
    alter(phone, "UPDATE history SET sequence = 9000 WHERE sequence = ?", sequence)
    fault = Fault.SWAPPED if sequence < COUNT else None
    assert checked(phone.memory.history) == Verdict(fault, sequence if fault else 0)


@pytest.mark.parametrize("sequence", range(1, COUNT + 1))
async def test_every_row_that_staff_deletes_is_found(phone: Bench, sequence: int) -> None:
    await write(phone, COUNT)
    alter(phone, "DELETE FROM history WHERE sequence = ?", sequence)
    fault = Fault.DELETED if sequence < COUNT else Fault.CUT_OFF
    assert checked(phone.memory.history) == Verdict(fault, sequence)
    # Also when the phone goes on.
    await write(phone, 2)
    assert checked(phone.memory.history) == Verdict(Fault.DELETED, sequence)


async def test_two_rows_that_staff_swaps_are_found(phone: Bench) -> None:
    await write(phone, COUNT)
    columns = "record, signature, salt, details"
    alter(
        phone,
        f"UPDATE history SET ({columns}) = (SELECT {columns} FROM history AS other WHERE other.sequence ="  # noqa: S608
        " CASE history.sequence WHEN 2 THEN 5 ELSE 2 END) WHERE sequence IN (2, 5)",
    )
    # One statement sees what it has written already: the row is there twice now, which is found no less.
    assert checked(phone.memory.history).sequence == 2


async def test_a_row_that_staff_adds_is_found_until_the_phone_writes_over_it(phone: Bench) -> None:
    await write(phone, COUNT)
    row = "SELECT 7, record, signature, salt, details FROM history WHERE sequence = 3"
    alter(phone, f"INSERT INTO history (sequence, record, signature, salt, details) {row}")
    assert checked(phone.memory.history) == Verdict(Fault.INSERTED, 7)
    await write(phone, 1)
    assert checked(phone.memory.history) == Verdict()


async def test_a_row_of_another_computer_cannot_be_made_somebody_elses(phone: Bench) -> None:
    """Whose it is stands in the details: staff that changes it breaks them, and everybody is told."""
    await write(phone, 2)
    alter(
        phone,
        "UPDATE history SET details = CAST(replace(details, ?, ?) AS BLOB) WHERE sequence = 1",
        computer_id(DESK),
        computer_id(LAPTOP),
    )
    for computer in (DESK, LAPTOP):
        first = read_all(phone.memory.history, computer_id(computer))[0]
        assert (first.details, first.salt is not None) == (b"", True)


async def test_an_older_copy_of_the_whole_file_is_found_by_who_saw_the_newer_one(phone: Bench) -> None:
    await write(phone, 3)
    phone.memory.close()
    older = phone.path.read_bytes()
    phone.restart()
    await write(phone, 2)
    anchor = Anchor.of(phone.memory.history.head(NONCE))
    phone.memory.close()
    phone.path.write_bytes(older)
    phone.restart()
    assert checked(phone.memory.history) == Verdict()
    assert checked(phone.memory.history, anchor) == Verdict(Fault.ROLLED_BACK, 4)
    # The phone goes on from there, and passes the place.
    await write(phone, 5)
    assert checked(phone.memory.history, anchor) == Verdict(Fault.BRANCHED, 5)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE history_end SET length = length - 1",
        "UPDATE history_end SET hash = zeroblob(32)",
        "UPDATE history_end SET hash = x''",
        "UPDATE history_end SET boots = boots + 1",
        "UPDATE history_end SET seal = zeroblob(28)",
        "DELETE FROM history_end",
    ],
)
async def test_a_phone_whose_history_was_given_another_end_does_not_start(phone: Bench, statement: str) -> None:
    await write(phone, COUNT)
    with pytest.raises(TokenFileError, match="the end of the phone's history"):
        alter(phone, statement)


async def test_a_phone_of_another_root_key_writes_with_another_log_key(phone: Bench, tmp_path: Path) -> None:
    other = Bench(tmp_path / "other.db", seed=2)
    assert other.memory.history.head(NONCE).key != phone.memory.history.head(NONCE).key
    other.memory.close()
