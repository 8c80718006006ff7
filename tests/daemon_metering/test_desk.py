"""The PC's end of the meter: what crosses the link, what is kept, and that nothing is ever paid twice (M17, M33)."""

import stat
from dataclasses import replace

import pytest

from daemon_metering.bench import ZSH, Bench, Kill, KilledError, due, letters
from fob_daemon.control.errors import ControlError
from fob_daemon.metering.kept.store import MeterStore
from fob_daemon.metering.pieces import first_request
from fob_daemon.metering.refusing import PieceError
from fob_daemon.metering.reports import Begun, Ended, Franked, Looked
from fob_daemon.metering.views import Piece, SignUp
from fob_protocol.at.values import Values
from fob_protocol.metering.limits import BATCH_LIMIT
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.fake_device_office import refusing, saying
from support.fake_meter import SERIAL

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

# Two whole requests and a piece of a third one.
MANY = 2 * BATCH_LIMIT + 1
# What is asked before the first piece of a batch is paid, and the first request of it.
JUDGED = ["+FOBMETERABOUT", "+FOBMETERRATE"]
ASKED = 2 * (len(JUDGED) + 1)


async def test_one_letter_is_two_round_trips(bench: Bench) -> None:
    number = await bench.begin(1)
    told: list[Franked | Looked] = []
    job = await bench.desk.frank(number, ZSH, told.append)
    assert bench.link.asked == ["+FOBMETERFRANK", "+FOBMETERTAKEN"]
    assert told == [Franked(number, 2, 1, 95, 1, 1)]
    assert (job.done, job.total, job.amount) == (1, 1, 95)
    assert await bench.digests() == due(1)
    known = await bench.desk.known()
    assert known is not None
    assert (known.counter, known.descending, known.value_kind) == (2, 99_905, "eur-cent")
    assert stat.S_IMODE(bench.path.stat().st_mode) == 0o600


@pytest.mark.clause("M17")
async def test_a_batch_is_split_into_requests_of_one_connection(bench: Bench) -> None:
    number = await bench.begin(MANY)
    told: list[Franked | Looked] = []
    await bench.desk.frank(number, ZSH, told.append)
    # Whoever waits hears that something is done before the first piece is paid.
    assert told[:2] == [Looked(number, 0, MANY), Looked(number, MANY, MANY)]
    told = told[2:]
    assert bench.link.asked == [*JUDGED, *["+FOBMETERFRANK", "+FOBMETERTAKEN"] * 3]
    assert [(one.pieces, one.done, one.total) for one in told if isinstance(one, Franked)] == [
        (64, 64, MANY),
        (64, 128, MANY),
        (1, MANY, MANY),
    ]
    assert await bench.digests() == due(MANY)
    assert [amount for _, amount in bench.meter.paid] == [64 * 95, 64 * 95, 95]


def moved(pieces: list[Piece], place: int, **changes: object) -> list[Piece]:
    """With one of them otherwise."""
    pieces[place] = replace(pieces[place], **changes)  # type: ignore[arg-type]
    return pieces


@pytest.mark.clause("M17")
@pytest.mark.parametrize(
    ("changes", "column", "fault"),
    [
        ({"zone": "moon"}, "weight, class, zone", "20 g, letter, moon: the rates have no price for it"),
        ({"origin": "99999"}, "origin", "the mailer does not post at 99999; places: 10115, 20095"),
        (
            {"grams": None, "zone": None, "amount": 10_001}, "amount",
            "it costs EUR 100.01, and a piece may cost at most EUR 100.00",
        ),
    ],
)  # fmt: skip
async def test_a_piece_that_would_be_refused_is_found_before_any_is_paid(
    bench: Bench, changes: dict[str, object], column: str, fault: str
) -> None:
    await bench.desk.state()
    number = (await bench.desk.begin_job("XRATE")).job
    await bench.desk.add(number, moved(letters(MANY), 100, **changes))
    bench.link.asked.clear()
    with pytest.raises(PieceError) as error:
        await bench.desk.frank(number, ZSH, lambda done: None)
    assert (error.value.place, error.value.column, error.value.fault) == (100, column, fault)
    assert error.value.why == f"piece 101 of {MANY} ({column}): {fault}"
    assert (bench.link.asked, bench.meter.paid, bench.meter.questions) == (JUDGED, [], [])
    # It is in nobody's way.
    with pytest.raises(ControlError, match="no batch waits"):
        await bench.desk.resumable()


