"""*frame*: an indicium and its token as they stand in the Data Matrix: FOB1 and Base45 (docs/meter-protocol.md, 6)."""

from typing import Final

from fob_protocol.metering import base45
from fob_protocol.metering.base45 import Base45Error
from fob_protocol.metering.indicium import read_indicium
from fob_protocol.metering.limits import INDICIUM_LIMIT, TOKEN_LIMIT
from fob_protocol.metering.values import Indicated
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import read

PREFIX: Final = "FOB1"
# Characters of the longest frame: three for each two octets, and the heads of array, indicium and token.
FRAME_TEXT_LIMIT: Final = len(PREFIX) + 3 * (INDICIUM_LIMIT + TOKEN_LIMIT + 6) // 2


def frame_text(indicated: Indicated) -> str:
    """What the picture holds. Raises OfficeError as `read_frame` does: nothing is drawn that nobody could read."""
    text = PREFIX + base45.encode(indicated.octets())
    read_frame(text)
    return text


def read_frame(text: str) -> Indicated:
    """An indicium and a token; nothing is said of whether they are genuine. Raises OfficeError MALFORMED, TOO_LARGE."""
    if len(text) > FRAME_TEXT_LIMIT:
        raise OfficeError(Fault.TOO_LARGE, f"a frame of {len(text)} characters; at most {FRAME_TEXT_LIMIT}")
    if not text.startswith(PREFIX):
        raise OfficeError(Fault.MALFORMED, f"a frame begins with {PREFIX}")
    try:
        indicated = read(Indicated, base45.decode(text.removeprefix(PREFIX)))
    except Base45Error as error:
        raise OfficeError(Fault.MALFORMED, str(error)) from None
    read_indicium(indicated)
    return indicated
