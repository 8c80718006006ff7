"""What a device refuses of a granted set, each by its name (docs/office-protocol.md, section 6.3), before a fetch.

The ids of the tests are the attacks of TUF, Uptane and SUIT that a rule is there for.
"""

import pytest

from components.offer_case import Case, Spoil, refusals
from fob_device.components.equipment import Equipment
from fob_protocol.office.component import Kind
from fob_protocol.office.errors import Fault
from fob_protocol.office.limits import CONTENT_LIMIT, COUNTER_STEP
from fob_protocol.office.release import Dependency
from support.office_signers import DAY, NOW, OfficeSigners

DIGESTS = (bytes(32),)


@pytest.fixture
def case(signers: OfficeSigners, device: Equipment) -> Case:
    return Case(signers, device)


def test_a_good_set_is_taken_and_what_it_taught_is_handed_on(case: Case) -> None:
    plan = case.check()
    assert [item.release.id for item in plan.items] == ["table", "rates"]
    assert plan.manifest.set_number == 7
    assert plan.trust.epochs == {"config": 1}


def test_a_set_of_nothing_is_one_too(case: Case) -> None:
    case.put()
    assert case.check().items == ()


@pytest.mark.clause("C26")
@refusals(
    ("rollback to the set of before", Fault.SET_ROLLBACK, lambda case: case.draft.change(set_number=5)),
    ("the installed set again", Fault.SET_ROLLBACK, lambda case: case.draft.change(set_number=6)),
    ("fast-forward of sets, wrong precursor", Fault.SET_ROLLBACK, lambda case: case.draft.change(set_number=8)),
    ("rollback of a component", Fault.VERSION_ROLLBACK, lambda case: case.change_rates(version=(1, 3, 255))),
    ("rollback of security, set", Fault.COUNTER_ROLLBACK, lambda case: case.draft.change(security_counter=9)),
    ("rollback of security, release", Fault.COUNTER_ROLLBACK, lambda case: case.change_rates(security_counter=9)),
    ("a release below its set", Fault.COUNTER_ROLLBACK, lambda case: case.draft.change(security_counter=11)),
    (
        "fast-forward of security, set",
        Fault.COUNTER_TOO_FAR,
        lambda case: case.draft.change(security_counter=10 + COUNTER_STEP + 1),
    ),
    (
        "fast-forward of security, release",
        Fault.COUNTER_TOO_FAR,
        lambda case: case.change_rates(security_counter=10 + COUNTER_STEP + 1),
    ),
)
def test_nothing_goes_back_and_nothing_jumps(case: Case, fault: Fault, spoil: Spoil) -> None:
    spoil(case)
    assert case.fault() is fault


@pytest.mark.clause("C26")
def test_a_component_that_was_removed_in_between_may_come_in_any_version(case: Case) -> None:
    case.put(case.release("slogan", kind=Kind.DATA, version=(0, 1, 0)))
    assert case.check().items[0].release.version == (0, 1, 0)


@pytest.mark.clause("C25")
@refusals(
    ("incompatible set", Fault.OTHER_HARDWARE, lambda case: case.draft.change(hardware="phone-2")),
    ("incompatible release", Fault.OTHER_HARDWARE, lambda case: case.change_rates(hardware=("phone-2",))),
    ("freeze, offline-expired set", Fault.EXPIRED, lambda case: case.draft.change(until=NOW - 1)),
    ("freeze, offline-expired release", Fault.EXPIRED, lambda case: case.change_rates(until=NOW - 1)),
)
def test_what_is_for_another_device_or_time(case: Case, fault: Fault, spoil: Spoil) -> None:
    spoil(case)
    assert case.fault() is fault


def test_the_device_s_time_is_what_counts(case: Case) -> None:
    """A set that was held back a day too long."""
    assert case.check(time=NOW + DAY)
    assert case.fault(time=NOW + DAY + 1) is Fault.EXPIRED


@pytest.mark.clause("C16")
@refusals(
    ("partial bundle", Fault.MIX_AND_MATCH, lambda case: case.draft.released.pop(0)),
    (
        "mix-and-match of versions",
        Fault.MIX_AND_MATCH,
        lambda case: case.draft.released.__setitem__(1, case.rates_with(version=(1, 5, 0))),
    ),
    ("mix-and-match of places", Fault.MIX_AND_MATCH, lambda case: case.draft.released.reverse()),
    ("the same release twice", Fault.MIX_AND_MATCH, lambda case: case.add(case.rates)),
    ("a key too few", Fault.MIX_AND_MATCH, lambda case: setattr(case.draft, "keys", [])),
    ("extraneous dependency", Fault.EXTRANEOUS_DEPENDENCY, lambda case: case.add(case.slogan)),
    (
        "a dependency without a line",
        Fault.MISSING_ENTRY,
        lambda case: case.draft.change(entries=case.draft.manifest.entries[1:]),
    ),
    (
        "a component twice",
        Fault.DUPLICATE_ID,
        lambda case: case.draft.change(entries=(*case.draft.manifest.entries, case.draft.manifest.entries[0])),
    ),
    ("a line of another name", Fault.UNKNOWN_ID, lambda case: case.draft.entry(1, component="slogan")),
    ("a region of nobody", Fault.UNKNOWN_ID, lambda case: case.draft.entry(1, region="rom")),
    ("missing dependency", Fault.MISSING_DEPENDENCY, lambda case: case.put(case.rates)),
    (
        "a dependency that is too old",
        Fault.MISSING_DEPENDENCY,
        lambda case: case.change_rates(dependencies=(Dependency("table", (1, 0, 1)),)),
    ),
)
def test_list_releases_and_keys_belong_together(case: Case, fault: Fault, spoil: Spoil) -> None:
    spoil(case)
    assert case.fault() is fault


