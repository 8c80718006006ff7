"""A scanned picture: what is on it is found and named, and no picture costs more than its bound."""

import os
import struct
import zlib
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
import zxingcpp
from PIL import Image, ImageFilter

from fob_daemon.metering.drawing.layout import Layout
from fob_daemon.metering.drawing.matrix import matrix_of
from fob_daemon.metering.drawing.picture import picture_of
from fob_daemon.metering.drawing.png import code_image, png
from fob_protocol.metering import base45, pictures
from fob_protocol.metering.frame import PREFIX, frame_text
from fob_protocol.metering.pictures import (
    CODES_LIMIT,
    FILE_LIMIT,
    PictureError,
    Reading,
    picture_octets,
    read_picture,
)
from support.indicia import indicated, opened, publicly_indicated, saved, scanned

GENUINE = frame_text(indicated())


def code(text: str) -> Image.Image:
    """A Data Matrix of it, four pixels to a module."""
    return code_image(matrix_of(text), 4)


def page(*codes: Image.Image) -> Image.Image:
    """One below the other."""
    paper = Image.new("L", (400, 300 * len(codes)), 255)
    for number, image in enumerate(codes):
        paper.paste(image, (20, 300 * number + 20))
    return paper


def test_everything_on_a_page_is_found_and_named() -> None:
    damaged = code(GENUINE)
    damaged.paste(1, (40, 40, 120, 120))
    malformed = code(PREFIX + base45.encode(indicated().octets()[:-1]))
    paper = page(code(GENUINE), damaged, code("https://fob.example/parcel/00012345"), malformed)
    found = read_picture(saved(paper))
    assert [(one.reading, one.indicated) for one in found] == [
        (Reading.INDICIUM, indicated()),
        (Reading.DAMAGED, None),
        (Reading.FOREIGN, None),
        (Reading.MALFORMED, None),
    ]
    assert [one.why for one in found] == [
        "",
        "too little of the code is left to read it",
        "it does not begin with FOB1",
        "the code can be read, and what it says is no indicium: no meter made it",
    ]
    assert abs(found[0].x - 100) < 5
    assert abs(found[0].y - 100) < 5


def test_a_copy_is_found_as_often_as_it_is_there() -> None:
    other = frame_text(publicly_indicated())
    found = read_picture(saved(page(code(GENUINE), code(other), code(GENUINE))))
    assert [one.indicated for one in found] == [indicated(), publicly_indicated(), indicated()]


def test_a_damaged_code_at_the_edge_of_the_paper_is_named() -> None:
    damaged = code(GENUINE)
    damaged.paste(1, (40, 40, 120, 120))
    assert [one.reading for one in read_picture(saved(damaged))] == [Reading.DAMAGED]


def test_other_kinds_of_codes_are_not_looked_at() -> None:
    other = zxingcpp.create_barcode(GENUINE, zxingcpp.BarcodeFormat.QRCode)
    image = Image.fromarray(other.to_image(scale=4))
    assert read_picture(saved(image)) == []


@pytest.mark.parametrize("quality", [90, 40])
def test_a_photograph_is_read(quality: int) -> None:
    file = BytesIO()
    opened(png(picture_of(indicated(), Layout(), None))).convert("RGB").save(file, "JPEG", quality=quality)
    assert [one.indicated for one in read_picture(file.getvalue())] == [indicated()]


def _cut_out(mode: str) -> Image.Image:
    """A label in black, with nothing behind it."""
    label = opened(png(picture_of(indicated(), Layout(), None))).convert("L")
    ink = Image.new("RGBA", label.size, (0, 0, 0, 0))
    ink.putalpha(label.point(lambda grey: 255 - grey))
    return ink.convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_can_be_seen_through_is_paper(mode: str) -> None:
    assert [one.indicated for one in read_picture(saved(_cut_out(mode)))] == [indicated()]


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_a_colour_that_can_be_seen_through_is_paper(mode: str) -> None:
    """As files without a channel of their own say it: here black is none, and the ink a dark grey."""
    label = code(GENUINE)
    ink = Image.new("L", (label.width + 80, label.height + 80), 0)
    ink.paste(label.convert("L").point(lambda grey: 0 if grey else 64), (40, 40))
    file = BytesIO()
    ink.convert(mode).save(file, "PNG", transparency=(0, 0, 0) if mode == "RGB" else 0)
    assert [one.indicated for one in read_picture(file.getvalue())] == [indicated()]


