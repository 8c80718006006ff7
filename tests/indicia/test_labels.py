"""Pages of labels, as a printer puts them on paper."""

import subprocess
from pathlib import Path

import pytest

from fob_daemon.metering.drawing.labels import LABELS_LIMIT, pdf_labels, png_labels
from fob_daemon.metering.drawing.layout import Layout
from fob_daemon.metering.drawing.sheets import SHEETS, Sheet
from fob_protocol.metering.pictures import read_picture
from support.indicia import indicated, printed, publicly_indicated, saved, scanned, shipped_slogan
from support.required import program

SLOGAN = shipped_slogan()


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS.keys())
def test_labels_lie_on_their_page_and_apart(sheet: Sheet) -> None:
    corners = [sheet.corner(number) for number in range(sheet.count)]
    width, height = sheet.room
    for x, y in corners:
        assert x >= 0
        assert y >= 0
        assert x + width <= sheet.page[0] + 1e-6
        assert y + height <= sheet.page[1] + 1e-6
    assert len(set(corners)) == sheet.count
    assert sheet.columns == 1 or sheet.pitch[0] >= sheet.label[0]
    assert sheet.rows == 1 or sheet.pitch[1] >= sheet.label[1]


@pytest.mark.clause("M25")
@pytest.mark.parametrize("name", ["one", "a4-3x8", "letter-3x10"])
def test_a_printed_page_is_read_back(name: str, tmp_path: Path) -> None:
    sheet = SHEETS[name]
    batch = [publicly_indicated(0) if number == 0 else indicated(number) for number in range(min(sheet.count, 6))]
    [page] = printed(pdf_labels(batch, sheet, Layout(), SLOGAN), 150, tmp_path)
    found = read_picture(scanned(page, turn=1, noise=0.05))
    # By number: a turned page has its rows no longer in order.
    assert len(found) == len(batch)
    assert {one.indicated for one in found} == set(batch)


@pytest.mark.clause("M26")
@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize("dpi", [72, 300])
def test_a_page_of_larger_codes_is_read_back_whole_from_72_to_300_dpi(name: str, dpi: int, tmp_path: Path) -> None:
    """Looked for at its own scale alone, two of four were overlooked at 72 dpi, and nobody said so."""
    sheet = SHEETS[name]
    batch = [publicly_indicated(number) for number in range(min(sheet.count, 4))]
    [page] = printed(pdf_labels(batch, sheet, Layout(), SLOGAN), dpi, tmp_path)
    assert {one.indicated for one in read_picture(saved(page))} == set(batch)


@pytest.mark.clause("M26")
@pytest.mark.parametrize("name", ["a4-3x8", "letter-3x10"])
def test_a_page_that_lies_askew_is_read_back_whole_at_300_dpi(name: str, tmp_path: Path) -> None:
    batch = [publicly_indicated(number) for number in range(4)]
    [page] = printed(pdf_labels(batch, SHEETS[name], Layout(), SLOGAN), 300, tmp_path)
    found = read_picture(scanned(page, turn=57, noise=0.1, blur=0.8))
    assert {one.indicated for one in found} == set(batch)


@pytest.mark.clause("M25")
def test_a_batch_fills_pages_after_the_labels_that_are_gone(tmp_path: Path) -> None:
    sheet = SHEETS["a4-3x8"]
    batch = [indicated(number) for number in range(26)]
    done: list[int] = []
    document = pdf_labels(batch, sheet, Layout(), SLOGAN, skip=22, progress=done.append)
    assert done == list(range(1, 27))
    pages = printed(document, 150, tmp_path)
    assert len(pages) == 2
    assert [one.indicated for one in read_picture(saved(pages[0]))] == batch[:2]
    assert [one.indicated for one in read_picture(saved(pages[1]))] == batch[2:]
    said = subprocess.run(
        [program("pdftotext"), "-layout", tmp_path / "labels.pdf", "-"], check=True, capture_output=True, text=True
    ).stdout
    assert said.count("EUR 0.95") == said.count("2026-11-21") == said.count("FM-000123") == 26
    assert said.count("from 10115 to 20095") == 26
    assert all(f"no. {number}/1" in said for number in range(26))


@pytest.mark.clause("M25")
def test_pages_as_pictures() -> None:
    sheet = SHEETS["letter-3x10"]
    batch = [indicated(number) for number in range(32)]
    done: list[int] = []
    pages = list(png_labels(batch, sheet, Layout(), None, dpi=150, progress=done.append))
    assert done == list(range(1, 33))
    assert [[one.indicated for one in read_picture(page)] for page in pages] == [batch[:30], batch[30:]]


def test_the_same_batch_is_the_same_file() -> None:
    sheet = SHEETS["a4-3x7"]
    batch = [indicated()]
    first, second = (pdf_labels(batch, sheet, Layout(), SLOGAN) for _ in range(2))
    assert first == second
    # The indicium's date, and no other.
    assert first.count(b"D:2026") == first.count(b"(D:20261121000000Z)") == 1
    assert b"FontFile2" in first
    assert list(png_labels(batch, sheet, Layout(), SLOGAN)) == list(png_labels(batch, sheet, Layout(), SLOGAN))


@pytest.mark.parametrize(
    ("count", "skip", "why"),
    [(0, 0, "0 labels"), (LABELS_LIMIT + 1, 0, "10001 labels"), (1, 24, "it has 24"), (1, -1, "-1")],
)
def test_a_batch_that_no_page_holds_is_refused(count: int, skip: int, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        pdf_labels([indicated()] * count, SHEETS["a4-3x8"], Layout(), None, skip=skip)
    with pytest.raises(ValueError, match=why):
        next(png_labels([indicated()] * count, SHEETS["a4-3x8"], Layout(), None, skip=skip))