@pytest.mark.clause("C16")
@refusals(
    ("below its region", Fault.OUT_OF_RANGE, lambda case: case.draft.entry(1, start=0xFFFF)),
    ("an octet beyond its region", Fault.OUT_OF_RANGE, lambda case: case.draft.entry(1, start=0x2_0000 - 499)),
    ("over the loader", Fault.OUT_OF_RANGE, lambda case: case.draft.entry(1, start=0x1000)),
    ("far out", Fault.OUT_OF_RANGE, lambda case: case.draft.entry(1, start=(1 << 53) - 1)),
    ("a module among the data", Fault.OUT_OF_RANGE, lambda case: case.draft.entry(1, region="data", start=0x2_1000)),
    ("an order twice", Fault.WRONG_ORDER, lambda case: case.draft.entry(1, order=1)),
    ("an order that is left out", Fault.WRONG_ORDER, lambda case: case.draft.entry(1, order=3)),
)
def test_places_and_orders(case: Case, fault: Fault, spoil: Spoil) -> None:
    spoil(case)
    assert case.fault() is fault


@pytest.mark.clause("C16")
def test_components_over_each_other(case: Case) -> None:
    case.put(case.table, case.slogan, case.rates)
    case.draft.entry(1, start=0x2_0000 + 499)
    assert case.fault() is Fault.OVERLAP
    case.draft.entry(1, start=0x2_0000 + 500)
    assert case.check()


@pytest.mark.clause("C16")
def test_a_component_that_starts_before_what_it_needs(case: Case) -> None:
    case.draft.entry(0, order=2)
    case.draft.entry(1, order=1)
    assert case.fault() is Fault.WRONG_ORDER


@pytest.mark.clause("C16")
def test_two_components_that_need_each_other(case: Case) -> None:
    case.put(case.release("table", kind=Kind.DATA, dependencies=(Dependency("rates", (1, 0, 0)),)), case.rates)
    assert case.fault() is Fault.WRONG_ORDER


@pytest.mark.clause("C25")
@refusals(
    (
        "endless data, release",
        Fault.TOO_LARGE,
        lambda case: case.change_rates(size=CONTENT_LIMIT + 1, chunks=DIGESTS * 129),
    ),
    ("endless data, chunks", Fault.TOO_LARGE, lambda case: case.change_rates(chunks=DIGESTS * 130)),
    ("extra octets, a chunk", Fault.WRONG_SIZE, lambda case: case.change_rates(chunks=DIGESTS * 2)),
    ("a chunk too few", Fault.WRONG_SIZE, lambda case: case.change_rates(size=8192, chunks=DIGESTS)),
)
def test_sizes(case: Case, fault: Fault, spoil: Spoil) -> None:
    spoil(case)
    assert case.fault() is fault


def test_a_set_that_is_too_large_as_a_whole(case: Case) -> None:
    """Nine of the largest. Eight go through, as far as to their places."""
    large = [case.release(f"r{n}", size=CONTENT_LIMIT, chunks=DIGESTS * 129) for n in range(9)]
    case.put(*large)
    assert case.fault() is Fault.TOO_LARGE
    case.put(*large[:8])
    assert case.fault() is Fault.OUT_OF_RANGE


@pytest.mark.clause("C25")
@refusals(
    (
        "redirect of a command",
        Fault.NAME_IN_USE,
        lambda case: case.put(case.table, case.rates, case.release("zones", commands=("XZONE",))),
    ),
    ("a command twice", Fault.NAME_IN_USE, lambda case: case.change_rates(commands=("XRATE", "XRATE"))),
    ("a command of Fob's own", Fault.MALFORMED, lambda case: case.change_rates(commands=("FOBGRANTS",))),
    (
        "data with a command",
        Fault.MALFORMED,
        lambda case: case.put(case.release("table", kind=Kind.DATA, commands=("XTABLE",))),
    ),
)
def test_commands(case: Case, fault: Fault, spoil: Spoil) -> None:
    spoil(case)
    assert case.fault() is fault
