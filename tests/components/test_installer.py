"""Taking a set: what is fetched, what is not, what resumes, and what the report says of it."""

import errno
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from components.change_scene import ChangeScene, Started
from fob_device.components.boot_record import Ended, Phase
from fob_device.components.contents import FLUSH_EVERY, Contents, part_file
from fob_device.components.errors import PhaseError
from fob_device.components.installer import Wanted
from fob_device.components.offer import Item
from fob_protocol.office.configuration import Outcome
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.limits import CHUNK_SIZE
from fob_protocol.office.manifest import Entry
from fob_protocol.office.release import wrap_key
from support.component_device import trust
from support.faulty_storage import Disk, FaultyStorage
from support.office_signers import CHALLENGE, DAY, NOW, public


@pytest.fixture(scope="module")
def scene() -> ChangeScene:
    return ChangeScene()


@pytest.fixture
def started(scene: ChangeScene) -> Started:
    return scene.start(FaultyStorage(Disk.holding(scene.old)))


def taken(scene: ChangeScene, started: Started) -> list[Wanted]:
    started.machine.installer.take(scene.offers[2], CHALLENGE, scene.trust)
    return started.machine.installer.wanted()


@pytest.mark.clause("C7", "C16", "C18")
def test_software_and_data_are_installed_each_at_its_place(scene: ChangeScene, started: Started) -> None:
    scene.go_on(started.machine, 2)
    running = scene.start(started.storage).machine.running
    assert [(one.release.id, one.release.kind.name, one.address) for one in running.components] == [
        ("table", "DATA", 0x2_0000),
        ("slogan", "DATA", 0x2_0000 + 300),
        ("rates", "MODULE", 0x1_0000),
    ]
    assert [(one.id, one.version) for one in running.catalogue] == [
        ("rates", (1, 2, 0)),
        ("slogan", (1, 0, 0)),
        ("table", (1, 0, 0)),
    ]


@pytest.mark.clause("C8")
def test_no_content_lies_open_on_the_disk(scene: ChangeScene) -> None:
    assert all(content not in octets for content in scene.contents[1].values() for octets in scene.old.values())


def test_only_what_is_not_there_is_wanted(scene: ChangeScene, started: Started) -> None:
    _table, slogan, rates = scene.sets[2]
    assert taken(scene, started) == [Wanted(slogan.digest, 0), Wanted(rates.digest, 0), Wanted(rates.digest, 1)]


def test_chunks_come_in_any_order_and_twice(scene: ChangeScene, started: Started) -> None:
    rates = scene.sets[2][-1]
    first = taken(scene, started)[-1]
    installer = started.machine.installer
    for _ in range(2):
        installer.add(first, rates.chunks[1])
    assert first not in installer.wanted()
    scene.shelf.fetch(installer)
    installer.stage(scene.trust)
    started.machine.power_on()
    assert scene.check(started, 1, 2) == 2


@pytest.mark.clause("C27")
def test_a_fetch_resumes_with_what_is_there(scene: ChangeScene, started: Started) -> None:
    wanted = taken(scene, started)
    rates = scene.sets[2][-1]
    started.machine.installer.add(Wanted(rates.digest, 1), rates.chunks[1])
    again = scene.start(FaultyStorage(started.storage.disk))
    with pytest.raises(PhaseError, match="nothing is being fetched"):
        again.machine.installer.wanted()
    plan = again.machine.installer.resume(scene.trust)
    assert plan is not None
    assert plan.manifest.set_number == 2
    assert again.machine.installer.wanted() == wanted[:-1]


@pytest.mark.clause("C27")
def test_a_chunk_that_a_cut_has_torn_is_fetched_again(scene: ChangeScene, started: Started) -> None:
    wanted = taken(scene, started)
    rates = scene.sets[2][-1]
    started.storage.write(part_file(rates.digest), rates.chunks[0][:-1] + b"?" + rates.chunks[1])
    again = scene.start(FaultyStorage(started.storage.disk))
    again.machine.installer.resume(scene.trust)
    assert again.machine.installer.wanted() == wanted[:-1]


@pytest.mark.clause("C27")
def test_a_cut_costs_at_most_the_chunks_that_were_not_flushed(scene: ChangeScene) -> None:
    large = scene.signers.release("large", bytes(100), chunks=(bytes(32),))
    chunks = [bytes([n]) * CHUNK_SIZE for n in range(20)]
    item = Item(
        Entry("large", large.digest, "data", 0, 1),
        replace(large.release, size=20 * CHUNK_SIZE - 100, chunks=tuple(map(digest, chunks))),
        large.key,
    )
    storage = FaultyStorage(Disk())
    contents = Contents(storage)
    for index, chunk in enumerate(chunks[:-1]):
        contents.add(item, index, chunk)
        left = storage.disk.after_cut(lambda count: 0, lambda size: ())
        lost = Contents(FaultyStorage(Disk.holding(left))).missing(item) - set(range(index + 1, 20))
        assert len(lost) < FLUSH_EVERY


def test_nothing_was_being_fetched(scene: ChangeScene, started: Started) -> None:
    assert started.machine.installer.resume(scene.trust) is None


