"""What an indicium looks like: everything has a place of its own, and scanners read it from all files."""

import re
import subprocess
import sys
from importlib.util import find_spec
from xml.etree.ElementTree import fromstring

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFont

from fob_daemon.control.errors import ControlError
from fob_daemon.metering.drawing import needed
from fob_daemon.metering.drawing.errors import DrawingError
from fob_daemon.metering.drawing.layout import LAYOUT_LIMIT, PRINTABLE, Layout, Side, read_layout
from fob_daemon.metering.drawing.letters import font_file
from fob_daemon.metering.drawing.picture import MODULE_LEAST, Picture, arranged, picture_of
from fob_daemon.metering.drawing.png import png
from fob_daemon.metering.drawing.shapes import Box, Words
from fob_daemon.metering.drawing.svg import svg
from fob_protocol.metering.indicium import Indicium, make_token
from fob_protocol.metering.pictures import read_picture
from fob_protocol.metering.values import Indicated
from support.boxes_drawn import is_inside, overlap
from support.chromium import chromium, opened_page
from support.indicia import (
    TOKEN_KEY,
    indicated,
    indicia,
    opened,
    publicly_indicated,
    scanned,
    shipped_slogan,
)

SLOGAN = shipped_slogan()
TEXTS = ["letter", "EUR 0.95", "2026-11-21", "from 10115 to 20095", "FM-000123", "no. 42/1"]

layouts = st.builds(
    Layout,
    width=st.floats(60, 300),
    height=st.floats(12, 300),
    code=st.sampled_from(Side),
    slogan=st.floats(0, 0.7),
    title=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=32),
)


def overlapping(boxes: dict[str, Box]) -> list[tuple[str, str]]:
    """Pairs of names whose boxes share a place."""
    names = sorted(boxes)
    return [(one, other) for one in names for other in names if one < other and overlap(boxes[one], boxes[other])]


def frames_in(file: bytes) -> list[Indicated | None]:
    """What a scanner finds."""
    return [found.indicated for found in read_picture(file)]


@given(layouts, st.sampled_from([32, 36, 40, 44, 48, 52, 64, 72]), st.booleans())
def test_no_two_things_share_a_place(layout: Layout, modules: int, has_slogan: bool) -> None:
    try:
        boxes = arranged(layout, modules, has_slogan=has_slogan)
    except DrawingError:
        return
    assert overlapping(boxes) == []
    whole = Box(0, 0, layout.width, layout.height)
    assert all(is_inside(whole, box) for box in boxes.values())
    assert boxes["code"].width >= (modules + 2) * MODULE_LEAST


@given(indicia, layouts)
def test_what_is_written_stays_in_its_box(indicium: Indicium, layout: Layout) -> None:
    try:
        picture = picture_of(Indicated(indicium.octets(), make_token(TOKEN_KEY, indicium)), layout, SLOGAN)
    except DrawingError as error:
        assert re.search(r"needs [0-9.]+ mm", str(error))  # noqa: PT017 - it says how much room it takes
        return
    rows = [name for name in picture.boxes if name not in ("code", "slogan")]
    for shape, name in zip(picture.shapes, rows, strict=False):
        assert is_inside(picture.boxes[name], shape.box)
    assert all(is_inside(picture.boxes["slogan"], shape.box) for shape in picture.shapes[len(rows) :])
    assert is_inside(picture.boxes["code"], picture.code)


@pytest.mark.clause("M25")
def test_people_read_amount_date_origin_serial_and_number() -> None:
    picture = picture_of(indicated(), Layout(), None)
    assert [shape.text for shape in picture.shapes if isinstance(shape, Words)] == TEXTS
    elements = fromstring(svg(picture)).findall("{http://www.w3.org/2000/svg}text")  # noqa: S314 - our own
    assert [element.text for element in elements] == TEXTS
    image = opened(png(picture))
    assert all(_is_inked(image, picture, name) for name in picture.boxes)


def _is_inked(image: Image.Image, picture: Picture, name: str) -> bool:
    """Whether anything is drawn in a box."""
    scale = image.width / picture.width
    box = picture.boxes[name]
    left, top, right, bottom = box.x * scale, box.y * scale, (box.x + box.width) * scale, (box.y + box.height) * scale
    return min(image.crop((left, top, right, bottom)).tobytes()) < 64


def test_a_title_of_the_layout_stands_above() -> None:
    layout = Layout(title="Stadtpost <Köln & Łódź>")
    file = svg(picture_of(indicated(), layout, None))
    assert "Stadtpost &lt;Köln &amp; Łódź&gt;" in file
    assert fromstring(file)[2].text == layout.title  # noqa: S314 - our own