def test_a_pipe_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "pipe.png")
    for file, why in (
        (tmp_path / "pipe.png", "it is a pipe"),
        (tmp_path / "link.png", "it is a pipe"),
        (Path("/dev/zero"), "it is a device"),
    ):
        with pytest.raises(PictureError, match=f"^{why}$"):
            picture_octets(file)
    with pytest.raises(IsADirectoryError):
        picture_octets(tmp_path)
    with pytest.raises(FileNotFoundError):
        picture_octets(tmp_path / "none.png")
    (tmp_path / "one.png").write_bytes(saved(code(GENUINE)))
    assert picture_octets(tmp_path / "one.png") == saved(code(GENUINE))


def _specks(seed: int) -> Image.Image:
    """Black and white, in spots of a few pixels, as a bad photocopy has them."""
    noise = Image.frombytes("L", (600, 600), Random(seed).randbytes(600 * 600))
    return noise.filter(ImageFilter.GaussianBlur(2)).point(lambda grey: 255 if grey > 127 else 0)


def test_dirt_is_no_code() -> None:
    assert read_picture(scanned(Image.new("L", (600, 600), 255), noise=0.9)) == []
    # In which somebody who looks for a code, and not for its margin, finds half of one.
    assert read_picture(saved(_specks(34))) == []
    assert read_picture(saved(Image.new("L", (1, 1), 255))) == []


def _png_of_size(width: int, height: int) -> bytes:
    """A file that claims so many pixels, and has none."""
    chunks = b""
    for kind, content in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)),
        (b"IDAT", b""),
        (b"IEND", b""),
    ):
        checked = kind + content
        chunks += struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (b"", "neither PNG nor JPEG"),
        (b"GIF89a" + bytes(100), "neither PNG nor JPEG"),
        (b"%PDF-1.4", "neither PNG nor JPEG"),
        (_png_of_size(100, 100), "damaged"),
        (_png_of_size(7072, 7072), "7072 x 7072 pixels"),
        (_png_of_size(12_000, 12_000), "12000 x 12000 pixels"),
        (_png_of_size(20_000, 20_000), "damaged or too large"),
        (_png_of_size(2_000_000_000, 2_000_000_000), "too large|neither"),
        (b"\x89PNG" + bytes(FILE_LIMIT), "octets; at most"),
    ],
    ids=["nothing", "gif", "pdf", "no pixels", "large", "larger", "largest", "bomb", "long"],
)
def test_what_is_no_picture_is_refused(file: bytes, why: str) -> None:
    with pytest.raises(PictureError, match=why) as refused:
        read_picture(file)
    assert refused.value.command == "scan it again as PNG or JPEG, at 300 dpi"


def test_a_file_that_was_cut_short_is_refused() -> None:
    whole = png(picture_of(indicated(), Layout(), None))
    for size in (20, 60, len(whole) // 2):
        with pytest.raises(PictureError, match=r"damaged|neither"):
            read_picture(whole[:size])


def test_a_picture_with_too_many_codes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "CODES_LIMIT", 2)
    with pytest.raises(PictureError, match="3 codes"):
        read_picture(saved(page(*[code(GENUINE)] * 3)))
    assert CODES_LIMIT == 200


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "find_spec", lambda name: None)
    with pytest.raises(PictureError) as refused:
        read_picture(b"")
    said = (refused.value.why, refused.value.command)
    assert said == ("the Python package 'pillow' is not installed", "pip install 'fobd[meter]'")
