"""An office that was put back to a backup: what it lost, and what that does to holders who are ahead of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from fob_office.backup import back_up
from fob_office.distribution import operating
from fob_office.distribution.operating import Which, copies_after, resynchronise_all
from fob_office.office import Office, open_office
from fob_office.secrets.private_file import write_new
from fob_office.settings import load_settings
from fob_office.tls import make_certificate
from fob_protocol.cose.headers import key_id
from fob_protocol.integrity.limits import VALIDATION_TIME
from fob_protocol.integrity.ticket import Ticket
from fob_protocol.integrity.validation import Validate
from fob_protocol.office.envelope import Service
from fob_protocol.office.refusals import Refusal
from support.holder import ReferenceHolder
from support.office import OfficeScene, surroundings
from support.office_holders import RATES, direct, policy, rates_holder, refused, results
from support.office_shop import OPERATOR, release


@pytest.fixture
def scene(sqlite_scene: OfficeScene) -> OfficeScene:
    """With the files that `init` makes beside the office."""
    state = sqlite_scene.office.settings.state
    make_certificate(state, ["localhost"], sqlite_scene.clock.time)
    write_new(state / "office.toml", b"")
    return sqlite_scene


@contextmanager
def restored(scene: OfficeScene, backup: Path) -> Iterator[Office]:
    """The office as it was, at the time that it is now, with randomness of its own."""
    office = open_office(load_settings(backup, {}), {}, surroundings(scene.clock, seed=77))
    try:
        yield office
    finally:
        office.close()


def admitted(scene: OfficeScene, technique: str = "D1") -> ReferenceHolder:
    """Once. With D1 its requests hold nothing that the office has given for them."""
    release(scene, "rates", octets=RATES)
    policy(scene, "rates", technique=technique)
    holder = rates_holder(scene)
    assert isinstance(holder.validate("rates"), Ticket)
    return holder


def overheard(holder: ReferenceHolder) -> Validate:
    """Its next request, answered."""
    copy = holder.copies["rates"]
    said = holder.request(copy, holder.challenge(copy))
    assert isinstance(holder.take(copy, holder.send(copy)), Ticket)
    return said


def again(office: Office, message: Validate) -> Callable[[], object]:
    """Somebody without any key posts it."""
    return lambda: direct(office)(Service.VALIDATION, "integrity", message)


@pytest.mark.clause("V22", "V23")
@pytest.mark.parametrize("technique", ["D1", "D7"])
def test_a_request_that_is_posted_again_harms_nobody(scene: OfficeScene, tmp_path: Path, technique: str) -> None:
    """The same request rolls to the same identifier, whoever brings it, and so to where its holder is."""
    holder = admitted(scene, technique)
    back_up(scene.office.settings, tmp_path / "backup")
    said = [overheard(holder), overheard(holder)]
    with restored(scene, tmp_path / "backup") as office:
        for message in said:
            again(office, message)()
        holder.ask = direct(office)
        assert isinstance(holder.validate("rates"), Ticket)
        assert isinstance(holder.validate("rates"), Ticket)


@pytest.mark.clause("V14", "V22", "V23")
def test_one_of_before_the_last_leaves_its_holder_out_of_sequence_and_unflagged(
    scene: OfficeScene, tmp_path: Path
) -> None:
    holder = admitted(scene)
    back_up(scene.office.settings, tmp_path / "backup")
    first, _ = overheard(holder), overheard(holder)
    with restored(scene, tmp_path / "backup") as office:
        again(office, first)()
        holder.ask = direct(office)
        assert refused(lambda: holder.validate("rates")) is Refusal.OUT_OF_SEQUENCE


@pytest.mark.clause("V14")
def test_what_is_late_is_posted_again_in_vain(scene: OfficeScene, tmp_path: Path) -> None:
    holder = admitted(scene)
    back_up(scene.office.settings, tmp_path / "backup")
    said = overheard(holder)
    scene.clock.pass_by(VALIDATION_TIME + 1)
    with restored(scene, tmp_path / "backup") as office:
        assert refused(again(office, said)) is Refusal.LATE


@pytest.mark.clause("V14")
def test_a_holder_whose_clock_is_ahead_is_not_locked_out(scene: OfficeScene) -> None:
    """It has nothing but its own clock and the latest time that was signed: the later one. Rule `leap` sees it."""
    holder = admitted(scene)
    holder.clock = lambda: scene.clock.time + 86_400
    assert isinstance(holder.validate("rates"), Ticket)
    assert [result for _, result in results(scene)] == ["valid", "valid"]


def ahead(scene: OfficeScene, tmp_path: Path, count: int) -> list[ReferenceHolder]:
    """So many who have been validated since the backup."""
    holders = [rates_holder(scene, serial=f"R-{number:04}", ask=direct(scene.office)) for number in range(count)]
    back_up(scene.office.settings, tmp_path / "backup")
    for holder in holders:
        assert isinstance(holder.validate("rates"), Ticket)
    return holders


def listed(office: Office, program: str | None = None, since: int = 0) -> list[bytes]:
    with office.database.read() as session:
        return [row.number for row in copies_after(session, 0, Which(program, out_of_sequence=since))]


@pytest.mark.clause("V14", "V22")
def test_who_is_out_of_sequence_is_listed_named_and_believed_at_once(scene: OfficeScene, tmp_path: Path) -> None:
    first, second, silent = ahead(scene, tmp_path, 3)
    with restored(scene, tmp_path / "backup") as office, capture_logs() as told:
        for holder in (first, second, silent):
            holder.ask = direct(office)
        for holder in (first, second, second):
            assert refused(lambda: holder.validate("rates")) is Refusal.OUT_OF_SEQUENCE  # noqa: B023 - called at once
        numbers = [holder.copies["rates"].number for holder in (first, second)]
        # One line of log for each request, however often it comes.
        assert [(line["copy"], line["holder"]) for line in told if line["event"] == "copy out of sequence"] == [
            (holder.copies["rates"].number.hex(), key_id(holder.public_key).hex()) for holder in (first, second)
        ]
        assert listed(office) == listed(office, "rates", scene.clock.time) == numbers
        assert listed(office, "another") == listed(office, since=scene.clock.time + 1) == []
        assert resynchronise_all(office, "another", 0, OPERATOR) == 0
        assert resynchronise_all(office, None, 0, OPERATOR) == 2
        assert (listed(office), resynchronise_all(office, None, 0, OPERATOR)) == ([], 0)
        assert all(isinstance(holder.validate("rates"), Ticket) for holder in (first, second))
        # Who had not asked is not believed blindly.
        assert refused(lambda: silent.validate("rates")) is Refusal.OUT_OF_SEQUENCE
        assert listed(office) == [silent.copies["rates"].number]


@pytest.mark.clause("V14")
def test_many_are_resynchronised_a_page_at_a_time(
    scene: OfficeScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holders = ahead(scene, tmp_path, 5)
    page = operating.copies_after
    monkeypatch.setattr(operating, "PAGE", 2)
    monkeypatch.setattr(operating, "copies_after", lambda session, last, which: page(session, last, which, 2))
    with restored(scene, tmp_path / "backup") as office:
        for holder in holders:
            holder.ask = direct(office)
            assert refused(lambda: holder.validate("rates")) is Refusal.OUT_OF_SEQUENCE  # noqa: B023 - called at once
        assert resynchronise_all(office, None, 0, OPERATOR) == 5
        assert listed(office) == []
