"""`fob-office verify`: pictures as a scanner gives them, what is printed of them, and the exit status (M26, M27)."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from PIL import Image
from structlog.testing import capture_logs

from fob_daemon.metering.drawing.matrix import matrix_of
from fob_daemon.metering.drawing.png import code_image
from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_protocol.cose.cbor import decode, encode
from fob_protocol.metering import base45
from fob_protocol.metering.frame import PREFIX, frame_text
from support.indicia import opened, saved, scanned
from support.post import ADDRESS, PostOffice, page, picture, post_office, rows


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[PostOffice]:
    # The data centre, which runs beside, writes its log elsewhere.
    with capture_logs():
        async with post_office(tmp_path / "o") as made:
            yield made


@pytest.mark.clause("M26")
async def test_a_scanned_piece_is_judged(
    office: PostOffice, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shown,) = await office.franked(95)
    file = tmp_path / "letter.png"
    file.write_bytes(scanned(opened(picture(shown)), turn=4, noise=0.1))
    assert await office.told(str(file), "--address", ADDRESS, "--no-record") == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["where", "at", "outcome", "clause", "serial", "amount", "date", "destination", "why"]
    cells = row.split("  ")
    assert [cell.strip() for cell in cells if cell][2:8] == [
        "genuine", "M26", office.mailer.serial, "EUR 0.95", "20270115", "80331",
    ]  # fmt: skip
    assert await office.told(str(file), "--amount", "0.95", "--no-record") == 0
    assert await office.told(str(file), "--amount", "1.5 kwh", "--no-record") == 1
    assert "the amount on the piece is 1.5 kwh, in the code EUR 0.95" in capsys.readouterr().out
    assert await office.told(str(file), "--json", "--address", "Onkel Paul, Platz 9") == 1
    (found,) = rows(capsys)
    assert found | {"x": 0, "y": 0} == {
        "where": str(file), "x": 0, "y": 0, "outcome": "copied", "clause": "M27",
        "why": "it was made for another addressee", "serial": office.mailer.serial, "counter": 3, "piece": 0,
        "amount": 95, "value_kind": "eur-cent", "date": 20270115, "origin": "10115", "destination": "80331",
        "mail_class": "letter", "ascending": 95, "key_version": 1,
    }  # fmt: skip


@pytest.mark.clause("M27")
async def test_a_page_with_two_pieces_and_a_second_page(
    office: PostOffice, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = await office.franked(95, 60, 70)
    files = [tmp_path / "1.png", tmp_path / "2.png"]
    files[0].write_bytes(page([picture(first), picture(second)]))
    files[1].write_bytes(page([picture(third), picture(first)]))
    assert await office.told(*map(str, files), "--json") == 1
    found = rows(capsys)
    assert [(row["where"], row["amount"], row["outcome"]) for row in found] == [
        (str(files[0]), 95, "genuine"),
        (str(files[0]), 60, "genuine"),
        (str(files[1]), 70, "genuine"),
        (str(files[1]), 95, "reused"),
    ]
    assert found[0]["y"] < found[1]["y"]


@pytest.mark.clause("M27", "M33")
async def test_a_run_that_was_cut_off_is_said_again_by_its_name(
    office: PostOffice, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = await office.franked(95, 60)
    files = [tmp_path / "1.png", tmp_path / "2.png"]
    files[0].write_bytes(picture(first))
    files[1].write_bytes(page([picture(second), picture(first)]))

    async def outcomes(*words: str) -> list[str]:
        await office.told(*words, "--json")
        return [row["outcome"] for row in rows(capsys)]

    # Of the first time only the beginning was done.
    assert await outcomes(str(files[0]), "--run", "monday") == ["genuine"]
    both = [str(file) for file in files]
    for _ in range(2):
        assert await outcomes(*both, "--run", "monday") == ["genuine", "genuine", "reused"]
    # Another picture of the same piece, the same picture twice, and a run of another name are others.
    copy = tmp_path / "copy.png"
    copy.write_bytes(scanned(opened(picture(first)), turn=4, noise=0.1))
    assert await outcomes(str(copy), "--run", "monday") == ["reused"]
    assert await outcomes(str(files[0]), str(files[0]), "--run", "monday") == ["genuine", "reused"]
    assert await outcomes(str(files[0]), "--run", "tuesday") == ["reused"]
    assert await outcomes(str(files[0])) == ["reused"]


@pytest.mark.clause("M26")
async def test_what_a_reader_gave_as_text(office: PostOffice, capsys: pytest.CaptureFixture[str]) -> None:
    shown, other = await office.franked(95, 60)
    forged = replace(other, token=shown.token)
    texts = [frame_text(shown), "FOB1", frame_text(forged), "https://fob.example", frame_text(other)[:-3]]
    assert await office.told(*(word for text in texts for word in ("--text", text)), "--json") == 1
    assert [(row["outcome"], row["serial"] is None, row["why"]) for row in rows(capsys)] == [
        ("genuine", False, "its meter made it, for this piece alone"),
        ("damaged", True, "it is no whole indicium: where a picture of the code says the same, no meter made it"),
        ("forged", False, "its token is another than the one that its meter made"),
        ("damaged", True, "it is no indicium: these begin with FOB1"),
        ("damaged", True, "it is no whole indicium: where a picture of the code says the same, no meter made it"),
    ]


@pytest.mark.clause("M26")
async def test_a_code_that_reads_well_and_is_no_indicium_is_forged(
    office: PostOffice, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In words for a clerk; too little of it is left of none, as its check sums are right."""
    (shown,) = await office.franked(95)
    elements = decode(shown.indicium)
    assert isinstance(elements, list)
    # The number of its key, which is never 0; and a message that ends too early.
    other = replace(shown, indicium=encode([*elements[:-1], 0]))
    for octets in (other.octets(), shown.octets()[:-1]):
        file = tmp_path / "letter.png"
        file.write_bytes(saved(code_image(matrix_of(PREFIX + base45.encode(octets)), 4)))
        assert await office.told(str(file), "--json") == 1
        (found,) = rows(capsys)
        assert (found["outcome"], found["clause"], found["serial"]) == ("forged", "M26", None)
        assert found["why"] == "the code can be read, and what it says is no indicium: no meter made it"