async def test_a_batch_that_a_day_has_no_room_for_is_found_before_any_is_paid(bench: Bench) -> None:
    number = (await bench.desk.begin_job("XRATE")).job
    # Of EUR 500.00 for a day there are 0.95 spent.
    await bench.desk.add(number, letters(MANY) + [Piece("20095", "A", "letter", amount=9_500)] * 4)
    with pytest.raises(ControlError, match=r"the batch costs EUR 502\.55, and the meter's limit leaves EUR 499\.05"):
        await bench.desk.frank(number, ZSH, lambda done: None)
    assert bench.meter.paid == []


async def test_each_weight_class_and_zone_is_asked_for_once_256_at_a_time(bench: Bench) -> None:
    number = (await bench.desk.begin_job("XRATE")).job
    pieces = [replace(letters(1)[0], grams=1 + place % 257) for place in range(300)]
    await bench.desk.add(number, pieces)
    await bench.desk.frank(number, ZSH, lambda done: None)
    assert bench.asked("+FOBMETERABOUT") == 1
    assert bench.asked("+FOBMETERRATE") == 2
    assert bench.asked("+FOBMETERFRANK") == 5


@pytest.mark.parametrize("rates", [(), (95,), (95, 0), (95, b"x"), (95, 95, 95)])
async def test_rates_that_are_none(bench: Bench, rates: Values) -> None:
    bench.link.handlers["+FOBMETERRATE"] = saying(rates)
    number = (await bench.desk.begin_job("XRATE")).job
    await bench.desk.add(number, [*letters(1), *letters(1, grams=50)])
    with pytest.raises(CkrError, match="CKR_DEVICE_ERROR"):
        await bench.desk.frank(number, ZSH, lambda done: None)
    assert bench.meter.paid == []


async def test_long_addresses_make_smaller_requests(bench: Bench) -> None:
    long = [Piece("20095", "\N{GREEK SMALL LETTER ALPHA}" * 512, "letter", amount=95)] * BATCH_LIMIT
    assert 1 < len(first_request(long)) < BATCH_LIMIT
    number = (await bench.desk.begin_job("XRATE")).job
    assert await bench.desk.add(number, long) == BATCH_LIMIT
    assert (await bench.desk.frank(number, ZSH, lambda done: None)).done == BATCH_LIMIT
    assert len(bench.meter.paid) > 1


async def test_a_letter_is_told_when_it_is_on_the_disk_and_before_the_device_lets_go_of_it(bench: Bench) -> None:
    number = await bench.begin(1)
    bench.link.asked.clear()
    told: list[tuple[list[str], bool]] = []

    def tell(franked: Franked | Looked) -> None:
        told.append((list(bench.link.asked), bench.meter.kept is not None))
        assert isinstance(franked, Franked)
        assert (franked.done, franked.total) == (1, 1)
        # Whoever hears it finds it, also after a power cut at this moment.
        other = MeterStore.at(bench.path)
        assert [kept.counter for kept in other.orders.kept(number, 10)] == [franked.counter]
        other.file.close()

    await bench.desk.frank(number, ZSH, tell)
    assert told == [(["+FOBMETERFRANK"], True)]
    assert bench.link.asked == ["+FOBMETERFRANK", "+FOBMETERTAKEN"]
    assert bench.meter.kept is None


async def steps_of(bench: Bench, count: int) -> int:
    """Of a batch that nobody cuts."""
    number = await bench.begin(count)
    kill = Kill()
    bench.start(kill)
    await bench.desk.frank(number, ZSH, lambda done: None)
    return kill.steps


