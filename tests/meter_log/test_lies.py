"""`fob-log-verify` and who has a transaction box's key: what it signs makes neither money nor postage unseen."""

import tracemalloc
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fob_log_verify.limits import ID_TIME
from fob_office.centre.database.limits import JOURNAL_TIME
from fob_office.centre.following import REFILL, derived_digest
from fob_protocol.cose.cbor import encode
from fob_protocol.metering.indicium import read_indicium
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.limits import CLOCK_SKEW
from fob_protocol.metering.values import Indicated
from support.meter_log import NOON, MeterLog, Witness, export, indicia_of, indicium_of

TOKEN: Final = bytes(16)
ID: Final = bytes(range(16))


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Witness:
    return Witness(tmp_path_factory.mktemp("witness"))


@pytest.fixture
def log() -> MeterLog:
    """M-1 and M-2 were created and loaded: four entries."""
    log = MeterLog()
    for serial in ("M-1", "M-2"):
        log.do(serial, Deed.CREATE)
        log.do(serial, Deed.LOAD, 5_000)
    return log


def franked(*pieces: dict[str, Any]) -> tuple[Indicated, ...]:
    """The indicia of two pieces of 40 and 60 that M-1 franks as its third deed, but for what they lie."""
    honest = indicium_of("M-1", 3, 0, 40, 40), indicium_of("M-1", 3, 1, 60, 100)
    lies = (*pieces, {}, {})[:2]
    made = [replace(one, **lie) for one, lie in zip(honest, lies, strict=True)]
    return tuple(Indicated(one.octets(), TOKEN) for one in made)


@pytest.mark.clause("M6")
@pytest.mark.parametrize("counter", [0, 2, 7])
def test_a_meter_begins_with_its_first_record(witness: Witness, counter: int) -> None:
    log = MeterLog()
    log.do("M-1", Deed.CREATE, lies={"counter": counter})
    answer = witness.asks(export(log.entries))
    assert (answer.status, answer.found) == (1, [(0, "unlawful")])
    assert f"M-1 is created with counter {counter}" in answer.json["findings"][0]["why"]


@pytest.mark.clause("M6")
def test_a_meter_is_created_once(witness: Witness, log: MeterLog) -> None:
    log.do("M-1", Deed.CREATE)
    log.do("M-1", Deed.STOP, lies={"deed": Deed.CREATE})
    log.do("M-1", Deed.FRANK, 85)
    answer = witness.asks(export(log.entries))
    assert answer.found == [(4, "unlawful"), (5, "unlawful")]
    assert "3 of M-1: it was created before" in answer.json["findings"][0]["why"]


@pytest.mark.clause("M6", "M20")
@pytest.mark.parametrize(
    ("lies", "outcome"),
    [
        ({}, None),
        # Postage of 3,000 for a cent.
        ({"indicia": franked({"amount": 1_000}, {"amount": 2_000})}, "unlawful"),
        ({"indicia": franked({"amount": 39})}, "unlawful"),
        ({"indicia": franked({"amount": 41}, {"amount": 59})}, "misplaced"),
        ({"indicia": ()}, "unlawful"),
        ({"pieces": 1}, "unlawful"),
        ({"pieces": 3}, "unlawful"),
        ({"indicia": franked()[:1]}, "unlawful"),
        ({"indicia": franked()[::-1]}, "misplaced"),
        ({"indicia": franked({}, {"serial": "M-2"})}, "misplaced"),
        ({"indicia": franked({"counter": 4}, {"counter": 4})}, "misplaced"),
        ({"indicia": franked({}, {"counter": 2})}, "misplaced"),
        ({"indicia": franked({"piece": 1})}, "misplaced"),
        ({"indicia": franked({"ascending": 41})}, "misplaced"),
        ({"indicia": franked({}, {"ascending": 99})}, "misplaced"),
        ({"indicia": franked({}, {"amount": 0})}, "changed"),
        ({"indicia": franked({"amount": 140}, {"amount": -40})}, "changed"),
        ({"indicia": (Indicated(b"no indicium", TOKEN),)}, "changed"),
    ],
)  # fmt: skip
def test_a_frank_is_of_its_pieces(witness: Witness, log: MeterLog, lies: dict[str, Any], outcome: str | None) -> None:
    log.do("M-1", Deed.FRANK, 100, pieces=(40, 60), lies=lies)
    answer = witness.asks(export(log.entries))
    assert answer.found == ([] if outcome is None else [(4, outcome)])


