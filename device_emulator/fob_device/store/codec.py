"""Attributes as stored octets: canonical, so that a seal can be bound to them.

For each attribute in ascending order of type: type (4 octets), kind (1), length (4), value. Numbers are big-endian;
a CK_ULONG takes 8 octets, a mechanism 4, a boolean 1.
"""

import struct
from functools import lru_cache
from typing import Final

from fob_protocol.pkcs11.attributes import Attributes, AttributeValue, Kind, Template, kind_of
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

_HEADER: Final = struct.Struct(">IBI")
_BOOL, _ULONG, _BYTES, _MECHANISMS = range(4)
_KINDS: Final = {
    Kind.BOOL: _BOOL,
    Kind.ULONG: _ULONG,
    Kind.BYTES: _BYTES,
    Kind.DATE: _BYTES,
    Kind.MECHANISMS: _MECHANISMS,
}
_ULONG_SIZE: Final = 8
_MECHANISM_SIZE: Final = 4
# A use of a key reads its attributes three times, and a session uses a few keys.
_REMEMBERED: Final = 64


def encode_attributes(attributes: Template) -> bytes:
    """The stored form of attributes whose values fit their kinds (types and mechanisms below 2**32)."""
    encoded = bytearray()
    for attribute, value in sorted(attributes.items()):
        kind, octets = _encode_value(value)
        encoded += _HEADER.pack(attribute, kind, len(octets)) + octets
    return bytes(encoded)


def decode_attributes(encoded: bytes) -> Attributes:
    """The attributes that were stored. Raises CkrError DEVICE_ERROR for octets that `encode_attributes` never wrote."""
    return dict(_decoded(encoded))


def _encode_value(value: AttributeValue) -> tuple[int, bytes]:
    match value:
        case bool():
            return _BOOL, bytes([value])
        case int():
            return _ULONG, value.to_bytes(_ULONG_SIZE)
        case bytes():
            return _BYTES, value
        case tuple():
            return _MECHANISMS, b"".join(mechanism.to_bytes(_MECHANISM_SIZE) for mechanism in value)


@lru_cache(maxsize=_REMEMBERED)
def _decoded(encoded: bytes) -> Template:
    attributes: Attributes = {}
    position = 0
    try:
        while position < len(encoded):
            attribute, kind, length = _HEADER.unpack_from(encoded, position)
            position += _HEADER.size
            octets = encoded[position : position + length]
            if len(octets) != length or kind != _KINDS.get(kind_of(attribute)):
                raise ValueError("cut short, or another kind")
            attributes[attribute] = _decode_value(kind, octets)
            position += length
    except (struct.error, ValueError) as error:
        raise CkrError(Ckr.DEVICE_ERROR, f"stored attributes are damaged: {error}") from None
    return attributes


def _decode_value(kind: int, octets: bytes) -> AttributeValue:
    if kind == _BOOL and octets in (b"\0", b"\1"):
        return octets == b"\1"
    if kind == _ULONG and len(octets) == _ULONG_SIZE:
        return int.from_bytes(octets)
    if kind == _BYTES:
        return octets
    if kind == _MECHANISMS and len(octets) % _MECHANISM_SIZE == 0:
        steps = range(0, len(octets), _MECHANISM_SIZE)
        return tuple(int.from_bytes(octets[step : step + _MECHANISM_SIZE]) for step in steps)
    raise ValueError(f"kind {kind} with {len(octets)} octets")