@pytest.mark.clause("M33")
async def test_a_daemon_that_is_killed_at_any_step_pays_nothing_twice(bench: Bench) -> None:
    steps = await steps_of(bench, MANY)
    # It is judged; of each request: written, asked, its result and the registers kept, taken, noted; and it ends.
    assert steps == 2 * len(JUDGED) + 3 * 2 * 6 + 2
    for at in range(1, steps + 1):
        cut = Bench(bench.path.with_name(f"{at}.db"))
        number = await cut.begin(MANY)
        cut.start(Kill(at))
        with pytest.raises(KilledError):
            await cut.desk.frank(number, ZSH, lambda done: None)
        cut.start()
        if any(not job.is_closed and job.done < job.total for job in await cut.desk.jobs()):
            job = await cut.desk.resumable()
            await cut.desk.frank(job.number, ZSH, lambda done: None)
        else:
            # Only the device may not know yet that the last result is here.
            await cut.desk.begin_job("XRATE")
        assert len(cut.meter.paid) == len(cut.meter.questions) == 3, at
        assert await cut.digests() == due(MANY), at
        assert cut.meter.kept is None, at


@pytest.mark.clause("M29")
async def test_a_load_that_is_killed_at_any_step_is_one_load(bench: Bench) -> None:
    kill = Kill()
    bench.start(kill)
    await bench.desk.load(2000, ZSH)
    assert bench.link.asked == ["+FOBMETERLOAD", "+FOBMETERTAKEN"]
    for at in range(1, kill.steps + 1):
        cut = Bench(bench.path.with_name(f"{at}.db"))
        cut.start(Kill(at))
        with pytest.raises(KilledError):
            await cut.desk.load(2000, ZSH)
        is_whole = cut.meter.kept is None and bool(cut.meter.paid) and at == kill.steps
        cut.start()
        if is_whole:
            continue
        paid = await cut.desk.load(2000, ZSH)
        assert (paid.amount, paid.meter.descending) == (2000, 102_000), at
        assert [amount for _, amount in cut.meter.paid] == [2000], at


async def test_the_same_again_is_new_when_the_first_one_is_over(bench: Bench) -> None:
    assert not (await bench.desk.load(2000, ZSH)).is_resumed
    assert not (await bench.desk.load(2000, ZSH)).is_resumed
    assert len(bench.meter.paid) == 2


@pytest.mark.clause("M33")
async def test_an_answer_that_was_lost_is_given_again_without_a_question(bench: Bench) -> None:
    number = await bench.begin(3)
    bench.meter.is_unanswered = True
    with pytest.raises(CkrError, match="unreachable"):
        await bench.desk.frank(number, ZSH, lambda done: None)
    # Nothing else is begun while nobody knows.
    with pytest.raises(CkrError, match="unreachable"):
        await bench.desk.begin_job("XRATE")
    bench.meter.is_unanswered = False
    assert (await bench.desk.frank((await bench.desk.resumable()).number, ZSH, lambda done: None)).done == 3
    assert len(bench.meter.paid) == len(bench.meter.questions) == 1


async def test_a_batch_of_which_nothing_is_paid_waits_and_is_in_nobody_s_way(bench: Bench) -> None:
    number = await bench.begin(3)
    bench.meter.answer = False
    with pytest.raises(CkrError, match="refused on the device"):
        await bench.desk.frank(number, ZSH, lambda done: None)
    await bench.desk.state()
    report = await bench.desk.report("pixel", None)
    assert report is not None
    assert (report.waiting, (await bench.desk.resumable()).number) == (3, number)
    # Nothing of it is paid or under way: who begins anew has mended it.
    assert await bench.desk.begin_job("XRATE") == Begun(number + 1, 3)
    with pytest.raises(ControlError, match="no batch waits"):
        await bench.desk.resumable()


async def test_a_batch_is_given_up_by_its_number(bench: Bench) -> None:
    number = await bench.begin(3)
    assert (await bench.desk.give_up(number)).number == number
    with pytest.raises(ControlError, match="no batch waits"):
        await bench.desk.give_up(number)


async def test_a_no_to_a_letter_leaves_nothing_behind(bench: Bench) -> None:
    number = await bench.begin(1)
    bench.meter.answer = False
    with pytest.raises(CkrError):
        await bench.desk.frank(number, ZSH, lambda done: None)
    bench.meter.answer = True
    other = await bench.begin(1)
    assert [job.number for job in await bench.desk.jobs()] == [other]
    await bench.desk.frank(other, ZSH, lambda done: None)
    assert [amount for _, amount in bench.meter.paid] == [95]


