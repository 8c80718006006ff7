"""Messages: arrays of CBOR with a type for each element, read strictly."""

from typing import Annotated, Any, TypeVar, Union

import msgspec
from msgspec import Meta

from fob_protocol.cose import cbor
from fob_protocol.cose.errors import CborError
from fob_protocol.cose.headers import KEY_ID_SIZE
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.limits import COUNT_LIMIT, TITLE_LIMIT
from fob_protocol.office.patterns import NAME, in_words

MessageT = TypeVar("MessageT", bound="Message")

# 16 octets of randomness.
Nonce = Annotated[bytes, Meta(min_length=16, max_length=16)]
# SHA-256, a secret, or a raw public key.
Octets32 = Annotated[bytes, Meta(min_length=32, max_length=32)]
KeyId = Annotated[bytes, Meta(min_length=KEY_ID_SIZE, max_length=KEY_ID_SIZE)]
# Of the configuration server, in each request and in the manifest that answers it: opaque to the device.
Challenge = Annotated[bytes, Meta(min_length=16, max_length=128)]
# What programs know things by: servers, components, applications, regions.
Name = Annotated[str, Meta(pattern=NAME)]
# What people read.
Title = Annotated[str, Meta(min_length=1, max_length=TITLE_LIMIT)]
# Seconds since 1970.
Time = Annotated[int, Meta(ge=0, le=COUNT_LIMIT)]
Count = Annotated[int, Meta(ge=0, le=COUNT_LIMIT)]
Number = Annotated[int, Meta(ge=0, le=255)]
Version = tuple[Number, Number, Number]


class Message(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A subclass declares the elements; with a `tag` the first one says which message it is."""

    def octets(self) -> bytes:
        """In deterministic CBOR."""
        return cbor.encode(msgspec.to_builtins(self, builtin_types=(bytes,)))


def read(kind: type[MessageT], octets: bytes) -> MessageT:
    """A message of a kind. Raises OfficeError MALFORMED."""
    try:
        message = msgspec.convert(cbor.decode(octets), kind)
    except (CborError, msgspec.ValidationError) as error:
        raise OfficeError(Fault.MALFORMED, in_words(str(error))) from None
    if message.octets() != octets:
        # msgspec takes base64 for octets.
        raise OfficeError(Fault.MALFORMED, "an element of another type")
    return message


def read_one_of(kinds: tuple[type[MessageT], ...], octets: bytes) -> MessageT:
    """A message of one of these kinds, told apart by their first element. Raises OfficeError MALFORMED."""
    union: Any = Union[kinds]  # noqa: UP007 - made of a tuple
    message: MessageT = read(union, octets)
    return message