@pytest.mark.clause("M6")
@pytest.mark.parametrize("deed", [Deed.LOAD, Deed.STOP, Deed.REFUND])
@pytest.mark.parametrize("lies", [{"pieces": 1}, {"indicia": franked()[:1]}, {"indicia": franked()[:1], "pieces": 1}])
def test_nothing_else_makes_pieces(witness: Witness, log: MeterLog, deed: Deed, lies: dict[str, Any]) -> None:
    log.do("M-1", deed, lies=lies)
    assert witness.asks(export(log.entries)).found == [(4, "unlawful")]


@pytest.mark.clause("M33")
def test_a_request_is_done_once_for_a_meter(witness: Witness, log: MeterLog) -> None:
    for serial, deed in (("M-1", Deed.LOAD), ("M-1", Deed.FRANK), ("M-2", Deed.LOAD)):
        log.do(serial, deed, 85, lies={"request_id": ID})
    # What was charged and cut off comes in, though its mailer took the id for a frank meanwhile: other deeds.
    assert witness.asks(export(log.entries)).status == 0
    log.do("M-1", Deed.LOAD, 85, lies={"request_id": ID})
    log.do("M-1", Deed.FRANK, 1, lies={"request_id": ID})
    answer = witness.asks(export(log.entries))
    assert answer.found == [(7, "done-twice"), (8, "done-twice")]
    said = f"5 of M-1 is of request {ID.hex()}, which entry 4 was done for: what is asked under one id is done once"
    assert answer.json["findings"][0]["why"] == said
    assert f"entry 7:  done-twice: {said}" in witness.asks(export(log.entries), options=()).out


@pytest.mark.clause("M33")
@pytest.mark.parametrize(
    ("later", "found"), [(ID_TIME - 1, [(5, "done-twice")]), (ID_TIME, []), (-1, [(5, "done-twice")])]
)
def test_an_id_that_nobody_knows_any_more_is_another_request_s(
    witness: Witness, log: MeterLog, later: int, found: list[tuple[int, str]]
) -> None:
    log.do("M-1", Deed.LOAD, 85, lies={"request_id": ID, "time": NOON})
    log.do("M-1", Deed.LOAD, 85, lies={"request_id": ID, "time": NOON + later})
    assert witness.asks(export(log.entries)).found == found
    # The data centre keeps it in mind for longer than that.
    assert ID_TIME <= JOURNAL_TIME - CLOCK_SKEW


@pytest.mark.clause("M33", "M29")
@pytest.mark.parametrize("counter", [2, 3])
def test_a_mailer_may_take_the_id_of_a_refill_for_a_load(witness: Witness, log: MeterLog, counter: int) -> None:
    refill = derived_digest(REFILL, "M-1", counter)[:16]
    log.do("M-1", Deed.LOAD, 85, lies={"request_id": refill})
    log.do("M-1", Deed.FRANK, 85)
    log.do("M-1", Deed.LOAD, 500, lies={"request_id": refill})
    assert witness.asks(export(log.entries)).status == 0
    log.do("M-1", Deed.LOAD, 500, lies={"request_id": refill})
    assert witness.asks(export(log.entries)).found == [(7, "done-twice")]


def gave_back(log: MeterLog, indicium: Indicated | None, amount: int, serial: str = "M-1") -> None:
    """A credit that fits the registers."""
    indicia = () if indicium is None else (indicium,)
    log.do(serial, Deed.LOAD, amount, lies={"deed": Deed.CREDIT, "indicia": indicia})


