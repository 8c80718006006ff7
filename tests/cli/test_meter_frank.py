"""`fob meter frank`: from letters to their labels, batches that are cut, and what was paid drawn again."""

import asyncio
import signal
from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from cli.letters import LETTER, a_batch, codes_on, pictures
from control.fake_daemon import FakeDaemon
from control.fake_phone import PIN, FakePhone
from fob_daemon.control.interface import Ask
from fob_protocol.at.values import Values
from fob_protocol.metering.transaction import unverified_transaction
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.fake_device_office import refusing, saying
from support.fake_meter import SERIAL, FakeMeter


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


@pytest.mark.clause("M32")
async def test_an_amount_for_a_meter_of_which_the_device_has_not_heard_what_it_counts(
    fob: FobProgram, meter: FakeMeter
) -> None:
    meter.kind = ""
    why = "the meter counts units: an amount is written as 285"
    ended = await fob("meter", "frank", "--to", "20095", "--address", "Erika", "--amount", "EUR 2.85")
    assert (ended.code, ended.error[1]) == (2, f"--amount: {why}")
    ended = await fob("meter", "refill", "EUR 2.85")
    assert (ended.code, ended.error[1]) == (2, why)


@pytest.mark.clause("M32")
async def test_what_is_no_postage_is_said_and_drawn_as_what_it_is(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    slogan = b"<text>Write to somebody today</text>"
    meter.device.handlers["+FOBOPTIONS"] = saying(("slogan-picture", "1.0.0", 2, "A slogan", len(slogan), None, None))
    meter.device.handlers["+FOBOPTION"] = saying((len(slogan), slogan))
    meter.kind = "kwh-milli"
    ended = await fob("meter", "frank", "--amount", "1.5", "--address", "Meter 7")
    assert (ended.code, ended.error[1]) == (2, "--to: it is missing")
    energy = ("meter", "frank", "--to", "1", "--address", "Meter 7", "--amount", "1.5")
    ended = await fob(*energy, "--output", str(tmp_path))
    assert "Franked 1 piece for 1.500 kwh; 98.500 kwh left." in ended.err.splitlines()
    assert ended.out.splitlines()[1].split()[:5] == ["2/1", "1.500", "kwh", "piece", "1"]
    [label] = pictures(tmp_path, "svg")
    assert [words in label.read_text() for words in ("1.500 kwh", "piece", "letter", "Write to")] == [
        True, True, False, False,
    ]  # fmt: skip
    meter.descending = 1000
    ended = await fob(*energy)
    assert ended.error[1] == "there is not enough left on the meter (insufficient-funds)"
    # Of money it is a letter, with the slogan.
    meter.kind = "eur-cent"
    meter.rich()
    await fob("meter", "frank", *LETTER, "--output", str(tmp_path / "letter"))
    [label] = pictures(tmp_path / "letter", "svg")
    assert [words in label.read_text() for words in ("EUR 0.95", "letter", "Write to")] == [True, True, True]


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
        7,
        [
            "nothing was printed",
            "3 pieces were given back, and are void",
            "fob meter print BATCH, with the number of another batch (fob meter status)",
        ],
    )


@pytest.mark.clause("M29")
async def test_what_was_given_back_after_it_is_not_the_last_batch(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    await fob("meter", "frank", "--batch", a_batch(tmp_path / "letters.csv", 9))
    await fob("meter", "frank", *LETTER)
    # Of an older batch: the letter is the last that was franked, and none of it was given back.
    await fob("meter", "refund", "--counter", "2", "--piece", "9")
    await fob("meter", "refill", "20")
    ended = await fob("meter", "print", "--json")
    assert [(one["counter"], one["piece"]) for one in ended.json["labels"]] == [(3, 1)]
    # The credit has an indicium, and franked nothing.
    ended = await fob("meter", "print", "--counter", "4", "--output", str(tmp_path))
    assert (ended.code, ended.error[1]) == (7, f"transaction 4 franked nothing, or is not meter {SERIAL}'s")


async def test_a_credit_that_was_taken_over_is_not_the_last_batch(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    await fob("meter", "frank", "--batch", a_batch(tmp_path / "letters.csv", 2))
    unused = unverified_transaction(meter.records[-1]).indicia[1]
    # Another computer's: its result is still on the device.
    meter.device.handlers["+FOBMETERREFUND"]((bytes(16), None, unused.indicium, unused.token))
    assert (await fob("meter", "take-over")).code == 0
    ended = await fob("meter", "print", "--json")
    assert [(one["counter"], one["piece"]) for one in ended.json["labels"]] == [(2, 1), (2, 2)]


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
            "there is not enough left on the meter (insufficient-funds)",
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
