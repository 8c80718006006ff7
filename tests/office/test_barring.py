"""A cloned or disabled copy is lifted by no other version of its program: the verdict follows holder and program."""

from collections.abc import Iterator
from itertools import count

import pytest

from fob_office.distribution.letters import make_letter
from fob_office.distribution.operating import disable, enable, reissue
from fob_office.errors import OperatorError
from fob_office.programs.service import withdraw_installation
from fob_protocol.cose.headers import key_id
from fob_protocol.integrity.copy_record import read_copy_record
from fob_protocol.integrity.distribution import Copies, Holding
from fob_protocol.integrity.validation import State, Verdict
from fob_protocol.office.envelope import Service
from fob_protocol.office.message import Version, read
from fob_protocol.office.refusals import Refusal
from support.holder import HeldCopy, ReferenceHolder
from support.office import OfficeScene, office_scene
from support.office_holders import add_program, holder_of, installation, octets_of, refused, state_of
from support.office_shop import OPERATOR, ordered_device

SERIALS = count(1)
OLD, NOW, NEXT, LAST = (1, 0, 0), (1, 0, 1), (1, 0, 2), (1, 0, 3)
VERSIONS = (OLD, NOW, NEXT, LAST)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeScene]:
    with office_scene(tmp_path_factory.mktemp("state")) as made:
        for version in VERSIONS:
            add_program(made, "fobd", bytes(version), version)
        yield made


class Device:
    """One that may have any version, and keeps what it was given of each."""

    def __init__(self, scene: OfficeScene) -> None:
        self.scene = scene
        key = ordered_device(scene, serial=f"B-{next(SERIALS):04}").system_key
        self.holder = holder_of(scene, key, seed=next(SERIALS))
        self.copies: dict[Version, HeldCopy] = {}

    def has(self, version: Version) -> State:
        """It is what runs now: how its copy stands."""
        self.fetch(version)
        return log_on(self.holder)

    def fetch(self, version: Version) -> HeldCopy:
        known = self.copies.get(version)
        self.holder.copies = {"fobd": known} if known is not None else {}
        self.holder.fetch({"fobd": octets(version)}, version)
        self.copies[version] = self.holder.copies["fobd"]
        return self.copies[version]

    def numbered(self, version: Version) -> bytes:
        return self.copies[version].number


def octets(version: Version) -> bytes:
    return octets_of(installation(bytes(version)))


def log_on(holder: ReferenceHolder) -> State:
    told = holder.validate("fobd")
    return told.state if isinstance(told, Verdict) else State.VALID


@pytest.mark.clause("V16")
@pytest.mark.parametrize("other", [OLD, NEXT], ids=["downgrade", "upgrade"])
def test_no_other_version_lifts_a_disabled_copy(shop: OfficeScene, other: Version) -> None:
    device = Device(shop)
    assert device.has(NOW) is State.VALID
    disable(shop.office, device.numbered(NOW), OPERATOR)
    assert device.has(other) is State.DISABLED
    assert device.has(LAST) is State.DISABLED
    # One word is about all of them.
    reissue(shop.office, device.numbered(other), OPERATOR)
    assert [device.has(version) for version in (LAST, other, NOW)] == [State.VALID] * 3


@pytest.mark.clause("V16")
def test_nor_does_a_copy_of_before(shop: OfficeScene) -> None:
    device = Device(shop)
    assert [device.has(OLD), device.has(NOW)] == [State.VALID] * 2
    disable(shop.office, device.numbered(NOW), OPERATOR)
    assert device.has(OLD) is State.DISABLED
    enable(shop.office, device.numbered(OLD), OPERATOR)
    assert [device.has(OLD), device.has(NOW)] == [State.VALID] * 2