@pytest.mark.clause("C25")
def test_a_set_that_is_refused_is_in_the_report_and_nothing_else_is_left_of_it(
    scene: ChangeScene, started: Started
) -> None:
    with pytest.raises(OfficeError):
        started.machine.installer.take(scene.offers[1], CHALLENGE, scene.trust)
    assert started.machine.boot.record.ended == Ended(2, Outcome.REFUSED, "set-rollback")
    assert started.storage.disk.files.keys() == scene.old.keys()
    assert scene.check(scene.start(started.storage), 1, 1) == 1


@pytest.mark.clause("C25")
@pytest.mark.parametrize(
    ("index", "spoil", "fault"),
    [
        (0, lambda chunk: chunk[:-1] + b"?", Fault.WRONG_DIGEST),
        (0, lambda chunk: chunk + b"?", Fault.TOO_LARGE),
        (0, lambda chunk: chunk[:-1], Fault.WRONG_SIZE),
        (1, lambda chunk: chunk, Fault.WRONG_SIZE),
        (2, lambda chunk: chunk, Fault.TOO_LARGE),
        (-1, lambda chunk: chunk, Fault.TOO_LARGE),
    ],
    ids=["altered", "extra octets", "cut short", "another one's", "endless data", "before the first"],
)
def test_a_chunk_that_is_wrong(
    scene: ChangeScene, started: Started, index: int, spoil: Callable[[bytes], bytes], fault: Fault
) -> None:
    taken(scene, started)
    rates = scene.sets[2][-1]
    with pytest.raises(OfficeError) as raised:
        started.machine.installer.add(Wanted(rates.digest, index), spoil(rates.chunks[0]))
    assert raised.value.fault is fault
    assert started.machine.boot.record.ended == Ended(2, Outcome.REFUSED, fault)
    assert started.storage.disk.files.keys() == scene.old.keys()


@pytest.mark.clause("C8", "C25")
@pytest.mark.parametrize("name", ["table", "rates"], ids=["that is there", "that comes"])
def test_content_that_its_key_does_not_open_is_refused_before_it_is_staged(
    scene: ChangeScene, started: Started, name: str
) -> None:
    """Each chunk is what was released, and yet the whole is of no use."""
    draft = scene.signers.draft(scene.device, scene.sets[2], set_number=2, security_counter=5)
    draft.keys = [
        wrap_key(bytes(32) if one.id == name else one.key, public(scene.device.sealing_key), one.signed)
        for one in scene.sets[2]
    ]
    started.machine.installer.take(scene.signers.offer(scene.device, draft), CHALLENGE, scene.trust)
    with pytest.raises(OfficeError, match=f"{name} does not open"):
        scene.shelf.fetch(started.machine.installer)
    assert started.machine.boot.record.ended == Ended(2, Outcome.REFUSED, "wrong-digest")


@pytest.mark.clause("C25")
@pytest.mark.parametrize("after", ["restart", "fetch"])
def test_a_set_that_is_over_before_it_is_staged(scene: ChangeScene, started: Started, after: str) -> None:
    taken(scene, started)
    late = trust(scene.device, NOW + 2 * DAY)
    if after == "restart":
        started = scene.start(started.storage)
        step = started.machine.installer.resume
    else:
        scene.shelf.fetch(started.machine.installer)
        step = started.machine.installer.stage
    with pytest.raises(OfficeError, match="expired"):
        step(late)
    assert started.machine.boot.record.ended == Ended(2, Outcome.REFUSED, "expired")
    assert started.machine.boot.record.phase is Phase.IDLE


def test_a_fetch_that_is_given_up(scene: ChangeScene, started: Started) -> None:
    taken(scene, started)
    started.machine.installer.give_up("no-content")
    assert started.machine.boot.record.ended == Ended(2, Outcome.FAILED, "no-content")
    assert started.storage.disk.files.keys() == scene.old.keys()


@pytest.mark.clause("C27")
def test_a_disk_that_is_full_keeps_what_came_before(scene: ChangeScene, started: Started) -> None:
    taken(scene, started)
    again = scene.start(FullStorage(started.storage.disk))
    again.machine.installer.resume(scene.trust)
    with pytest.raises(OSError, match="full"):
        scene.shelf.fetch(again.machine.installer)
    assert isinstance(again.storage, FullStorage)
    again.storage.is_full = False
    scene.go_on(again.machine, 2)
    assert scene.check(scene.start(again.storage), 2, 2) == 2


class FullStorage(FaultyStorage):
    """No room for parts of files."""

    is_full = True

    def write_at(self, name: str, position: int, octets: bytes) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, "the disk is full")
        super().write_at(name, position, octets)


def test_steps_out_of_turn(scene: ChangeScene, started: Started) -> None:
    installer = started.machine.installer
    taken(scene, started)
    with pytest.raises(PhaseError, match="chunks are missing"):
        installer.stage(scene.trust)
    with pytest.raises(PhaseError, match="no release"):
        installer.add(Wanted(bytes(32), 0), b"")
    scene.shelf.fetch(installer)
    installer.stage(scene.trust)
    with pytest.raises(PhaseError, match="waits for its trial"):
        installer.take(scene.offers[2], CHALLENGE, scene.trust)
    with pytest.raises(PhaseError, match="nothing is being fetched"):
        installer.stage(scene.trust)
    assert started.machine.boot.record.phase is Phase.STAGED
