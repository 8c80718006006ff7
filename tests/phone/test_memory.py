"""What the phone remembers beside its token: who it is, and which computers it is paired with."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from fob_device.pairings import PAIRINGS_LIMIT, PairedPc, PairingsFullError
from fob_device.store.errors import TokenFileError
from fob_protocol.pkcs11.ckr import Ckr
from support.token_bench import Bench, refused

DESK = bytes(range(32))
LAPTOP = bytes(range(32, 64))


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Bench]:
    """A new phone that is on."""
    bench = Bench(tmp_path / "token.db")
    yield bench
    bench.token.close()


def test_the_phone_is_the_same_after_a_restart(phone: Bench) -> None:
    before = phone.memory.identity.public
    phone.restart()
    assert phone.memory.identity.public == before


def test_two_phones_are_different_ones(phone: Bench, tmp_path: Path) -> None:
    other = Bench(tmp_path / "other.db", seed=2)
    assert other.memory.identity.public != phone.memory.identity.public
    other.memory.close()


def test_the_private_key_of_the_identity_does_not_stand_in_the_file(phone: Bench) -> None:
    private = phone.memory.identity.private_bytes()
    phone.memory.close()
    stored = phone.path.read_bytes()
    assert private not in stored
    assert private.hex().encode() not in stored
    assert repr(private)[2:-1] not in repr(phone.memory.identity)


def test_the_only_file_is_the_one(phone: Bench, tmp_path: Path) -> None:
    phone.memory.pairings.add(DESK, "me@desk", 1.5)
    phone.memory.close()
    # The journal is empty between two transactions.
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir() if path != phone.path} in (
        {},
        {"token.db-journal": 0},
    )


def test_paired_computers_are_remembered_and_forgotten(phone: Bench) -> None:
    phone.memory.pairings.add(DESK, "me@desk", 1.5)
    phone.memory.pairings.add(LAPTOP, "me@laptop", 2.5)
    phone.restart()
    pairings = phone.memory.pairings
    assert (len(pairings), pairings[DESK], pairings[LAPTOP]) == (
        2,
        PairedPc("me@desk", 1.5),
        PairedPc("me@laptop", 2.5),
    )
    pairings.remove(DESK)
    pairings.remove(DESK)
    phone.restart()
    assert (DESK in phone.memory.pairings, LAPTOP in phone.memory.pairings) == (False, True)


def test_a_computer_that_pairs_again_takes_no_second_place(phone: Bench) -> None:
    phone.memory.pairings.add(DESK, "old name", 1.0)
    phone.memory.pairings.add(DESK, "new name", 2.0)
    phone.restart()
    assert (len(phone.memory.pairings), phone.memory.pairings[DESK]) == (1, PairedPc("new name", 2.0))


def test_a_phone_is_paired_with_a_screenful_of_computers_at_most(phone: Bench) -> None:
    pairings = phone.memory.pairings
    for number in range(PAIRINGS_LIMIT):
        pairings.add(number.to_bytes(32), f"pc {number}", 1.0)
    with pytest.raises(PairingsFullError):
        pairings.add(DESK, "one too many", 2.0)
    pairings.add((7).to_bytes(32), "the seventh again", 2.0)
    assert (len(pairings), DESK in pairings) == (PAIRINGS_LIMIT, False)


def test_what_cannot_be_stored_has_not_happened(phone: Bench) -> None:
    pairings = phone.memory.pairings
    pairings.add(DESK, "me@desk", 1.0)
    phone.token._database._connection.execute("PRAGMA query_only=ON")
    with refused(Ckr.DEVICE_ERROR):
        pairings.add(LAPTOP, "me@laptop", 2.0)
    with refused(Ckr.DEVICE_ERROR):
        pairings.remove(DESK)
    assert (DESK in pairings, LAPTOP in pairings) == (True, False)


def test_initialising_the_token_leaves_the_phone_and_its_pairings(phone: Bench) -> None:
    before = phone.memory.identity.public
    phone.memory.pairings.add(DESK, "me@desk", 1.0)
    phone.token.init_token(b"so-pin-87654321", "again")
    phone.restart()
    assert (phone.memory.identity.public, DESK in phone.memory.pairings) == (before, True)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE identity SET sealed = zeroblob(length(sealed))", "identity was altered"),
        ("UPDATE identity SET sealed = x''", "identity was altered"),
        ("DELETE FROM identity", "identity is missing"),
        ("UPDATE pairing SET name = 'you@evil'", "pairing of the computer 0001020304050607... was altered"),
        ("UPDATE pairing SET paired_at = 2", "was altered"),
        ("UPDATE pairing SET key = zeroblob(32)", "pairing of the computer 0000000000000000... was altered"),
        ("INSERT INTO pairing SELECT zeroblob(32), name, paired_at, seal FROM pairing", "was altered"),
        ("DROP TABLE pairing", "its tables are not those of a phone"),
        ("CREATE TRIGGER t AFTER UPDATE ON pin BEGIN DELETE FROM pairing; END", "its tables are not those of a phone"),
        ("DELETE FROM token", "cannot be read"),
        ("UPDATE token SET serial = '0000000000000000'", "another device"),
    ],
)
def test_a_row_that_this_phone_did_not_write_is_refused(phone: Bench, statement: str, words: str) -> None:
    phone.memory.pairings.add(DESK, "me@desk", 1.0)
    phone.alter(statement)
    with pytest.raises(TokenFileError, match=words):
        phone.open_file()
    # The file was let go of: who mends it can open it.
    sqlite3.connect(phone.path, timeout=0).execute("BEGIN EXCLUSIVE")


def test_a_row_of_another_phone_is_refused(phone: Bench, tmp_path: Path) -> None:
    other = Bench(tmp_path / "other.db", seed=2)
    other.memory.pairings.add(DESK, "me@desk", 1.0)
    other.memory.close()
    phone.memory.close()
    connection = sqlite3.connect(phone.path)
    connection.execute("ATTACH ? AS other", (str(other.path),))
    with connection:
        connection.execute("INSERT INTO pairing SELECT * FROM other.pairing")
    connection.close()
    with pytest.raises(TokenFileError, match="was altered"):
        phone.open_file()