@pytest.mark.clause("M25")
@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("framed", [indicated(), publicly_indicated()], ids=["token", "signature"])
def test_a_scanner_reads_what_was_drawn(framed: Indicated, side: Side) -> None:
    picture = picture_of(framed, Layout(code=side), SLOGAN)
    assert frames_in(png(picture)) == [framed]
    paper = opened(png(picture, 300))
    assert frames_in(scanned(paper, scale=0.5)) == [framed]
    for turn in (90, 180, 270, 7, -33):
        assert frames_in(scanned(paper, turn=turn)) == [framed]
    assert frames_in(scanned(paper, turn=2, noise=0.3)) == [framed]
    assert frames_in(scanned(paper, turn=-1, noise=0.1, blur=1)) == [framed]


async def test_a_browser_shows_what_a_scanner_reads() -> None:
    picture = picture_of(indicated(), Layout(), SLOGAN)
    async with chromium() as browser, opened_page(browser, size=(400, 160), scale=2) as page:
        await page.set_content(f"<body style='margin:20px'>{svg(picture)}")
        shown = await page.screenshot(type="png")
    assert frames_in(shown) == [indicated()]


def test_the_same_indicium_is_the_same_file() -> None:
    files = [
        (svg(picture), png(picture)) for picture in (picture_of(indicated(), Layout(), shipped_slogan()) for _ in "ab")
    ]
    assert files[0] == files[1]


@pytest.mark.parametrize("dpi", [149, 1201])
def test_dots_that_no_printer_has_are_refused(dpi: int) -> None:
    with pytest.raises(ValueError, match="150 to 1200"):
        png(picture_of(indicated(), Layout(), None), dpi)


@pytest.mark.parametrize(
    ("layout", "why"),
    [(Layout(height=14), "too low.*needs 15.6 mm"), (Layout(width=48), "too narrow.*needs")],
)
def test_a_layout_without_room_says_what_it_needs(layout: Layout, why: str) -> None:
    with pytest.raises(DrawingError, match=why):
        picture_of(indicated(), layout, SLOGAN)


def test_a_layout_comes_from_a_component() -> None:
    octets = b'{"width": 70, "height": 30, "code": "left", "slogan": 0, "title": "Stadtpost"}'
    assert read_layout(octets) == Layout(70, 30, Side.LEFT, 0, "Stadtpost")
    assert read_layout(b"{}") == Layout()
    assert read_layout(msgspec.json.encode(Layout())) == Layout()


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"[]",
        b'{"width": 5}',
        b'{"height": 1e9}',
        b'{"width": NaN}',
        b'{"code": "top"}',
        b'{"ink": "red"}',
        b'{"title": "\\u0007"}',
        b'{"title": "\\u4e2d"}',
        b'{"title": "%s"}' % (b"a" * 33),
        b" " * LAYOUT_LIMIT + b"{}",
    ],
)
def test_what_is_no_layout_is_refused(octets: bytes) -> None:
    with pytest.raises(DrawingError, match="layout"):
        read_layout(octets)


def test_there_is_a_letter_for_every_character_that_is_allowed() -> None:
    allowed = [chr(code) for code in range(0x2000) if re.search(PRINTABLE, chr(code))]
    assert len(allowed) > 400
    for is_bold in (False, True):
        letters = ImageFont.truetype(font_file(is_bold=is_bold), 20)
        # What stands where a letter is missing.
        missing = bytes(letters.getmask("\uffff"))
        assert [letter for letter in allowed if bytes(letters.getmask(letter)) == missing] == []


@pytest.mark.parametrize(
    ("module", "package"),
    [("PIL", "pillow"), ("zxingcpp", "zxing-cpp"), ("fpdf", "fpdf2"), ("font_roboto", "font-roboto")],
)
def test_a_missing_package_is_named(module: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    needed.check_packages()
    monkeypatch.setattr(needed, "find_spec", lambda name: None if name == module else find_spec(name))
    with pytest.raises(ControlError) as refused:
        needed.check_packages()
    assert refused.value.what == "no indicium was drawn"
    assert refused.value.why == f"the Python package '{package}' is not installed"
    assert refused.value.next_command == "pip install 'fobd[meter]'"


def test_programs_start_without_what_draws() -> None:
    code = "import sys, fob_daemon.cli.main, fob_daemon.main, fob_office.main\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"PIL", "zxingcpp", "fpdf", "defusedxml", "fontTools"} & set(loaded)
