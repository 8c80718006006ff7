"""Indicia as a meter makes them, and what a printer, an office scanner and a rough day do to them."""

import subprocess
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from fob_daemon.metering.drawing.slogan import Slogan, read_slogan
from fob_protocol.metering.indicium import Indicium, addressee_digest, make_token, sign_token
from fob_protocol.metering.values import Indicated
from fob_protocol.office.patterns import NAME, SERIAL
from support.required import program

TOKEN_KEY: Final = bytes(range(32))
SIGNING_KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
ADDRESS: Final = "Erika Mustermann\nHauptstraße 5\n20095 Hamburg"
SHIPPED: Final = Path(__file__).parents[2] / "back_office" / "fob_office" / "shipped"

_counts = st.integers(0, (1 << 53) - 1)
_places = st.from_regex(r"\A[A-Za-z0-9](?:[A-Za-z0-9 .-]{0,14}[A-Za-z0-9])?\Z")
# Every indicium that there may be.
indicia: Final = st.builds(
    Indicium,
    serial=st.from_regex(SERIAL),
    counter=_counts,
    piece=st.integers(0, 63),
    amount=st.integers(1, 10**12),
    value_kind=st.from_regex(NAME),
    date=st.dates().filter(lambda day: day.year >= 1970).map(lambda day: int(f"{day:%Y%m%d}")),
    origin=_places,
    destination=_places,
    addressee=st.binary(min_size=16, max_size=16),
    mail_class=st.from_regex(NAME),
    ascending=_counts,
    key_version=st.integers(1, 65_535),
)


def an_indicium(counter: int = 42, amount: int = 95) -> Indicium:
    """Of a letter from Berlin to Hamburg."""
    address = addressee_digest(ADDRESS)
    return Indicium(
        "FM-000123", counter, 0, amount, "eur-cent", 20261121, "10115", "20095", address, "letter", 12_345, 1
    )


def indicated(counter: int = 42, amount: int = 95) -> Indicated:
    """With its token."""
    indicium = an_indicium(counter, amount)
    return Indicated(indicium.octets(), make_token(TOKEN_KEY, indicium))


def publicly_indicated(counter: int = 42) -> Indicated:
    """With a token that strangers verify: a code of 48 modules."""
    indicium = an_indicium(counter)
    return Indicated(indicium.octets(), sign_token(SIGNING_KEY, indicium))


def shipped_slogan() -> Slogan:
    """The one that comes with the office."""
    return read_slogan((SHIPPED / "slogan-picture.svg").read_bytes())


def printed(document: bytes, dpi: int, folder: Path) -> list[Image.Image]:
    """A PDF's pages as a printer puts them on paper."""
    file = folder / "labels.pdf"
    file.write_bytes(document)
    subprocess.run(
        [program("pdftoppm"), "-r", str(dpi), "-gray", "-png", file, folder / "page"], check=True, timeout=60
    )
    return [opened(page.read_bytes()) for page in sorted(folder.glob("page*.png"))]


def opened(file: bytes) -> Image.Image:
    """In grey."""
    with Image.open(BytesIO(file)) as image:
        return image.convert("L")


def scanned(image: Image.Image, *, turn: float = 0, scale: float = 1, noise: float = 0, blur: float = 0) -> bytes:
    """A PNG of it, turned by degrees, at a share of its resolution, out of focus, and with a share of seeded noise."""
    image = image.rotate(turn, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BILINEAR)
    if blur:
        image = image.filter(ImageFilter.GaussianBlur(blur))
    if noise:
        octets = Random(7).randbytes(image.width * image.height)
        image = Image.blend(image, Image.frombytes("L", image.size, octets), noise)
    return saved(image)


def saved(image: Image.Image) -> bytes:
    """As PNG."""
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