async def test_bad_files_are_told_and_the_others_are_judged(
    office: PostOffice, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shown,) = await office.franked(95)
    good, text, empty, cut = (tmp_path / name for name in ("good.png", "text.png", "empty.png", "cut.png"))
    good.write_bytes(picture(shown))
    text.write_text("no picture")
    empty.write_bytes(b"")
    cut.write_bytes(picture(shown)[:900])
    missing = tmp_path / "missing.png"
    assert await office.told(*map(str, (text, good, empty, cut, missing)), "--json") == 2
    printed = capsys.readouterr()
    genuine, *unread = json.loads(printed.out)
    assert (genuine["outcome"], "next" in genuine) == ("genuine", False)
    # With why, for scripts as for people; and no outcome, as nobody knows of any.
    assert [(row["where"], row["outcome"], row["serial"]) for row in unread] == [
        (str(file), None, None) for file in (text, empty, cut, missing)
    ]
    assert set(unread[0]) == {*genuine, "next"}
    assert [row["next"] for row in unread] == [
        line.removeprefix("try:   ") for line in printed.err.splitlines() if line.startswith("try: ")
    ]
    assert [line for line in printed.err.splitlines() if line.startswith("error: ")] == [
        f"error: {file} was not read" for file in (text, empty, cut, missing)
    ]
    assert len(printed.err.splitlines()) == 12
    assert await office.told(str(missing), "--json") == 2
    assert [row["why"] for row in rows(capsys)] == [f"{missing}: No such file or directory"]


async def test_a_pipe_is_not_waited_for(office: PostOffice, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "pipe.png"
    os.mkfifo(file)
    assert await office.told(str(file)) == 2
    assert capsys.readouterr().err.splitlines()[:2] == [f"error: {file} was not read", "why:   it is a pipe"]


@pytest.mark.clause("M26", "M27")
async def test_a_piece_that_is_overlooked_is_missed_where_somebody_counted(
    office: PostOffice, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = await office.franked(95, 60)
    # Of the other one nothing is left that a reader takes for a code.
    file, text = tmp_path / "page.png", frame_text(second)
    file.write_bytes(page([picture(first), saved(Image.new("L", (300, 300), 255))]))
    assert await office.told(str(file), "--pieces", "2", "--text", text, "--json") == 1
    printed = capsys.readouterr()
    assert printed.out.count("genuine") == 2
    assert printed.err == "1 of 2 pieces found, and none noted as seen: scan them anew, upright and at 300 dpi\n"
    file.write_bytes(page([picture(first), picture(second)]))
    assert await office.told(str(file), "--pieces", "1", "--json") == 1
    assert capsys.readouterr().err == "2 pieces found where 1 ought to be, and none noted as seen\n"
    # So neither was seen before when all is well.
    assert await office.told(str(file), "--pieces", "2", "--json") == 0
    assert [row["outcome"] for row in rows(capsys)] == ["genuine", "genuine"]


async def test_a_picture_without_an_indicium(
    office: PostOffice, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "blank.png"
    file.write_bytes(saved(Image.new("L", (300, 300), 255)))
    assert await office.told(str(file)) == 1
    assert "damaged" in (told := capsys.readouterr().out)
    assert "no indicium is on this picture" in told


async def test_what_cannot_be_found_out_is_no_verdict(office: PostOffice, capsys: pytest.CaptureFixture[str]) -> None:
    (shown,) = await office.franked(95)
    await office.centre.stop("database-1")
    assert await office.told("--text", frame_text(shown)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert [line.partition(":")[0] for line in printed.err.splitlines()] == ["error", "why", "try"]
    await office.centre.start("database-1")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "name a picture, or give --text"),
        (("--text", "FOB1", "--address", " - "), "an address has letters or digits"),
        (("--text", "FOB1", "--destination", ""), "--destination: a postal code has letters or digits"),
        (("--text", "FOB1", "--destination", "-"), "--destination: a postal code has letters or digits"),
        (("--text", "FOB1", "--pieces", "1"), "--pieces counts those in pictures"),
        (("--text", "FOB1", "--run", ""), "--run: a name has to say which run it is, and this one is empty"),
        (("--text", "FOB1", "--run", " "), "--run: a name has to say which run it is, and this one is empty"),
        (("--text", "FOB1", "--amount", "a lot"), "--amount: an amount is a number, with its unit or without"),
        (("--text", "FOB1", "--date", "20270231"), "day is out of range for month"),
        (("--text", "FOB1", "--date", "2027"), "is not in the range"),
        (("--text", "FOB1"), "there is no data centre here"),
    ],
)
def test_bad_options(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], why: str) -> None:
    assert run(["verify", "--state", str(tmp_path), *arguments], Cli()) == 2
    told = capsys.readouterr().err
    assert why in told
    assert [line.partition(":")[0] for line in told.splitlines()] == ["error", "why", "try"]