@pytest.mark.clause("M29")
def test_only_what_a_meter_franked_is_given_back(witness: Witness, log: MeterLog) -> None:
    log.do("M-1", Deed.FRANK, 100, pieces=(40, 60))
    log.do("M-2", Deed.FRANK, 100)
    (letter, parcel), (other,) = indicia_of(log.entries[4]), indicia_of(log.entries[5])
    foreign = Indicated(replace(read_indicium(letter), origin="20096").octets(), TOKEN)
    made = [
        Indicated(indicium_of("M-1", *where).octets(), TOKEN) for where in ((2, 0, 9, 9), (3, 2, 9, 109), (99, 0, 9, 9))
    ]
    gave_back(log, foreign, 40)
    for indicium in made:
        gave_back(log, indicium, 9)
    gave_back(log, other, 100)
    gave_back(log, letter, 4_000)
    gave_back(log, None, 7)
    gave_back(log, parcel, 60)
    gave_back(log, parcel, 60)
    gave_back(log, other, 100, "M-2")
    answer = witness.asks(export(log.entries))
    # Of another address, of nothing that was franked, of another meter.
    unfounded = [(place, "unfounded") for place in range(6, 11)]
    # Of another amount, without an indicium, and once more.
    assert answer.found == [*unfounded, (11, "unlawful"), (12, "unlawful"), (14, "unlawful")]
    assert "gives piece 0 of 3 back, which M-1 did not frank" in answer.json["findings"][0]["why"]


@pytest.mark.clause("M22", "M23")
def test_what_was_franked_in_a_part_that_is_not_there_may_be_given_back(witness: Witness) -> None:
    log = MeterLog()
    for deed, amount in ((Deed.CREATE, 0), (Deed.LOAD, 500), (Deed.FRANK, 10), (Deed.FRANK, 20), (Deed.STOP, 0)):
        log.do("M-1", deed, amount)
    log.do("M-1", Deed.CREDIT, 10)
    log.do("M-1", Deed.CREDIT, 20)
    lost = MeterLog(entries=[*log.entries[:2], log.entries[4]])
    lost.note(encode([1, "M-1", 2, 5, NOON]))
    lost.entries += log.entries[5:]
    assert witness.asks(export(lost.entries)).found == [(2, "recovered")]
    # An export that begins in the middle.
    assert witness.asks(export(log.entries[4:])).found == [(0, "deleted")]
    # Both gaps of one meter, and a lie about what is there.
    gave_back(log, Indicated(indicium_of("M-1", 5, 0, 9, 9).octets(), TOKEN), 9)
    places = (0, 1, 3, 4, 6, 7)
    found = witness.asks(export([log.entries[place] for place in places])).found
    assert found == [(2, "deleted"), (4, "deleted"), (5, "unfounded")]


@given(st.integers(0, 1 << 32))
def test_no_honest_log_gives_a_finding(witness: Witness, seed: int) -> None:
    entries = MeterLog(Random(seed)).live(60).entries
    assert witness.asks(export(entries)).found == []


Lie = Callable[[MeterLog, Random], str]


def _create_again(log: MeterLog, random: Random) -> str:
    log.do("M-1", Deed.CREATE)
    return "unlawful"


def _begin_late(log: MeterLog, random: Random) -> str:
    log.do("M-9", Deed.CREATE, lies={"counter": random.randrange(2, 99)})
    return "unlawful"


def _frank_more(log: MeterLog, random: Random) -> str:
    meter = log.meters["M-1"]
    amount, more = random.randrange(1, 99), random.randrange(1, 99)
    lie = indicium_of("M-1", meter.counter + 1, 0, amount + more, meter.ascending + amount)
    log.do("M-1", Deed.FRANK, amount, lies={"indicia": (Indicated(lie.octets(), TOKEN),)})
    return "unlawful"


def _count_more_pieces(log: MeterLog, random: Random) -> str:
    log.do("M-1", Deed.FRANK, 5, lies={"pieces": log.meters["M-1"].pieces + random.randrange(2, 9)})
    return "unlawful"


