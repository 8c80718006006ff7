"""The radio bonds of paired computers: who has one, and that nobody else gets one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fob_device.bonds import Bond
from fob_device.store.errors import TokenFileError
from fob_protocol.pkcs11.ckr import Ckr
from support.token_bench import Bench, refused

DESK = bytes(range(32))
LAPTOP = bytes(range(32, 64))

AT_DESK = Bond("C0:00:00:00:00:01", b"the key at desk.", b"resolves at desk")
AT_LAPTOP = Bond("00:11:22:33:44:55/P", b"key of the laptop"[:16])


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Bench]:
    """A phone that is on, with two paired computers."""
    bench = Bench(tmp_path / "token.db")
    bench.memory.pairings.add(DESK, "me@desk", 1.0)
    bench.memory.pairings.add(LAPTOP, "me@laptop", 2.0)
    yield bench
    bench.token.close()


def test_bonds_are_remembered(phone: Bench) -> None:
    phone.memory.bonds.keep(DESK, AT_DESK)
    phone.memory.bonds.keep(LAPTOP, AT_LAPTOP)
    phone.restart()
    bonds = phone.memory.bonds
    assert bonds.find(AT_DESK.address) == AT_DESK
    assert bonds.find(AT_LAPTOP.address) == AT_LAPTOP
    assert bonds.all() == [AT_LAPTOP, AT_DESK]
    assert (bonds.owner(AT_DESK.address), bonds.owner(AT_LAPTOP.address)) == (DESK, LAPTOP)


def test_an_address_without_a_bond(phone: Bench) -> None:
    phone.memory.bonds.keep(DESK, AT_DESK)
    assert phone.memory.bonds.find("C0:00:00:00:00:02") is None
    assert phone.memory.bonds.find(AT_DESK.address + "/P") is None
    assert phone.memory.bonds.owner("C0:00:00:00:00:02") is None


def test_a_computer_that_bonds_again_has_one_bond(phone: Bench) -> None:
    phone.memory.bonds.keep(DESK, AT_DESK)
    again = Bond(AT_DESK.address, b"another key, 16.")
    phone.memory.bonds.keep(DESK, again)
    assert phone.memory.bonds.all() == [again]
    elsewhere = Bond("C0:00:00:00:00:09", b"a third key here")
    phone.memory.bonds.keep(DESK, elsewhere)
    assert phone.memory.bonds.all() == [elsewhere]


def test_an_address_belongs_to_the_computer_that_paired_last(phone: Bench) -> None:
    phone.memory.bonds.keep(DESK, AT_DESK)
    phone.memory.bonds.keep(LAPTOP, AT_DESK)
    assert phone.memory.bonds.owner(AT_DESK.address) == LAPTOP
    assert len(phone.memory.bonds.all()) == 1


def test_unpairing_takes_the_bond_along(phone: Bench) -> None:
    phone.memory.bonds.keep(DESK, AT_DESK)
    phone.memory.bonds.keep(LAPTOP, AT_LAPTOP)
    phone.memory.pairings.remove(DESK)
    phone.restart()
    assert phone.memory.bonds.all() == [AT_LAPTOP]


def test_pairing_again_by_cable_keeps_the_bond(phone: Bench) -> None:
    phone.memory.bonds.keep(DESK, AT_DESK)
    phone.memory.pairings.add(DESK, "me@desk, reinstalled", 3.0)
    assert phone.memory.bonds.all() == [AT_DESK]


def test_a_computer_that_is_not_paired_gets_no_bond(phone: Bench) -> None:
    phone.memory.pairings.remove(DESK)
    phone.memory.bonds.keep(LAPTOP, AT_LAPTOP)
    with refused(Ckr.DEVICE_ERROR):
        phone.memory.bonds.keep(DESK, Bond(AT_LAPTOP.address, AT_DESK.ltk))
    # What it would have replaced is still there.
    assert phone.memory.bonds.all() == [AT_LAPTOP]


def test_the_keys_do_not_stand_in_the_file_nor_in_a_repr(phone: Bench) -> None:
    phone.memory.bonds.keep(DESK, AT_DESK)
    phone.memory.close()
    stored = phone.path.read_bytes()
    for key in (AT_DESK.ltk, AT_DESK.irk):
        assert key is not None
        assert key not in stored
        assert repr(key)[2:-1] not in repr(AT_DESK)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE bond SET sealed = zeroblob(60)",
        "UPDATE bond SET address = 'C0:00:00:00:00:07'",
        "UPDATE bond SET pc = (SELECT key FROM pairing WHERE key <> pc)",
    ],
)
def test_a_bond_that_somebody_wrote_or_moved_is_refused(phone: Bench, statement: str) -> None:
    phone.memory.bonds.keep(DESK, AT_DESK)
    phone.alter(statement)
    with pytest.raises(TokenFileError, match=r"the radio bond with C0:\S+ was altered"):
        phone.restart()
    phone.alter("DELETE FROM bond")
    phone.restart()
