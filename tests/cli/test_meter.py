"""`fob meter`: from a letter to its label, batches that are cut, money, and every error in three lines."""

import asyncio
import signal
from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon
from control.fake_phone import PIN, FakePhone
from fob_daemon.control.interface import Ask, DeviceState
from fob_daemon.control.office_reports import MeterChange
from fob_protocol.at.values import Values
from fob_protocol.metering.pictures import read_picture
from fob_protocol.office.limits import ID_LIMIT
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.fake_device_office import refusing, saying
from support.fake_meter import SERIAL, FakeMeter

LETTER = ("--to", "20095", "--address", "Erika 1, Hamburg", "--weight", "20")


def a_batch(path: Path, count: int) -> str:
    """A file with so many letters."""
    lines = [f'20095,"Erika {number}, Hamburg",20' for number in range(count)]
    path.write_text("\n".join(("to,address,weight", *lines)) + "\n")
    return str(path)


def pictures(folder: Path, kind: str) -> list[Path]:
    """What was drawn."""
    return list(folder.glob(f"*.{kind}"))


def codes_on(picture: str) -> int:
    """As the post reads a scan of it."""
    return len(read_picture(Path(picture).read_bytes()))


async def test_a_letter_from_its_address_to_its_picture(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    ended = await fob("meter", "frank", *LETTER, "--output", str(tmp_path / "labels"))
    file = tmp_path / "labels" / f"{SERIAL}-000002-01.svg"
    assert ended.out.splitlines() == [
        "NUMBER  AMOUNT    CLASS   TO     FILE",
        f"2/1     EUR 0.95  letter  20095  {file}",
    ]
    assert ended.err.splitlines() == [
        "Franking 1 piece; look at 'pixel' ...",
        "1 of 1 piece ...",
        "Franked 1 piece for EUR 0.95; EUR 999.05 left.",
    ]
    assert file.read_text().startswith("<svg")
    # Layout and slogan, whose letter it is, and what paid.
    assert meter.device.asked == ["+FOBOPTIONS", "+FOBMETER", "+FOBMETERFRANK", "+FOBMETERTAKEN"]


@pytest.mark.clause("M25")
async def test_a_batch_on_sheets(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    pdf = tmp_path / "labels.pdf"
    ended = await fob(
        "meter", "frank", "--batch", a_batch(tmp_path / "letters.csv", 70), "--pdf", str(pdf), "--skip", "3", "--json"
    )
    assert ended.code == 0
    assert pdf.read_bytes().startswith(b"%PDF")
    found = ended.json
    assert (found["job"], len(found["labels"]), found["meter"]["descending"]) == (1, 70, 100_000 - 70 * 95)
    assert [(one["counter"], one["piece"]) for one in found["labels"][62:66]] == [(2, 63), (2, 64), (3, 1), (3, 2)]
    assert len(meter.paid) == 2


@pytest.mark.clause("M25")
async def test_the_same_sheets_as_pictures(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    await fob("meter", "frank", "--batch", a_batch(tmp_path / "letters.csv", 30))
    folder = tmp_path / "pages"
    ended = await fob("meter", "print", "--pages", str(folder), "--skip", "3", "--dpi", "150", "--json")
    first, second = (str(folder / f"{SERIAL}-000002-01-page-00{number}.png") for number in (1, 2))
    assert [label["file"] for label in ended.json["labels"]] == [first] * 21 + [second] * 9
    assert [codes_on(page) for page in (first, second)] == [21, 9]


@pytest.mark.clause("M36")
async def test_addresses_are_written_out_where_somebody_asks_for_it(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    batch = ("meter", "frank", "--cleanse", "--batch", a_batch(tmp_path / "letters.csv", 25))
    ended = await fob(*batch)
    assert ended.err.splitlines()[:3] == [
        "error: nothing was franked",
        "why:   no component of the device has XADDRESS, so addresses are not written out",
        "try:   the same command without --cleanse",
    ]
    assert meter.paid == []
    meter.device.handlers["+XADDRESS"] = lambda values: (tuple(str(value) + ", DE" for value in values),)
    ended = await fob(*batch)
    lines = ended.err.splitlines()
    assert lines[0] == "Piece 1 has to say: Erika 0, Hamburg, DE"
    assert lines[20:22] == ["and 5 pieces more; --json has all", "Franking 25 pieces; look at 'pixel' ..."]
    ended = await fob("meter", "frank", "--cleanse", *LETTER, "--json")
    assert ended.json["addresses"] == ["Erika 1, Hamburg, DE"]
    assert (await fob("meter", "frank", "--cleanse", "--resume")).code == 2


async def test_what_was_paid_is_drawn_again(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    await fob("meter", "frank", "--batch", a_batch(tmp_path / "letters.csv", 66))
    ended = await fob("meter", "print", "LAST", "--output", str(tmp_path), "--format", "png")
    assert ended.code == 0
    assert len(pictures(tmp_path, "png")) == 66
    assert ended.out.splitlines()[-1] == "and 42 pieces more"
    ended = await fob("meter", "print", "--counter", "3", "--json")
    assert [one["counter"] for one in ended.json["labels"]] == [3, 3]
    assert len(meter.paid) == 2
    ended = await fob("meter", "print", "--counter", "1", "--json")
    assert ended.code == 7


async def test_an_older_batch_is_drawn_by_its_number(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    await fob("meter", "frank", "--batch", a_batch(tmp_path / "letters.csv", 66))
    await fob("meter", "frank", *LETTER)
    ended = await fob("meter", "print", "1", "--json")
    assert [one["counter"] for one in ended.json["labels"]] == [2] * 64 + [3] * 2
    ended = await fob("meter", "print", "9", "--output", str(tmp_path))
    assert (ended.code, ended.error[1:]) == (
        7, ["of a batch 9 nothing is franked, or it is not kept here any more", "fob meter status"],
    )  # fmt: skip


async def test_what_was_given_back_is_not_drawn_again(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    await fob("meter", "frank", "--batch", a_batch(tmp_path / "letters.csv", 3))
    await fob("meter", "refund", "--counter", "2", "--piece", "2")
    ended = await fob("meter", "print", "--output", str(tmp_path))
    assert ended.err == "1 piece is left out: it was given back, and void.\n"
    assert sorted(file.name[-6:] for file in pictures(tmp_path, "svg")) == ["01.svg", "03.svg"]
    for piece in ("1", "3"):
        await fob("meter", "refund", "--counter", "2", "--piece", piece)
    ended = await fob("meter", "print", "--counter", "2", "--output", str(tmp_path))
    assert (ended.code, ended.error) == (
        7, ["nothing was printed", "3 pieces were given back, and are void", "fob meter history"],
    )  # fmt: skip


async def test_ctrl_c_while_labels_are_drawn_says_what_is_paid(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    batch = ("--batch", a_batch(tmp_path / "letters.csv", 200), "--output", str(tmp_path), "--format", "png")
    process = await fob.start("meter", "frank", *batch, "--dpi", "1200")
    assert process.stderr is not None
    async with asyncio.timeout(30):
        while not (await process.stderr.readline()).startswith(b"Franked 200 pieces"):
            pass
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert process.returncode == 130
    assert err.decode().splitlines()[-3:] == [
        "error: the labels were not drawn",
        "why:   by Ctrl-C; 200 pieces are paid and kept",
        "try:   fob meter print LAST --output FOLDER, --pdf FILE or --pages FOLDER",
    ]
    assert 0 <= len(pictures(tmp_path, "png")) < 200


async def test_a_disk_that_is_full_loses_nothing_that_was_paid(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    (tmp_path / f"{SERIAL}-000002-01.svg").mkdir()
    ended = await fob("meter", "frank", *LETTER, "--output", str(tmp_path))
    assert (ended.code, ended.error[0]) == (1, "the labels were not drawn")
    assert ended.error[1].startswith("1 piece is paid and kept;")
    assert ended.error[2] == "fob meter print LAST with another --output, --pdf or --pages"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--output", "/dev/null/labels"),
        ("--pdf", "/nowhere/labels.pdf"),
        ("--pdf", "x.pdf", "--skip", "24"),
        ("--pages", "/dev/null/pages"),
    ],
)
async def test_nothing_is_paid_that_cannot_be_drawn(
    fob: FobProgram, meter: FakeMeter, arguments: tuple[str, ...]
) -> None:
    ended = await fob("meter", "frank", *LETTER, *arguments)
    assert ended.code in (1, 2)
    assert len(ended.error) == 3
    assert meter.paid == []


async def test_a_slogan_that_cannot_be_drawn_is_found_before_anything_is_paid(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    bad = b"<script>1</script>"
    meter.device.handlers["+FOBOPTIONS"] = saying(("slogan-picture", "1.0.0", 2, "A slogan", len(bad), None, None))
    meter.device.handlers["+FOBOPTION"] = saying((len(bad), bad))
    ended = await fob("meter", "frank", *LETTER, "--output", str(tmp_path))
    assert ended.error[:2] == [
        "no label can be drawn",
        "a slogan with <script>; those that are drawn: svg g path circle rect line text",
    ]
    assert meter.paid == []


@pytest.mark.clause("M17")
async def test_a_row_that_would_be_refused_is_named_with_its_line_before_any_is_paid(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    file = tmp_path / "letters.csv"
    rows = [f"20095,Erika {number},20,domestic" for number in range(130)]
    rows[100] = "20095,Erika 100,20,moon"
    file.write_text("\n".join(("to,address,weight,zone", *rows)) + "\n")
    ended = await fob("meter", "frank", "--batch", str(file))
    assert (ended.code, ended.error[:2]) == (
        2,
        [
            "nothing was franked",
            f"{file}: line 102, column 'weight, class, zone': 20 g, letter, moon: the rates have no price for it",
        ],
    )
    assert meter.paid == []
    file.write_text(file.read_text().replace("moon", "domestic"))
    assert (await fob("meter", "frank", "--batch", str(file))).code == 0


async def test_what_is_paid_of_a_batch_that_is_cut_is_drawn(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    meter.descending = 64 * 95
    batch = ("meter", "frank", "--batch", a_batch(tmp_path / "letters.csv", 65), "--output", str(tmp_path))
    ended = await fob(*batch)
    assert "64 pieces are paid and drawn." in ended.err.splitlines()
    assert len(pictures(tmp_path, "svg")) == 64


@pytest.mark.clause("M33")
async def test_a_batch_that_runs_out_of_money_goes_on(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    meter.descending = 64 * 95
    ended = await fob("meter", "frank", "--batch", a_batch(tmp_path / "letters.csv", 65))
    assert (ended.code, ended.error) == (
        1,
        [
            "the batch was not franked to its end",
            "there is not enough postage on the meter (insufficient-funds)",
            "fob meter refill AMOUNT, and then: fob meter frank --resume",
        ],
    )
    assert "1 piece of a batch waits for 'pixel'    try: fob meter frank --resume" in (await fob("status")).out
    ended = await fob("meter", "frank", *LETTER)
    assert ended.error[1:] == [
        "of an earlier batch 64 of 65 pieces are franked and paid",
        "fob meter frank --resume    (or --give-up)",
    ]
    assert (await fob("meter", "refill", "20")).err == ("Loading EUR 20.00 ...\nLoaded EUR 20.00; EUR 20.00 left.\n")
    ended = await fob("meter", "frank", "--resume", "--output", str(tmp_path))
    assert ended.code == 0
    assert len(pictures(tmp_path, "svg")) == 65
    assert (await fob("meter", "frank", "--resume")).code == 7
    assert [amount for _, amount in meter.paid] == [64 * 95, 2000, 95]


async def test_half_a_batch_is_none_to_go_on_with(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    handed = 0

    def written(values: Values) -> tuple[Values, ...]:
        nonlocal handed
        handed += len(values)
        if handed > 256:
            raise CkrError(Ckr.GENERAL_ERROR, "trap")
        return (values,)

    meter.device.handlers["+XADDRESS"] = written
    batch = ("meter", "frank", "--batch", a_batch(tmp_path / "letters.csv", 300))
    assert (await fob(*batch, "--cleanse")).code == 1
    assert (await fob("meter", "frank", "--resume")).code == 7
    assert (await fob(*batch)).code == 0


async def test_a_batch_that_is_given_up(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    meter.descending = 64 * 95
    await fob("meter", "frank", "--batch", a_batch(tmp_path / "letters.csv", 65))
    ended = await fob("meter", "frank", "--give-up")
    assert ended.err == "1 piece is forgotten; 64 pieces are franked and kept.\n"
    assert (await fob("meter", "frank", "--give-up")).code == 7


async def test_a_device_without_a_pad_gives_up_with_its_pin(
    fob: FobProgram, meter: FakeMeter, phone: FakePhone
) -> None:
    meter.is_unanswered = True
    await fob("meter", "frank", *LETTER)
    meter.device.handlers["+FOBMETERRESULT"] = refusing(Ckr.USER_NOT_LOGGED_IN)
    ended = await fob("meter", "frank", "--give-up")
    assert (ended.code, ended.error[0]) == (2, "'pixel' needs its PIN")
    await fob("meter", "frank", "--give-up", "--pin-file", "-", stdin=PIN.decode())
    assert phone.logins == [PIN]


async def test_a_question_on_the_phone_is_told_once(fob: FobProgram, meter: FakeMeter, daemon: FakeDaemon) -> None:
    frank = daemon.meter("pixel").remote.frank

    async def asking(*values: object) -> object:
        daemon.announce(Ask("pixel", "frank 1 letter, EUR 0.95", 28.0, 1))
        return await frank(*values)  # type: ignore[arg-type]

    daemon.meter("pixel").remote.frank = asking  # type: ignore[method-assign,assignment]
    ended = await fob("meter", "frank", *LETTER)
    assert [line for line in ended.err.splitlines() if "phone" in line] == [
        "Look at your phone: frank 1 letter, EUR 0.95 (28 s)"
    ]


async def test_ctrl_c_keeps_the_batch(fob: FobProgram, meter: FakeMeter, daemon: FakeDaemon, tmp_path: Path) -> None:
    frank = daemon.meter("pixel").remote.frank

    async def waiting(*values: object) -> object:
        daemon.announce(Ask("pixel", "frank 1 letter, EUR 0.95, to 20095 for fob on me@pc", 28.0, 1))
        await asyncio.sleep(3600)
        return await frank(*values)  # type: ignore[arg-type]

    daemon.meter("pixel").remote.frank = waiting  # type: ignore[method-assign,assignment]
    process = await fob.start("meter", "frank", *LETTER, "--output", str(tmp_path))
    assert process.stderr is not None
    said = [(await asyncio.wait_for(process.stderr.readline(), 30)).decode() for _ in range(2)]
    assert said[1] == "Look at your phone: frank 1 letter, EUR 0.95, to 20095 for fob on me@pc (28 s)\n"
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert process.returncode == 130
    assert err.decode().splitlines()[-3:] == [
        "error: the batch was not franked to its end",
        "why:   by Ctrl-C; 0 pieces are franked and kept, and nothing is paid twice",
        "try:   fob meter frank --resume",
    ]
    daemon.meter("pixel").remote.frank = frank  # type: ignore[method-assign]
    assert (await fob("meter", "frank", "--resume")).code == 0
    assert len(meter.paid) == 1


async def test_a_no_on_the_phone(fob: FobProgram, meter: FakeMeter) -> None:
    meter.answer = False
    ended = await fob("meter", "frank", *LETTER)
    assert (ended.code, ended.error[1]) == (
        5, "the person said no on the phone (CKR_FUNCTION_REJECTED: refused on the device)"
    )  # fmt: skip
    meter.answer = True
    # What nobody allowed is in nobody's way.
    assert (await fob("meter", "frank", *LETTER)).code == 0
    assert len(meter.paid) == 1


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