def _do_twice(log: MeterLog, random: Random) -> str:
    request = random.randbytes(16)
    deed = random.choice((Deed.LOAD, Deed.FRANK, Deed.REFUND))
    log.do("M-1", deed, 5, lies={"request_id": request})
    log.do("M-2", deed, 5, lies={"request_id": request})
    log.do("M-1", deed, 5, lies={"request_id": request})
    return "done-twice"


def _credit_nothing(log: MeterLog, random: Random) -> str:
    counter = random.randrange(1, log.meters["M-1"].counter + 5)
    gave_back(log, Indicated(indicium_of("M-1", counter, 0, 7, 1 << 40).octets(), TOKEN), 7)
    return "unfounded"


def _credit_more(log: MeterLog, random: Random) -> str:
    log.do("M-1", Deed.FRANK, 5)
    gave_back(log, log.meters["M-1"].franked[-1], 5 + random.randrange(1, 99))
    return "unlawful"


def _credit_twice(log: MeterLog, random: Random) -> str:
    log.do("M-1", Deed.FRANK, 5)
    log.do("M-1", Deed.CREDIT, 5)
    gave_back(log, indicia_of(log.entries[-1])[0], 5)
    return "unlawful"


def _misplace(log: MeterLog, random: Random) -> str:
    meter = log.meters["M-1"]
    honest = indicium_of("M-1", meter.counter + 1, 0, 5, meter.ascending + 5)
    lie = random.choice(
        ({"serial": "M-2"}, {"counter": meter.counter}, {"piece": 1}, {"ascending": meter.ascending + 4})
    )
    log.do("M-1", Deed.FRANK, 5, lies={"indicia": (Indicated(replace(honest, **lie).octets(), TOKEN),)})
    return "misplaced"


LIES: Final[Sequence[Lie]] = (
    _create_again, _begin_late, _frank_more, _count_more_pieces, _do_twice, _credit_nothing, _credit_more,
    _credit_twice, _misplace,
)  # fmt: skip


@given(st.sampled_from(LIES), st.integers(0, 1 << 32))
def test_each_lie_is_found_at_its_place_in_any_log(witness: Witness, lie: Lie, seed: int) -> None:
    random = Random(seed)
    log = MeterLog(random).live(40)
    outcome = lie(log, random)
    assert witness.asks(export(log.entries)).found == [(len(log.entries) - 1, outcome)]


def test_numbers_beyond_all_bounds_are_no_transaction(witness: Witness, log: MeterLog) -> None:
    log.do("M-1", Deed.STOP, lies={"counter": 1 << 63})
    indicium = Indicated(indicium_of("M-2", 1 << 63, 0, 9, 9).octets(), TOKEN)
    gave_back(log, indicium, 9, "M-2")
    assert witness.asks(export(log.entries)).found == [(4, "changed"), (5, "changed")]


def test_what_was_done_and_franked_is_not_held_in_memory(witness: Witness) -> None:
    log = MeterLog()
    log.do("M-1", Deed.CREATE)
    log.do("M-1", Deed.LOAD, 100_000)
    for _ in range(8_000):
        log.do("M-1", Deed.FRANK, 1)
    file = export(log.entries)
    # What is made once for all.
    witness.asks(export(log.entries[:10]))
    tracemalloc.start()
    try:
        assert witness.asks(file).status == 0
        # Python's own objects; a digest and an id of each would be more.
        assert tracemalloc.get_traced_memory()[1] < 400_000
    finally:
        tracemalloc.stop()


def test_without_room_for_what_was_done_nothing_is_said(
    witness: Witness, log: MeterLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fob_log_verify.requests._KEEP", "INSERT INTO nowhere VALUES (?)")
    answer = witness.asks(export(log.entries), options=())
    assert answer.status == 2
    assert [line.split(":")[0] for line in answer.err.splitlines()] == ["error", "why", "try"]
