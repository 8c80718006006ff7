"""*frame*: an indicium and its token as they stand in the Data Matrix: FOB1 and Base45 (docs/meter-protocol.md, 6)."""

from typing import Annotated, Final

from msgspec import Meta

from fob_protocol.metering import base45
from fob_protocol.metering.base45 import Base45Error
from fob_protocol.metering.indicium import SIGNATURE_SIZE, TOKEN_SIZE, Indicium, Token
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import Message, read

PREFIX: Final = "FOB1"
# Octets of the longest indicium; each element's bound adds to it.
INDICIUM_LIMIT: Final = 256
# Characters of the longest frame: three for each two octets, and the heads of array, indicium and token.
FRAME_TEXT_LIMIT: Final = len(PREFIX) + 3 * (INDICIUM_LIMIT + SIGNATURE_SIZE + 6) // 2


class Frame(Message, frozen=True):
    """`indicium` in octets, as its token was made over it."""

    indicium: Annotated[bytes, Meta(min_length=1, max_length=INDICIUM_LIMIT)]
    token: Token

    def content(self) -> Indicium:
        """Raises OfficeError MALFORMED."""
        return read(Indicium, self.indicium)


def frame_text(indicium: Indicium, token: bytes) -> str:
    """What the picture holds. Raises ValueError for a token of another size."""
    if len(token) not in (TOKEN_SIZE, SIGNATURE_SIZE):
        raise ValueError(f"a token of {len(token)} octets")
    return PREFIX + base45.encode(Frame(indicium.octets(), token).octets())


def read_frame(text: str) -> tuple[Indicium, bytes]:
    """Indicium and token; nothing is said of whether they are genuine. Raises OfficeError MALFORMED, TOO_LARGE."""
    if len(text) > FRAME_TEXT_LIMIT:
        raise OfficeError(Fault.TOO_LARGE, f"a frame of {len(text)} characters; at most {FRAME_TEXT_LIMIT}")
    if not text.startswith(PREFIX):
        raise OfficeError(Fault.MALFORMED, f"a frame begins with {PREFIX}")
    try:
        frame = read(Frame, base45.decode(text.removeprefix(PREFIX)))
    except Base45Error as error:
        raise OfficeError(Fault.MALFORMED, str(error)) from None
    if len(frame.token) not in (TOKEN_SIZE, SIGNATURE_SIZE):
        raise OfficeError(Fault.MALFORMED, f"a token of {len(frame.token)} octets")
    return frame.content(), frame.token
