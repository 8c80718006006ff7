"""`fob meter`: the status, the history, money, signing up and on, and every error in three lines."""

from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from cli.letters import LETTER, a_batch
from control.fake_daemon import FakeDaemon
from control.fake_phone import FakePhone
from fob_daemon.control.interface import DeviceState
from fob_daemon.control.office_reports import MeterChange
from fob_protocol.metering.kinds import Payment
from fob_protocol.office.limits import ID_LIMIT
from fob_protocol.pkcs11.ckr import Ckr
from support.fake_device_office import refusing, saying
from support.fake_meter import SERIAL, FakeMeter


async def test_the_status(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    await fob("meter", "frank", *LETTER)
    # The day is the data centre's, wherever somebody looks at it.
    fob.environment["TZ"] = "WEST+8"
    ended = await fob("meter", "status", "--ask", "--checkpoint", str(tmp_path / "checkpoint"))
    assert ended.out.splitlines()[:15] == [
        f"meter        {SERIAL}",
        "mailer       ada",
        "state        active",
        "payment      prepaid",
        "left         EUR 999.05",
        "used         EUR 0.95 for 1 piece",
        "loaded       EUR 1000.00",
        "counter      2",
        "for a piece  at most EUR 100.00",
        "for a day    at most EUR 500.00; EUR 0.95 on 2026-11-22",
        "credit       EUR 0.00",
        "refill       EUR 50.00 below EUR 10.00",
        "origins      10115, 20095",
        "log          12 entries",
        "",
    ]
    assert (tmp_path / "checkpoint").read_bytes() == b"checkpoint"
    answer = (await fob("meter", "status", "--json")).json
    assert (answer["meter"]["counter"], answer["jobs"][0]["done"]) == (2, 1)


async def test_an_amount_that_is_too_large(fob: FobProgram, meter: FakeMeter) -> None:
    ended = await fob("meter", "refill", "9" * 20)
    assert (ended.code, ended.error[1]) == (2, "an amount is EUR 0.01 to EUR 10000000000.00")


async def test_the_status_says_how_each_batch_stands(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    def states() -> list[str]:
        lines = ended.out.splitlines()
        rows = lines[next(place for place, line in enumerate(lines) if line.startswith("BATCH")) + 1 :]
        return [next(word for word in ("waits", "done", "given up") if row.endswith(word)) for row in rows]

    await fob("meter", "frank", *LETTER)
    meter.descending = 64 * 95
    await fob("meter", "frank", "--batch", a_batch(tmp_path / "letters.csv", 65))
    ended = await fob("meter", "status")
    assert states() == ["waits", "done"]
    await fob("meter", "frank", "--give-up")
    ended = await fob("meter", "status")
    assert (states(), "to go on" in ended.err) == (["given up", "done"], False)


@pytest.mark.clause("M23")
async def test_a_kept_checkpoint_is_not_written_over(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    """It may be what shows that the log was put back; here nobody proves that the log goes on from it."""
    (tmp_path / "checkpoint").write_bytes(b"kept")
    ended = await fob("meter", "status", "--ask", "--checkpoint", str(tmp_path / "checkpoint"))
    assert (ended.code, ended.err.splitlines()[1]) == (1, f"why:   {tmp_path / 'checkpoint'} is there already")
    assert (tmp_path / "checkpoint").read_bytes() == b"kept"


@pytest.mark.clause("M30")
async def test_the_status_of_who_has_not_paid_for_signing_up(fob: FobProgram, meter: FakeMeter) -> None:
    meter.fee = 250
    assert "due      EUR 2.50 for signing up, with the next payment" in (await fob("meter", "status")).out.splitlines()


async def test_one_line_of_the_status_of_all(fob: FobProgram, meter: FakeMeter) -> None:
    assert "has meter" not in (await fob("status")).out
    await fob("meter", "frank", *LETTER)
    meter.device.asked.clear()
    line = f"'pixel' has meter {SERIAL}: EUR 999.05 left, EUR 0.95 used for 1 piece"
    assert line in (await fob("status")).out.splitlines()
    assert meter.device.asked == []


async def test_the_history(fob: FobProgram, meter: FakeMeter) -> None:
    await fob("meter", "frank", *LETTER)
    await fob("meter", "refund", "--counter", "2")
    ended = await fob("meter", "history")
    lines = [line.split() for line in ended.out.splitlines()]
    assert [(line[0], line[3], line[5]) for line in lines[1:]] == [
        ("1", "load", "1000.00"), ("2", "frank", "0.95"), ("3", "credit", "0.95"),
    ]  # fmt: skip
    found = (await fob("meter", "history", "--after", "1", "--json")).json["transactions"]
    assert [one["counter"] for one in found] == [2, 3]
    for _ in range(7):
        meter.rich(100)
    assert len((await fob("meter", "history", "--after", "0", "--json")).json["transactions"]) == 10


@pytest.mark.parametrize("most", [10**7, (1 << 53) - 1])
async def test_a_time_of_the_data_centre_that_no_calendar_has_is_a_number(
    fob: FobProgram, meter: FakeMeter, most: int
) -> None:
    about = ((1, 1, 10_000, 50_000, 0, 95, most, 1000, 5000, 12, b"checkpoint"), ("10115",), ("20095",))
    meter.device.handlers["+FOBMETERABOUT"] = saying(*about)
    ended = await fob("meter", "status", "--ask")
    assert f"at most EUR 500.00; EUR 0.95 on day {most}\n" in ended.out
    meter.time = most - meter.counter - 1
    meter.rich(100)
    assert (await fob("meter", "history")).out.splitlines()[-1].split()[-5:] == [
        "load",
        "EUR",
        "1.00",
        "EUR",
        "1001.00",
    ]


async def test_the_newest_are_newer_than_what_the_device_knows(fob: FobProgram, meter: FakeMeter) -> None:
    for _ in range(6):
        meter.rich(100)
    meter.device.handlers["+FOBMETER"] = saying(*meter._state(()))
    for _ in range(2):
        meter.rich(100)
    meter.device.asked.clear()
    found = (await fob("meter", "history", "-n", "2", "--json")).json["transactions"]
    assert [one["counter"] for one in found] == [8, 9]
    # Behind what the device does not know of there may be more: nothing at all is the end.
    assert meter.device.asked == ["+FOBMETER", "+FOBMETERHISTORY", "+FOBMETERHISTORY"]


@pytest.mark.clause("M21")
async def test_a_page_that_is_short_is_not_the_end(fob: FobProgram, meter: FakeMeter) -> None:
    for _ in range(6):
        meter.rich(100)
    # Large transactions: two fill an answer.
    meter.device.handlers["+FOBMETERHISTORY"] = lambda values: meter._history(values)[:2]
    meter.device.asked.clear()
    found = (await fob("meter", "history", "--json")).json["transactions"]
    assert [one["counter"] for one in found] == [1, 2, 3, 4, 5, 6, 7]
    # Not once more where the device knows that this is the newest.
    assert meter.device.asked == ["+FOBMETER", *["+FOBMETERHISTORY"] * 4]
    meter.device.asked.clear()
    found = (await fob("meter", "history", "--after", "4", "--json")).json["transactions"]
    assert [one["counter"] for one in found] == [5, 6, 7]
    assert meter.device.asked == ["+FOBMETER", *["+FOBMETERHISTORY"] * 2]


async def test_what_a_restored_data_centre_lost_is_named(fob: FobProgram, meter: FakeMeter) -> None:
    for _ in range(7):
        meter.rich(100)
    left = (1, 2, 5, 6, 8)
    meter.device.handlers["+FOBMETERHISTORY"] = lambda values: tuple(
        (meter.records[counter - 1],) for counter in left if counter > int(str(values[0]))
    )
    ended = await fob("meter", "history")
    assert [line.split()[0] for line in ended.out.splitlines()[1:]] == ["1", "2", "5", "6", "8"]
    asking = "to ask: who runs the data centre"
    assert ended.err.splitlines() == [
        f"The data centre does not have 3 to 4 any more.    {asking}",
        f"The data centre does not have 7 any more.    {asking}",
    ]


async def test_money(fob: FobProgram, meter: FakeMeter) -> None:
    assert (await fob("meter", "refund", "5.50")).err == "Paid back EUR 5.50; EUR 994.50 left.\n"
    assert (await fob("meter", "refill", "1050 cent", "--json")).json["amount"] == 1050
    ended = await fob("meter", "refill", "2,85")
    assert (ended.code, ended.error[:2]) == (
        2, ["'2,85' is no amount", "an amount is written as 2.85 or 285 cent"],
    )  # fmt: skip
    assert (await fob("meter", "take-over")).code == 7


async def test_signing_up_and_on(fob: FobProgram, meter: FakeMeter) -> None:
    meter.stage = "none"
    ended = await fob("meter", "status")
    assert (ended.code, ended.error[1:]) == (7, ["'pixel' has no meter", "fob meter sign-up NAME --origin POSTCODE"])
    ended = await fob("meter", "sign-up", "ada", "--origin", "10115")
    assert (ended.code, ended.error[:2]) == (2, ["which value kind?", "the data centre has eur-cent, pages"])
    arguments = ("--kind", "eur-cent", "--origin", "10115", "--refill-below", "10", "--refill-amount", "50")
    ended = await fob("meter", "sign-up", "ada", *arguments)
    assert ended.err.splitlines()[:2] == [
        "Type a password for 'ada' on the device, twice ...", f"The meter is {SERIAL}.",
    ]  # fmt: skip
    assert meter.joined == [("ada", "eur-cent", 1, 1000, 5000, "10115")]
    assert (await fob("meter", "sign-on", "ada", "--json")).json["serial"] == SERIAL
    ended = await fob("meter", "terms")
    assert ended.out.splitlines()[1].split() == ["eur-cent", "EUR", "5.00", "EUR", "0.00"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("", "--origin", "10115"), "it has to be a name"),
        (("ada", "--origin", ""), "'' has to be 1 to"),
        (("a" * 65, "--origin", "10115"), "it has to be a text of 1 to 64 characters"),
        (("ada", *("--origin", "10115") * 9), "at most 8 places, and these are 9"),
        (("ada", "--origin", "10115", "--kind", "k" * 65), f"it has to be a text of 1 to {ID_LIMIT} characters"),
    ],
)
async def test_names_and_places_are_looked_at_before_a_password_is_asked_for(
    fob: FobProgram, meter: FakeMeter, arguments: tuple[str, ...], why: str
) -> None:
    ended = await fob("meter", "sign-up", *arguments)
    assert (ended.code, why in ended.err, meter.device.asked) == (2, True, [])


async def test_another_mailer_s_meter_is_named_before_it_makes_room(fob: FobProgram, meter: FakeMeter) -> None:
    sign_up = ("meter", "sign-up", "gwen", "--kind", "eur-cent", "--origin", "10115")
    why = f"meter {SERIAL} of ada is on the device, with EUR 1000.00 left, which only ada can use"
    for command in (sign_up, ("meter", "sign-on", "gwen")):
        ended = await fob(*command)
        assert (ended.code, ended.error) == (
            1, ["the meter was not replaced", why, "the same command with --replace"],
        )  # fmt: skip
        assert meter.joined == []
    assert (await fob(*sign_up, "--replace")).code == 0
    assert [values[0] for values in meter.joined] == ["gwen"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("frank",),
        ("frank", *LETTER, "--resume"),
        ("frank", "--batch", "x.csv", "--give-up"),
        ("print", "LAST"),
        ("print", "LAST", "--counter", "1"),
        ("print", "FIRST"),
        ("print", "0"),
        ("refund",),
        ("refund", "1", "--counter", "1"),
        ("status", "--checkpoint", "x"),
        ("sign-up", "ada"),
        ("sign-up", "ada", "--origin", "1", "--refill-below", "1"),
        ("frank", *LETTER, "--skip", "1"),
        ("refill",),
        ("print", "--counter", "9" * 23),
        ("refund", "--counter", "9" * 23),
        ("history", "--after", "9" * 23),
        ("refund", "--counter", "2", "--piece", "257"),
    ],
)
async def test_usage_errors(lonely_fob: FobProgram, arguments: tuple[str, ...]) -> None:
    ended = await lonely_fob("meter", *arguments)
    assert (ended.code, len(ended.error)) == (2, 3)


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--to", "20095!", "--to: it has to be 1 to 16 letters"),
        ("--address", "...", "--address: an address has letters or digits"),
        ("--weight", "heavy", "--weight: it has to be 1 to 1,000,000 grams"),
        ("--class", "Letter", "--class: it has to be small letters"),
        ("--amount", "1", "--weight: a piece has a weight, or an amount"),
    ],
)
async def test_a_letter_that_cannot_be(fob: FobProgram, meter: FakeMeter, option: str, value: str, why: str) -> None:
    ended = await fob("meter", "frank", *LETTER, option, value)
    assert (ended.code, ended.error[0]) == (2, "nothing was franked")
    assert ended.error[1].startswith(why)
    assert meter.device.asked == []