@pytest.mark.clause("M24")
async def test_a_batch_that_ran_out_of_money_goes_on_after_a_load(bench: Bench) -> None:
    bench.meter.descending = 100 * 95
    number = await bench.begin(MANY)
    with pytest.raises(CkrError, match="insufficient-funds"):
        await bench.desk.frank(number, ZSH, lambda done: None)
    with pytest.raises(ControlError, match="64 of 129 pieces are franked and paid"):
        await bench.desk.begin_job("XRATE")
    bench.link.asked.clear()
    await bench.desk.load(100_000, ZSH)
    # `begin_job` had settled it.
    assert bench.link.asked == ["+FOBMETERLOAD", "+FOBMETERTAKEN"]
    job = await bench.desk.frank((await bench.desk.resumable()).number, ZSH, lambda done: None)
    assert (job.done, await bench.digests()) == (MANY, due(MANY))
    assert sorted(amount for _, amount in bench.meter.paid) == [95, 64 * 95, 64 * 95, 100_000]


async def test_a_batch_can_be_given_up(bench: Bench) -> None:
    bench.meter.descending = 100 * 95
    number = await bench.begin(MANY)
    with pytest.raises(CkrError):
        await bench.desk.frank(number, ZSH, lambda done: None)
    job = await bench.desk.give_up()
    assert (job.number, job.done, job.total) == (number, 64, MANY)
    with pytest.raises(ControlError, match="no batch waits"):
        await bench.desk.resumable()
    # What was paid is there still.
    assert await bench.digests() == due(64)
    assert (await bench.desk.begin_job("XRATE")).job > number


async def test_a_result_for_another_computer_is_taken_over_only_when_somebody_says_so(bench: Bench) -> None:
    other = Bench(bench.path.with_name("other.db"), seed=8)
    other.link, other.meter = bench.link, bench.meter
    other.start()
    number = await bench.begin(2)
    bench.link.kill = Kill(ASKED)
    with pytest.raises(KilledError):
        await bench.desk.frank(number, ZSH, lambda done: None)
    other.start()
    with pytest.raises(CkrError, match="not-taken"):
        await other.desk.load(2000, ZSH)
    taken = await other.desk.take_over()
    assert (taken.is_own, taken.ended) == (False, Ended("frank", "eur-cent", 2, 190, 2, SERIAL))
    assert await other.digests() == due(2)
    assert bench.meter.kept is None
    with pytest.raises(ControlError, match="the device keeps no result"):
        await other.desk.take_over()
    # Nobody asks for it here any more: it is paid.
    bench.start()
    with pytest.raises(CkrError, match="id-used"):
        await bench.desk.frank(number, ZSH, lambda done: None)
    with pytest.raises(ControlError, match="no batch waits"):
        await bench.desk.resumable()
    assert len(bench.meter.paid) == 1


@pytest.mark.clause("M33")
async def test_what_a_sign_on_elsewhere_ended_is_never_asked_for_again(bench: Bench) -> None:
    number = await bench.begin(2)
    bench.meter.is_unanswered = True
    with pytest.raises(CkrError):
        await bench.desk.frank(number, ZSH, lambda done: None)
    bench.meter.is_unanswered = False
    bench.link.handlers["+FOBMETERSIGNON"](("ada",))
    assert (await bench.desk.begin_job("XRATE")).job > number
    with pytest.raises(ControlError, match="no batch waits"):
        await bench.desk.resumable()
    assert len(bench.meter.paid) == 1


async def test_signing_on_settles_what_is_open_first(bench: Bench) -> None:
    number = await bench.begin(2)
    bench.link.kill = Kill(ASKED)
    with pytest.raises(KilledError):
        await bench.desk.frank(number, ZSH, lambda done: None)
    bench.start()
    bench.link.asked.clear()
    joined = await bench.desk.sign_on("ada")
    assert bench.link.asked == ["+FOBMETER", "+FOBMETERRESULT", "+FOBMETERTAKEN", "+FOBMETERSIGNON"]
    assert (joined.serial, joined.unsettled, await bench.digests()) == ("FM07000000019", 0, due(2))


