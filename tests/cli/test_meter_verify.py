"""`fob meter verify`: labels read back from their pictures, and compared with what was paid."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace
from PIL import Image

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon
from control.fake_phone import FakePhone
from fob_daemon.metering.drawing.layout import Layout
from fob_daemon.metering.drawing.matrix import matrix_of
from fob_daemon.metering.drawing.picture import picture_of
from fob_daemon.metering.drawing.png import code_image, png
from fob_protocol.metering import base45
from fob_protocol.metering.frame import PREFIX
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.values import Indicated
from fob_protocol.office.message import read
from support.fake_device_office import saying
from support.fake_meter import SERIAL, FakeMeter

BATCH = 'to,address,weight\n20095,"Erika 1, Hamburg",20\n80331,"Max 2, Muenchen",400\n'


@pytest.fixture
def meter(daemon: FakeDaemon, phone: FakePhone) -> FakeMeter:
    """The one paired device, 'pixel', with a meter."""
    daemon.offices["pixel"].handlers["+FOBOPTIONS"] = saying(
        ("postage-rates", "1.0.0", 1, "Rates", 4096, None, "+XRATE")
    )
    return FakeMeter(daemon.offices["pixel"]).rich()


async def franked(fob: FobProgram, folder: Path) -> list[str]:
    """The labels of two letters, as pictures."""
    (folder / "letters.csv").write_text(BATCH)
    await fob("meter", "frank", "--batch", str(folder / "letters.csv"), "--output", str(folder), "--format", "png")
    return [str(folder / f"{SERIAL}-000002-0{number}.png") for number in (1, 2)]


async def paid(fob: FobProgram) -> Indicated:
    """The first piece of the last transaction."""
    first = (await fob("--json", "meter", "print", "LAST")).json["labels"][0]
    return Indicated(bytes.fromhex(first["indicium"]), bytes.fromhex(first["token"]))


def drawn(file: Path, indicated: Indicated) -> str:
    """A picture that anybody could make."""
    file.write_bytes(png(picture_of(indicated, Layout(), None)))
    return str(file)


@pytest.mark.clause("M25")
async def test_what_was_printed_is_what_was_paid(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    first, second = await franked(fob, tmp_path)
    asked = len(meter.device.asked)
    ended = await fob("meter", "verify", first, second)
    assert ended.code == 0
    lines = [line.split() for line in ended.out.splitlines()]
    assert [line[3:] for line in lines[1:]] == [
        ["genuine", "2/1", "EUR", "0.95", "2026-11-21", "20095"],
        ["genuine", "2/2", "EUR", "0.95", "2026-11-21", "80331"],
    ]
    # Which meter it has; the transaction is kept here.
    assert meter.device.asked[asked:] == ["+FOBMETER"]


@pytest.mark.clause("M25", "M26")
async def test_what_was_not_paid_is_named(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    await franked(fob, tmp_path)
    own = await paid(fob)
    said = read(Indicium, own.indicium)

    def another(**changed: object) -> Indicated:
        return Indicated(replace(said, **changed).octets(), own.token)

    pictures = {
        "dearer": another(amount=900),
        "elsewhere": another(serial="FM07000000027"),
        "never": another(counter=77),
        "a third": another(piece=2),
        "token": Indicated(own.indicium, bytes(len(own.token))),
    }
    files = [drawn(tmp_path / f"{name}.png", indicated) for name, indicated in pictures.items()]
    ended = await fob("--json", "meter", "verify", *files)
    assert ended.code == 1
    assert [(one["outcome"], one["why"]) for one in ended.json["codes"]] == [
        ("altered", "paid for with another amount"),
        ("unknown-meter", f"'pixel' has meter {SERIAL}"),
        ("forged", "no transaction made it"),
        ("forged", "no transaction made it"),
        ("forged", "its token is another than the one that was paid"),
    ]


@pytest.mark.clause("M26")
async def test_a_code_that_reads_well_and_is_no_indicium_is_forged(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    """As the post calls it."""
    await franked(fob, tmp_path)
    file = tmp_path / "cut.png"
    code_image(matrix_of(PREFIX + base45.encode((await paid(fob)).octets()[:-1])), 4).save(file)
    ended = await fob("--json", "meter", "verify", str(file))
    [found] = ended.json["codes"]
    why = "the code can be read, and what it says is no indicium: no meter made it"
    assert (ended.code, found["outcome"], found["why"]) == (1, "forged", why)


async def test_a_picture_without_an_indicium_and_files_that_are_none(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    empty, words = tmp_path / "empty.jpeg", tmp_path / "words.png"
    Image.new("L", (400, 300), 255).save(empty)
    ended = await fob("--json", "meter", "verify", str(empty))
    assert (ended.code, ended.json["codes"]) == (
        1,
        [{"where": str(empty), "outcome": "damaged", "why": "no indicium is on this picture"}],
    )
    words.write_text("no picture")
    none = tmp_path / "none.png"
    for file, why in ((words, "it is neither PNG nor JPEG"), (none, "No such file or directory")):
        ended = await fob("meter", "verify", str(file))
        assert (ended.code, ended.out) == (1, "")
        assert ended.err.splitlines()[:2] == [f"error: {file} was not read", f"why:   {why}"]


@pytest.mark.clause("M25")
async def test_a_picture_that_cannot_be_read_is_named_and_the_others_are_judged(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    first, second = await franked(fob, tmp_path)
    cut, none = tmp_path / "cut.png", tmp_path / "none.png"
    Image.new("L", (400, 300), 255).save(cut)
    os.truncate(cut, 100)
    ended = await fob("meter", "verify", first, str(cut), second, str(none))
    assert ended.code == 1
    assert [line.split()[3:5] for line in ended.out.splitlines()[1:]] == [["genuine", "2/1"], ["genuine", "2/2"]]
    assert [line for line in ended.err.splitlines() if line.startswith("error:")] == [
        f"error: {cut} was not read",
        f"error: {none} was not read",
    ]
    ended = await fob("--json", "meter", "verify", first, str(cut), second, str(none))
    assert (ended.code, ended.err) == (1, "")
    assert [one["outcome"] for one in ended.json["codes"]] == ["genuine", "genuine"]
    [damaged, missing] = ended.json["unread"]
    assert (damaged["where"], damaged["next"]) == (str(cut), "scan it again as PNG or JPEG, at 300 dpi")
    assert damaged["why"].startswith("the file is damaged or too large")
    assert missing == {"where": str(none), "why": "No such file or directory", "next": f"ls -l {none}"}


async def test_a_picture_with_too_many_pixels_and_a_pipe_are_refused_in_three_lines(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    large, pipe = tmp_path / "large.png", tmp_path / "pipe.png"
    # So many that Pillow warns of them, in its own words.
    Image.new("1", (12_000, 12_000), 1).save(large)
    os.mkfifo(pipe)
    for file, why, command in (
        (large, "12000 x 12000 pixels; at most 50,000,000", "scan it again as PNG or JPEG, at 300 dpi"),
        (pipe, "it is a pipe", "the same command with a file: PNG or JPEG, at 300 dpi"),
    ):
        ended = await fob("meter", "verify", str(file))
        assert ended.code == 1
        assert ended.err.splitlines() == [f"error: {file} was not read", f"why:   {why}", f"try:   {command}"]


async def test_a_script_gives_back_the_piece_that_it_was_told(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    first, second = await franked(fob, tmp_path)
    told = (await fob("--json", "meter", "verify", second)).json["codes"][0]
    label = (await fob("--json", "meter", "print", "LAST")).json["labels"][1]
    assert (told["piece"], label["piece"]) == (2, 2)
    await fob("meter", "refund", "--counter", str(told["counter"]), "--piece", str(told["piece"]))
    outcomes = [one["outcome"] for one in (await fob("--json", "meter", "verify", first, second)).json["codes"]]
    assert outcomes == ["genuine", "refunded"]
