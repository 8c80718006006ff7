"""The boot record, on the disk twice: one copy is whole whatever happens to the other."""

import pytest
from msgspec.structs import replace

from fob_device.components.boot_record import COPIES, BootCopies, BootRecord, Held, Phase, Slot
from fob_device.components.boot_state import BootState
from fob_device.components.errors import BootRecordError, PhaseError
from fob_device.components.phases import TRANSITIONS, Event, after
from fob_protocol.office.component import Component
from fob_protocol.office.configuration import Outcome
from support.faulty_storage import Disk, FaultyStorage, Files

HELD = Held(Slot.A, 1, bytes(32))
RECORD = BootRecord(
    phase=Phase.TRIAL,
    confirmed=HELD,
    candidate=Held(Slot.B, 2, bytes(32)),
    tries=2,
    security_counter=5,
    catalogue=(Component("rates", (1, 2, 0), bytes(32)),),
)


def saved(*records: BootRecord) -> FaultyStorage:
    storage = FaultyStorage(Disk())
    for record in records:
        BootCopies(storage).save(record)
    return storage


def loaded(files: Files) -> BootRecord:
    return BootCopies(FaultyStorage(Disk.holding(files))).load()


def test_a_new_device_has_had_no_set() -> None:
    assert loaded({}) == BootRecord()
    assert BootRecord().set_number == 0


def test_both_copies_hold_what_was_saved_under_the_next_number() -> None:
    files = saved(RECORD).disk.files
    assert sorted(files) == list(COPIES)
    assert len(set(files.values())) == 1
    assert loaded(files) == replace(RECORD, number=1)


@pytest.mark.clause("C27")
def test_a_cut_while_it_is_saved_leaves_the_old_one_or_the_new_one() -> None:
    """Torn at every octet."""
    old = saved(RECORD)
    new = replace(RECORD, number=1, tries=3, security_counter=9)
    pictures: list[Disk] = []
    storage = FaultyStorage(Disk.holding(old.disk.files), watch=pictures.append)
    BootCopies(storage).save(new)
    found = {
        loaded(files).number
        for picture in (*pictures, storage.disk)
        for files in picture.every_cut(lambda size: range(size))
    }
    assert found == {1, 2}


@pytest.mark.clause("C27")
@pytest.mark.parametrize("name", COPIES)
def test_one_copy_that_is_damaged_is_mended(name: str) -> None:
    good = saved(RECORD).disk.files
    for bad in (b"", b"nonsense", bytes(200), good[name][:-1]):
        storage = FaultyStorage(Disk.holding(good | {name: bad}))
        assert BootCopies(storage).load() == replace(RECORD, number=1)
        assert storage.disk.files == good


def test_two_copies_that_are_damaged_are_no_new_device() -> None:
    """That would forget the counters."""
    with pytest.raises(BootRecordError, match="both copies"):
        loaded(dict.fromkeys(COPIES, b"nonsense"))


@pytest.mark.clause("C27")
def test_the_newer_copy_is_kept_before_anything_is_built_on_it() -> None:
    """A program was killed between a write and its flush; the next one reads what it wrote, and then the power goes."""
    storage = saved(RECORD)
    newer = saved(RECORD, replace(RECORD, number=1, tries=3))
    storage.write(COPIES[0], newer.disk.files[COPIES[0]])
    pictures: list[Disk] = []
    killed = FaultyStorage(storage.disk, watch=pictures.append)
    assert BootCopies(killed).load().number == 2
    for picture in pictures:
        assert {loaded(files).number for files in picture.every_cut(range)} <= {1, 2}
    assert {loaded(files).number for files in killed.disk.every_cut(range)} == {2}


@pytest.mark.clause("C27")
@pytest.mark.parametrize("name", COPIES)
def test_a_copy_that_a_failed_write_left_damaged_is_the_first_to_be_written_again(name: str) -> None:
    pictures: list[Disk] = []
    storage = FaultyStorage(Disk.holding(saved(RECORD).disk.files | {name: b"nonsense"}), watch=pictures.append)
    BootCopies(storage).save(replace(RECORD, number=1))
    assert {loaded(files).number for picture in pictures for files in picture.every_cut(range)} == {1, 2}


class TestPhases:
    """The state machine is a table; everything that is not in it is a mistake of the caller."""

    @pytest.mark.parametrize("phase", Phase)
    @pytest.mark.parametrize("event", Event)
    def test_every_pair(self, phase: Phase, event: Event) -> None:
        if (phase, event) in TRANSITIONS:
            assert after(phase, event) is TRANSITIONS[phase, event]
        else:
            with pytest.raises(PhaseError, match=f"{event.name.lower()} does not follow {phase.name.lower()}"):
                after(phase, event)

    def test_only_a_trial_is_confirmed_and_only_what_is_staged_is_tried(self) -> None:
        assert [phase for phase, event in TRANSITIONS if event is Event.CONFIRMED] == [Phase.TRIAL]
        assert [phase for phase, event in TRANSITIONS if event is Event.BEGUN] == [Phase.STAGED, Phase.TRIAL]
        assert TRANSITIONS[Phase.FETCHING, Event.COMPLETE] is Phase.STAGED

    def test_every_phase_can_end_and_what_ran_before_runs(self) -> None:
        assert {TRANSITIONS[phase, Event.ENDED] for phase in Phase} == {Phase.IDLE}

    def test_a_step_out_of_turn_changes_nothing(self) -> None:
        storage = saved()
        boot = BootState(storage)
        with pytest.raises(PhaseError):
            boot.complete()
        with pytest.raises(PhaseError):
            boot.confirm(1, ())
        assert (boot.record, storage.names()) == (BootRecord(), [])


@pytest.mark.clause("C26")
def test_counter_and_catalogue_step_with_the_confirmation_and_not_before() -> None:
    storage = FaultyStorage(Disk())
    boot = BootState(storage)
    catalogue = (Component("rates", (1, 0, 0), bytes(32)),)
    boot.granted(HELD)
    for step in (boot.complete, boot.begun, boot.begun):
        step()
        assert (boot.record.security_counter, boot.record.catalogue, boot.record.set_number) == (0, (), 0)
    boot.confirm(7, catalogue)
    assert loaded(storage.disk.files) == boot.record
    assert (boot.record.security_counter, boot.record.catalogue, boot.record.set_number) == (7, catalogue, 1)


def test_what_became_of_a_set_is_kept_until_it_is_reported() -> None:
    storage = FaultyStorage(Disk())
    BootState(storage).end(Outcome.REFUSED, "set-rollback" * 10)
    boot = BootState(storage)
    assert boot.record.ended is not None
    assert (boot.record.ended.set_number, boot.record.ended.outcome) == (1, Outcome.REFUSED)
    assert len(boot.record.ended.reason) == 64
    boot.reported()
    boot.reported()
    assert BootState(storage).record.ended is None
    assert boot.record.number == 2