@pytest.mark.clause("M33")
async def test_what_the_device_settles_while_somebody_signs_on_is_heard_then(bench: Bench) -> None:
    number = await bench.begin(2)
    bench.link.kill = Kill(ASKED)
    with pytest.raises(KilledError):
        await bench.desk.frank(number, ZSH, lambda done: None)
    bench.start()
    result = bench.link.handlers["+FOBMETERRESULT"]

    def away_once(values: Values) -> tuple[Values, ...]:
        bench.link.handlers["+FOBMETERRESULT"] = result
        raise CkrError(Ckr.GENERAL_ERROR, "unreachable")

    bench.link.handlers["+FOBMETERRESULT"] = away_once
    bench.link.asked.clear()
    joined = await bench.desk.sign_on("ada")
    assert bench.link.asked == ["+FOBMETER", "+FOBMETERRESULT", "+FOBMETERSIGNON", "+FOBMETERRESULT", "+FOBMETERTAKEN"]
    assert (joined.unsettled, await bench.digests(), bench.meter.kept) == (0, due(2), None)


@pytest.mark.clause("M33")
async def test_what_nobody_knows_after_signing_on_is_never_asked_for_again(bench: Bench) -> None:
    number = await bench.begin(2)
    bench.meter.is_unanswered = True
    with pytest.raises(CkrError):
        await bench.desk.frank(number, ZSH, lambda done: None)
    bench.link.handlers["+FOBMETERRESULT"] = refusing(Ckr.GENERAL_ERROR, "broken-chain")
    assert (await bench.desk.sign_on("ada")).unsettled == 2
    with pytest.raises(ControlError, match="no batch waits"):
        await bench.desk.resumable()
    assert len(bench.meter.paid) == 1


async def test_signing_up(bench: Bench) -> None:
    bench.meter.stage = "none"
    assert (await bench.desk.state()).stage == "none"
    assert not bench.path.exists()
    terms = await bench.desk.terms()
    assert (terms.deposit, terms.fee, terms.value_kinds) == (500, 0, ("eur-cent", "pages"))
    joined = await bench.desk.sign_up(SignUp("ada", "eur-cent", 1, 1000, 5000, ("10115", "20095")))
    assert (joined.account, joined.serial) == (bytes(range(16)).hex(), "FM07000000019")
    assert bench.meter.joined == [("ada", "eur-cent", 1, 1000, 5000, "10115", "20095")]
    about = await bench.desk.about()
    assert (about.refill_below, about.origins, about.log_size) == (1000, ("10115", "20095"), 12)
    assert (await bench.desk.state()).serial == "FM07000000019"
    assert bench.path.exists()


async def test_another_mailer_s_meter_makes_room_only_when_somebody_says_so(bench: Bench) -> None:
    wanted = SignUp("gwen", "eur-cent", 1, None, None, ("10115",))
    for join in (bench.desk.sign_up(wanted), bench.desk.sign_on("gwen")):
        with pytest.raises(ControlError) as error:
            await join
        assert (
            error.value.why
            == "meter FM07000000019 of ada is on the device, with EUR 1000.00 left, which only ada can use"
        )
        assert error.value.next_command == "the same command with --replace"
    assert bench.link.asked == ["+FOBMETER"] * 2
    await bench.desk.sign_on("gwen", replaces=True)
    assert [values[0] for values in bench.meter.joined] == ["gwen"]


async def test_a_batch_that_waits_keeps_its_meter(bench: Bench) -> None:
    bench.meter.descending = 64 * 95
    with pytest.raises(CkrError, match="insufficient-funds"):
        await bench.desk.frank(await bench.begin(65), ZSH, lambda done: None)
    with pytest.raises(ControlError, match="the meter was not replaced: of an earlier batch 64 of 65 pieces"):
        await bench.desk.sign_on("gwen", replaces=True)
    assert bench.meter.joined == []
    # Its own mailer signs on as ever.
    await bench.desk.sign_on("ada")
    assert (await bench.desk.resumable()).done == 64


async def test_money_back_and_an_indicium_back(bench: Bench) -> None:
    number = await bench.begin(2)
    await bench.desk.frank(number, ZSH, lambda done: None)
    assert (await bench.desk.refund(500, 0, 0, ZSH)).amount == 500
    assert (await bench.desk.refund(None, 2, 1, ZSH)).amount == 95
    with pytest.raises(ControlError, match="pieces 1 to 2"):
        await bench.desk.refund(None, 2, 2, ZSH)
    with pytest.raises(ControlError, match="franked nothing"):
        await bench.desk.refund(None, 3, 0, ZSH)


