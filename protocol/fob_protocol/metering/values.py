"""The types that elements of metering messages have."""

from typing import Annotated

from msgspec import Meta

from fob_protocol.metering.limits import (
    AMOUNT_LIMIT,
    INDICIUM_LIMIT,
    LOGIN_NAME_LIMIT,
    POSTCODE_LIMIT,
    RECORD_LIMIT,
    TOKEN_LIMIT,
    TOKEN_SIZE,
)
from fob_protocol.office.message import Count, Message, Name, Nonce
from fob_protocol.office.patterns import SERIAL

# Of a logical meter.
Serial = Annotated[str, Meta(pattern=SERIAL)]
Account = Nonce
# A value kind: what is counted, and in which unit (M32).
ValueKind = Name
Amount = Annotated[int, Meta(ge=0, le=AMOUNT_LIMIT)]
Charge = Annotated[int, Meta(ge=1, le=AMOUNT_LIMIT)]
# Of money that went back.
Signed = Annotated[int, Meta(ge=-AMOUNT_LIMIT, le=AMOUNT_LIMIT)]
LoginName = Annotated[str, Meta(min_length=1, max_length=LOGIN_NAME_LIMIT)]
Postcode = Annotated[str, Meta(min_length=1, max_length=POSTCODE_LIMIT)]
# Year x 12 + month - 1, UTC (M11).
Epoch = Annotated[int, Meta(ge=1970 * 12, le=9999 * 12 + 11)]
KeyVersion = Annotated[int, Meta(ge=1, le=65_535)]
# A token key or user authentication key, under a key of the boxes.
WrappedKey = Annotated[bytes, Meta(max_length=128)]
# A record as it was signed.
Record = Annotated[bytes, Meta(max_length=RECORD_LIMIT)]
IndiciumOctets = Annotated[bytes, Meta(max_length=INDICIUM_LIMIT)]
Token = Annotated[bytes, Meta(min_length=TOKEN_SIZE, max_length=TOKEN_LIMIT)]


class Indicated(Message, frozen=True):
    """An indicium and its token (section 6)."""

    indicium: IndiciumOctets
    token: Token


class Registers(Message, frozen=True):
    """What a meter has counted. The law: ascending + descending = loads (loads and credits, less refunds)."""

    counter: Count
    ascending: Count
    descending: Count
    pieces: Count
    loads: Count
    # Of what was loaded, not yet paid (M29).
    owed: Count

    @property
    def is_lawful(self) -> bool:
        """Whether nothing was made or lost."""
        return self.ascending + self.descending == self.loads and self.owed <= self.loads
