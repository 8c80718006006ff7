"""What a seal authenticates beside its content."""

from fob_protocol.cose.cbor import encode
from fob_protocol.cose.headers import Context, external
from fob_protocol.cose.labels import Label


def encrypt0_structure(protected: bytes, label: Label, context: Context) -> bytes:
    """Enc_structure (RFC 9052, section 5.3)."""
    return encode(["Encrypt0", protected, external(label, context)])