@pytest.mark.clause("M17")
@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--zone", "moon", "20 g, letter, moon: the rates have no price for it"),
        ("--origin", "99999", "--origin: the mailer does not post at 99999; places: 10115, 20095"),
    ],
)
async def test_a_letter_that_would_be_refused_is_refused_as_a_row_is_and_nobody_is_asked(
    fob: FobProgram, meter: FakeMeter, option: str, value: str, why: str
) -> None:
    ended = await fob("meter", "frank", *LETTER, option, value)
    assert (ended.code, ended.error) == (2, ["nothing was franked", why, "fob meter frank --help"])
    assert (meter.questions, meter.paid) == ([], [])
    # It is in nobody's way.
    assert (await fob("meter", "frank", "--resume")).code == 7
    assert (await fob("meter", "frank", *LETTER)).code == 0


async def test_amounts_of_a_file_cost_no_round_trip_each(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    file = tmp_path / "letters.csv"
    file.write_text("to,address,amount\n" + "20095,Erika,0.95\n" * 50)
    ended = await fob("meter", "frank", "--batch", str(file))
    assert (ended.code, meter.device.asked.count("+FOBMETER")) == (0, 1)
    assert "Looking at 50 pieces ..." in ended.err.splitlines()


async def test_what_nothing_weighs(fob: FobProgram, meter: FakeMeter) -> None:
    ended = await fob("meter", "frank", *LETTER[:4], "--amount", "2.85", "--json")
    assert ended.json["labels"][0]["amount"] == 285


async def test_a_device_that_is_away(fob: FobProgram, meter: FakeMeter, daemon: FakeDaemon) -> None:
    meter.device.is_away = True
    daemon.change_device("pixel", DeviceState.AWAY, "out of reach", "go nearer")
    ended = await fob("meter", "refill", "20")
    assert (ended.code, ended.error[2]) == (4, "go nearer")


async def test_fault_and_low_funds_are_found_by_the_doctor(
    fob: FobProgram, meter: FakeMeter, daemon: FakeDaemon
) -> None:
    meter.device.handlers["+FOBCOPIES"] = saying(("postage-rates", "1.0.0", bytes(16), "valid", None, 1, 2))
    await fob("meter", "frank", *LETTER)
    meter.descending, meter.fault = 0, "log-rewritten"
    await fob("meter", "status")
    findings = {one["what"]: one for one in (await fob("doctor", "--json")).json["findings"]}
    assert findings["the data centre is not consistent"]["outcome"] == "fail"
    assert findings["the data centre is not consistent"]["why"] == (
        "'pixel' franks nothing: the data centre's log is not the one it was (log-rewritten)"
    )
    assert findings["a meter has not enough money"]["why"] == (
        f"EUR 0.00 left on {SERIAL}, and the last request cost EUR 0.95"
    )
    assert findings["a ticket is stale"]["next"] == "fob integrity validate postage-rates"
    assert "'pixel' does not believe its data centre: log-rewritten" in (await fob("status")).out
    ended = await fob("meter", "refill", "20")
    assert ended.error[1] == "the data centre's log is not the one it was (log-rewritten)"


@pytest.mark.clause("M29")
async def test_nothing_is_left_on_a_meter_that_pays_per_use_and_nothing_is_wrong(
    fob: FobProgram, meter: FakeMeter
) -> None:
    meter.device.handlers["+FOBCOPIES"] = saying(("postage-rates", "1.0.0", bytes(16), "valid", None, 1, None))
    # As a letter of such a meter is paid: what it costs comes and goes at once.
    meter.payment, meter.descending = Payment.PER_USE, 95
    await fob("meter", "status")
    assert "Franked 1 piece for EUR 0.95; paid per use." in (await fob("meter", "frank", *LETTER)).err.splitlines()
    assert f"'pixel' has meter {SERIAL}: paid per use, EUR 0.95 used for 1 piece" in (await fob("status")).out
    findings = [one for one in (await fob("doctor", "--json")).json["findings"] if "meter" in one["what"]]
    assert [(one["outcome"], one["why"]) for one in findings] == [("ok", f"'pixel' has {SERIAL}, paid per use")]
    # What was given back is there for the next one.
    await fob("meter", "refund", "--counter", "2")
    assert f"'pixel' has meter {SERIAL}: EUR 0.95 left, EUR 0.95 used for 1 piece" in (await fob("status")).out


async def test_the_monitor_tells_of_meters(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    process = await fob.start("monitor")
    while await daemon.followers.get() != 1:
        pass
    daemon.announce(MeterChange("pixel", 12, 9905, "broken-chain"))
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    assert line.partition("  ")[2] == "meter     pixel  counter 12, 9905 left  broken-chain\n"
    process.kill()
    await process.communicate()


async def test_counters_are_completed(fob: FobProgram, meter: FakeMeter) -> None:
    await fob("meter", "frank", *LETTER)
    fob.environment |= {
        "_FOB_COMPLETE": "bash_complete", "COMP_WORDS": "fob meter print --counter ", "COMP_CWORD": "4",
    }  # fmt: skip
    assert (await fob()).out == "plain,2\n"


async def test_an_office_that_is_away(fob: FobProgram, meter: FakeMeter) -> None:
    meter.is_unanswered = True
    ended = await fob("meter", "refill", "20")
    assert ended.error[0] == "nothing was loaded"
    assert ended.error[2].endswith("the same command again; it goes on where it was")
    meter.is_unanswered = False
    assert "Loaded EUR 20.00 (it was begun before);" in (await fob("meter", "refill", "20")).err
    assert len(meter.paid) == len(meter.questions) == 1


async def test_a_phone_without_a_meter(fob: FobProgram, phone: FakePhone, daemon: FakeDaemon) -> None:
    daemon.offices["pixel"].handlers["+FOBMETER"] = refusing(Ckr.FUNCTION_NOT_SUPPORTED)
    ended = await fob("meter", "status")
    assert (ended.code, ended.error[1]) == (1, "'pixel' has no meter (CKR_FUNCTION_NOT_SUPPORTED)")