async def test_indicia_that_are_not_here_are_fetched(bench: Bench) -> None:
    number = await bench.begin(2)
    await bench.desk.frank(number, ZSH, lambda done: None)
    here = await bench.desk.record(2)
    bench.link.asked.clear()
    bench.path.unlink()
    bench.start()
    assert await bench.desk.record(2) == here
    assert bench.link.asked == ["+FOBMETER", "+FOBMETERHISTORY"]
    with pytest.raises(ControlError, match="franked nothing"):
        await bench.desk.record(1)


@pytest.mark.parametrize(
    ("piece", "why"),
    [
        (Piece("20095!", "Erika", "letter", grams=20, zone="domestic"), "destination"),
        (Piece("20095", "Erika", "letter", grams=20, zone="domestic", origin="-"), "origin"),
        (Piece("20095", "...", "letter", grams=20, zone="domestic"), "letters or digits"),
        (Piece("20095", "Erika", "letter"), "weight, or an amount"),
        (Piece("20095", "Erika", "letter", grams=20), "zone"),
        (Piece("20095", "Erika", "letter", grams=20, zone="domestic", amount=1), "weight, or an amount"),
        (Piece("20095", "Erika", "letter", amount=1, zone="domestic"), "without a zone"),
    ],
)
async def test_pieces_that_no_device_takes_are_refused_here(bench: Bench, piece: Piece, why: str) -> None:
    number = (await bench.desk.begin_job("XRATE")).job
    with pytest.raises(ControlError, match=f"piece 3 of 3: .*{why}"):
        await bench.desk.add(number, [*letters(2), piece])
    # Whose batch it is, and nothing else.
    assert bench.link.asked == ["+FOBMETER"]


async def test_a_device_with_too_few_indicia_is_not_believed(bench: Bench) -> None:
    number = await bench.begin(2)
    bench.meter.rich(5)
    wrong = bench.meter.records[-1]
    bench.link.handlers["+FOBMETERFRANK"] = saying((2, 0, 5, 0, 5, 0, wrong))
    with pytest.raises(CkrError, match="0 indicia for 2 pieces"):
        await bench.desk.frank(number, ZSH, lambda done: None)
    assert bench.asked("+FOBMETERTAKEN") == 0


async def test_layout_and_slogan_are_read_once_for_each_version(bench: Bench) -> None:
    slogan, layout = b"<text>Hello</text>", b"{}"
    options = [
        ("slogan-picture", "1.0.0", 2, "A slogan", len(slogan), None, None),
        ("label-layout", "1.0.0", 2, "A layout", len(layout), None, None),
        ("indicium-layout", "1.0.0", 1, "A module", 4096, None, "+XINDICIUM"),
    ]
    contents = {"slogan-picture": slogan, "label-layout": layout}
    bench.link.handlers["+FOBOPTIONS"] = lambda values: tuple(options)
    bench.link.handlers["+FOBOPTION"] = lambda values: ((len(contents[str(values[0])]), contents[str(values[0])]),)
    await bench.desk.load(500, ZSH)
    bench.link.asked.clear()
    found = await bench.desk.appearance()
    assert (found.slogan, found.layout) == (slogan, layout)
    assert await bench.desk.appearance() == found
    assert bench.link.asked == ["+FOBOPTIONS", "+FOBOPTION", "+FOBOPTION", "+FOBOPTIONS"]
    bench.link.is_away = True
    assert await bench.desk.appearance() == found
    bench.link.is_away = False
    options[0] = ("slogan-picture", "1.0.1", 2, "A slogan", len(slogan), None, None)
    await bench.desk.appearance()
    assert bench.asked("+FOBOPTION") == 3


async def test_a_device_without_a_meter_leaves_nothing_in_the_way(bench: Bench) -> None:
    handlers = {name: bench.link.handlers.pop(name) for name in ("+FOBMETERFRANK", "+FOBMETERRESULT")}
    number = await bench.begin(1)
    with pytest.raises(CkrError):
        await bench.desk.frank(number, ZSH, lambda done: None)
    number = await bench.begin(1)
    bench.link.handlers |= handlers
    assert (await bench.desk.frank(number, ZSH, lambda done: None)).done == 1
