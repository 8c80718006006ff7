"""Slogans: a plain part of SVG is drawn, the rest is refused by name, and nothing of it is taken as it is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_daemon.metering.drawing.errors import DrawingError
from fob_daemon.metering.drawing.labels import pdf_labels
from fob_daemon.metering.drawing.layout import Layout
from fob_daemon.metering.drawing.paths import FARTHEST, POINTS_LIMIT, outlines_of
from fob_daemon.metering.drawing.picture import picture_of
from fob_daemon.metering.drawing.png import DPI_LEAST, png
from fob_daemon.metering.drawing.shapes import Box, Outline, Words
from fob_daemon.metering.drawing.sheets import SHEETS
from fob_daemon.metering.drawing.slogan import ELEMENTS_LIMIT, SLOGAN_LIMIT, read_slogan
from fob_daemon.metering.drawing.svg import svg
from support.boxes_drawn import is_inside
from support.indicia import indicated, shipped_slogan

PLACE = Box(10, 20, 40, 30)
RED = (138, 28, 43)


def test_the_slogan_of_the_office_is_drawn() -> None:
    slogan = shipped_slogan()
    wave, circle, words = slogan.shapes
    assert isinstance(wave, Outline)
    assert (wave.points[0], wave.points[-1], wave.stroke, wave.fill) == ((8, 44), (134, 44), RED, None)
    assert isinstance(circle, Outline)
    assert isinstance(words, Words)
    assert (words.text, words.ink) == ("Write to somebody today", RED)
    assert all(is_inside(PLACE, shape.box) for shape in slogan.inside(PLACE))


def test_a_whole_picture_and_a_group_hand_down_what_they_say() -> None:
    slogan = read_slogan(
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><g stroke="#fff"><g fill="none" stroke-width="2">'
        b'<line x1="1" y1="2" x2="3" y2="4"/><rect width="5" height="5" fill="black" stroke="none"/></g></g></svg>'
    )
    assert slogan.shapes == (
        Outline(((1, 2), (3, 4)), (255, 255, 255), 2, None),
        Outline(((0, 0), (5, 0), (5, 5), (0, 5), (0, 0)), None, 2, (0, 0, 0)),
    )


@pytest.mark.parametrize(
    ("data", "points"),
    [
        ("M1 2L3 4", [((1, 2), (3, 4))]),
        ("m1,2 2,2 2-2", [((1, 2), (3, 4), (5, 2))]),
        ("M1 1H5V5h-4z", [((1, 1), (5, 1), (5, 5), (1, 5), (1, 1))]),
        ("M0 0L1 1M5 5l.5.5", [((0, 0), (1, 1)), ((5, 5), (5.5, 5.5))]),
        ("M7 7", []),
    ],
)
def test_paths_of_lines(data: str, points: list[tuple[tuple[float, float], ...]]) -> None:
    assert outlines_of(data) == points


@pytest.mark.parametrize("data", ["M0 0C0 10 10 10 10 0", "M0 0Q5 10 10 0", "M0 0S10 10 10 0"])
def test_curves_go_from_end_to_end(data: str) -> None:
    [points] = outlines_of(data)
    assert (points[0], points[-1]) == ((0, 0), (10, 0))
    assert max(y for _, y in points) > 3


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("L1 1", "begins with M"),
        ("1 1", "path of a slogan with '1'"),
        ("M0 0A1 1 0 0 0 5 5", "with 'A'"),
        ("M0", "needs 2 numbers"),
        ("M0 0L1", "needs 2 numbers"),
        ("M0 0C1 1 2 L", "needs 6 numbers"),
        ("M0 0 Z 5", "path of a slogan with '5'"),
        ("M0 0L\u0661 1", "path of a slogan with"),
        ("M0 0L1e9 1", "needs|with|leaves"),
        ("M0 0L99999 1", "leaves the picture"),
        ("M0 0" + "h1" * POINTS_LIMIT, "too long"),
    ],
)
def test_paths_that_are_not_drawn_are_refused(data: str, why: str) -> None:
    with pytest.raises(DrawingError, match=why):
        outlines_of(data)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "nothing to see"),
        (b"<g/>", "nothing to see"),
        (b'<line x1="1" x2="1" stroke="none"/>', "nothing to see"),
        (b"<g>", "no slogan"),
        (b"\xff", "no slogan"),
        (b"<script>alert(1)</script>", "<script>"),
        (b'<image href="file:///etc/passwd"/>', "<image>"),
        (b'<g onload="alert(1)"/>', "<g> with onload"),
        (b'<g transform="scale(2)"/>', "<g> with transform"),
        (b'<text href="x">a</text>', "<text> with href"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><text>&b;</text>', "no slogan"),
        (b"<text>&b;</text>", "no slogan"),
        (b"<text></text>", "1 to 64 letters"),
        (b"<text>%s</text>" % (b"a" * 65), "1 to 64 letters"),
        ("<text>\u4e2d</text>".encode(), "1 to 64 letters"),
        (b'<rect width="x" height="1"/>', "width is no number"),
        (b'<rect width="nan" height="1"/>', "width leaves"),
        (b'<rect width="1e5" height="1"/>', "width leaves"),
        (b'<rect width="1" height="1" fill="url(#a)"/>', "colour"),
        (b'<rect width="1" height="1" fill="#12"/>', "colour"),
        (b'<text font-size="0">a</text><rect width="9" height="9"/>', "font-size is more than 0"),
        (b'<text font-size="-5">a</text><rect width="9" height="9"/>', "font-size is more than 0"),
        (b'<g font-size="-5"><text>a</text></g>', "font-size is more than 0"),
        (b'<text font-size="1e-300">a</text><rect width="9" height="9"/>', "text is too small"),
        (b'<text font-size="9">a</text><rect width="9" height="10000"/>', "text is too small"),
        ("<text>\u00ad</text><rect width='9' height='9'/>".encode(), "text is too small"),
        (b'<rect width="9" height="9" stroke="black" stroke-width="-1"/>', "stroke-width is 0 or more"),
        (b'<circle r="5e-324"/>', "nothing to see"),
        (b"<g>" * 9 + b"</g>" * 9, "8 levels"),
        (b"<g/>" * ELEMENTS_LIMIT, f"more than {ELEMENTS_LIMIT} elements"),
        (b" " * (SLOGAN_LIMIT + 1), "16385 octets"),
    ],
)
def test_what_is_not_drawn_is_refused_by_name(octets: bytes, why: str) -> None:
    with pytest.raises(DrawingError, match=why):
        read_slogan(octets)


@given(st.text("MLHVCSQZmlhvcsqz0123456789.,- ", max_size=40))
def test_path_data_is_drawn_or_refused(data: str) -> None:
    try:
        outlines = outlines_of(data)
    except DrawingError:
        return
    assert all(len(points) > 1 for points in outlines)


_numbers = st.sampled_from(["0", "-5", "5e-324", "1e-300", "0.001", "1", "16", "10000", "-10000"]) | st.floats(
    -FARTHEST, FARTHEST
).map(str)
_styles = {
    "stroke": st.sampled_from(["none", "#123"]),
    "fill": st.sampled_from(["none", "#fff"]),
    "stroke-width": _numbers,
    "font-size": _numbers,
    "text-anchor": st.sampled_from(["middle", "end"]),
}


def _elements(kind: str, *own: str, text: str = "") -> st.SearchStrategy[str]:
    """Each attribute is there or not."""
    attributes = st.fixed_dictionaries({}, optional={**dict.fromkeys(own, _numbers), **_styles})

    def element(given: dict[str, str]) -> str:
        written = " ".join(f'{name}="{value}"' for name, value in given.items())
        return f"<{kind} {written}>{text}</{kind}>"

    return attributes.map(element)


_slogans = st.lists(
    _elements("rect", "x", "y", "width", "height")
    | _elements("circle", "cx", "cy", "r")
    | _elements("line", "x1", "y1", "x2", "y2")
    | _elements("text", "x", "y", text="Hi\u00ad.")
    | _elements("text", "x", "y", text="\u00ad")
    | st.text("LHVCSQZ0123456789.- ", max_size=20).map(lambda data: f'<path d="M0 0{data}" stroke="#000"/>'),
    min_size=1,
    max_size=3,
).map("".join)


@given(_slogans)
def test_what_is_taken_is_drawn_in_every_way(elements: str) -> None:
    try:
        slogan = read_slogan(elements.encode())
    except DrawingError:
        return
    letter = indicated()
    picture = picture_of(letter, Layout(), slogan)
    assert not {"nan", "inf"} & set(re.findall("[a-z]+", svg(picture)))
    png(picture, DPI_LEAST)
    pdf_labels([letter], SHEETS["one"], Layout(), slogan)


def test_without_room_there_is_no_slogan() -> None:
    narrow = picture_of(indicated(), Layout(width=60, height=28), shipped_slogan())
    assert "slogan" not in narrow.boxes
    assert len(narrow.shapes) == 6