@pytest.mark.clause("V16", "V21")
def test_nor_is_a_cloned_copy_lifted(shop: OfficeScene) -> None:
    device = Device(shop)
    assert device.has(OLD) is State.VALID
    device.fetch(NOW)
    clone = device.holder.clone(seed=next(SERIALS))
    assert [log_on(device.holder), log_on(clone)] == [State.VALID, State.CLONED]
    assert [device.has(OLD), device.has(NEXT), device.has(NOW)] == [State.DISABLED, State.DISABLED, State.CLONED]
    with pytest.raises(OperatorError, match="copy of another version is cloned"):
        enable(shop.office, device.numbered(NEXT), OPERATOR)
    reissue(shop.office, device.numbered(NEXT), OPERATOR)
    assert [device.has(NEXT), device.has(NOW)] == [State.VALID] * 2


@pytest.mark.clause("V15", "V16")
def test_an_invalid_copy_is_healed_by_another_version(shop: OfficeScene) -> None:
    device = Device(shop)
    device.fetch(NOW).octets = b"other octets"
    assert log_on(device.holder) is State.INVALID
    assert device.has(NEXT) is State.VALID


@pytest.mark.clause("V16")
def test_a_withdrawn_version_bars_from_no_other(shop: OfficeScene) -> None:
    add_program(shop, "fobd", bytes((0, 9, 0)), (0, 9, 0))
    withdraw_installation(shop.office, "fobd", (0, 9, 0), OPERATOR)
    device = Device(shop)
    assert device.has((0, 9, 0)) is State.DISABLED
    # It is given again as it is, however often it is asked for.
    assert device.fetch((0, 9, 0)).number == device.fetch((0, 9, 0)).number
    assert device.has(NOW) is State.VALID
    disable(shop.office, device.numbered(NOW), OPERATOR)
    assert device.has(NEXT) is State.DISABLED


@pytest.mark.clause("V16")
def test_others_are_not_barred_with_it(shop: OfficeScene) -> None:
    """Neither another holder, nor this one from another program."""
    add_program(shop, "other", b"another program")
    device, neighbour = Device(shop), Device(shop)
    assert [device.has(NOW), neighbour.has(NOW)] == [State.VALID] * 2
    disable(shop.office, device.numbered(NOW), OPERATOR)
    device.holder.fetch({"other": octets_of(installation(b"another program"))})
    assert not isinstance(device.holder.validate("other"), Verdict)
    assert [neighbour.has(NOW), neighbour.has(NEXT)] == [State.VALID] * 2


@pytest.mark.clause("V6", "V16")
def test_a_letter_for_another_version_is_no_way_around_it(shop: OfficeScene) -> None:
    computer = holder_of(shop, seed=1000 + next(SERIALS))
    first, second = (make_letter(shop.office, "fobd", version, None, OPERATOR) for version in (NOW, NEXT))
    number = computer.enrol(first, "fobd", octets(NOW), NOW).number
    disable(shop.office, number, OPERATOR)
    assert refused(lambda: computer.enrol(second, "fobd", octets(NEXT), NEXT)) is Refusal.DENIED
    reissue(shop.office, number, OPERATOR)
    assert state_of(shop, computer.enrol(second, "fobd", octets(NEXT), NEXT).number) is State.VALID


@pytest.mark.clause("V5", "V16")
def test_nor_does_a_version_that_was_never_added(shop: OfficeScene) -> None:
    """Who is barred is told by which copy, whose identifier he has already."""
    device = Device(shop)

    def given() -> list[tuple[bytes, bool]]:
        request = device.holder.copy_request([Holding("fobd", (7, 7, 7), bytes(32))])
        body = device.holder.ask(Service.DISTRIBUTION, device.holder.distribution.server, request)
        # The same is answered to the same request.
        assert device.holder.ask(Service.DISTRIBUTION, device.holder.distribution.server, request) == body
        holder = key_id(device.holder.public_key)
        return [
            (read_copy_record(device.holder.distribution, one.record, holder).copy, one.mark is not None)
            for one in read(Copies, body).copies
        ]

    assert (device.has(NOW), given()) == (State.VALID, [])
    disable(shop.office, device.numbered(NOW), OPERATOR)
    assert given() == [(device.numbered(NOW), False)]
    reissue(shop.office, device.numbered(NOW), OPERATOR)
    assert given() == []
