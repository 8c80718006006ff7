"""What can be wrong with an object that somebody else made."""

from fob_protocol.errors import ProtocolError


class CborError(ProtocolError):
    """The octets are not one value in deterministic CBOR, of the kinds that are used here."""


class CoseError(ProtocolError):
    """The octets are no COSE object of the expected shape."""


class SignatureError(CoseError):
    """The object is not signed by this key, for this label and context."""


class SealError(CoseError):
    """The object does not open with this key, for this label and context."""
