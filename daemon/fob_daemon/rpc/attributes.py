"""Attributes on the wire: templates of requests, and the answer of C_GetAttributeValue (PKCS#11 v2.40 base, 5.7.5).

An attribute is its type (4 bytes), a byte that says whether a value follows, the value's length in C (4 bytes), and the
value in the form of its kind. The length in C must be exact: clients from 0.25 on show surplus bytes to programs.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Final

from fob_daemon.cryptoki.interface import AttributeAnswer
from fob_daemon.rpc.limits import MAX_ATTRIBUTES, MAX_MECHANISMS, MAX_TEMPLATE_DEPTH
from fob_daemon.rpc.wire import NULL_LENGTH, U32, U64, MalformedBodyError, Reader
from fob_protocol.pkcs11.attributes import Attributes, AttributeValue, Kind, kind_of
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

BOOL_LENGTH: Final = 1
ULONG_LENGTH: Final = 8
# CK_DATE; an empty date has length 0.
DATE_LENGTHS: Final = (0, 8)

# CKA_... and how many bytes the caller has room for; 0 asks for the length.
AttributeBuffer = tuple[int, int]

_BOOL = Struct(">IBIB")
_ULONG = Struct(">IBIQ")
_SIZED = Struct(">IBII")
_UNAVAILABLE = Struct(">IB")

# What C_GetAttributeValue returns when attributes failed for different reasons: the first of these that occurred.
_PRECEDENCE = (Ckr.ATTRIBUTE_SENSITIVE, Ckr.ATTRIBUTE_TYPE_INVALID, Ckr.BUFFER_TOO_SMALL)


def wire_kind(attribute: int) -> Kind:
    """The form of a value on the wire; p11-kit counts CKA_DERIVE_TEMPLATE among the templates."""
    return Kind.TEMPLATE if attribute == Cka.DERIVE_TEMPLATE else kind_of(attribute)


def read_template(reader: Reader) -> Attributes:
    """`aA`. Raises CkrError for a value that its type cannot have, or a type that stands there with two values."""
    template: Attributes = {}
    for _ in range(reader.counted(MAX_ATTRIBUTES)):
        attribute = reader.u32()
        value = _read_value(reader, attribute)
        if template.setdefault(attribute, value) != value:
            raise CkrError(Ckr.TEMPLATE_INCONSISTENT, f"attribute {attribute:#x} has two values")
    return template


def _read_value(reader: Reader, attribute: int) -> AttributeValue:
    if not reader.byte():
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, f"attribute {attribute:#x} has no value")
    length = reader.u32()
    value: AttributeValue
    match wire_kind(attribute):
        case Kind.BOOL:
            value, exact = bool(reader.byte()), length == BOOL_LENGTH
        case Kind.ULONG:
            value, exact = reader.ulong(), length == ULONG_LENGTH
        case Kind.MECHANISMS:
            value = reader.ulongs(reader.counted(MAX_MECHANISMS))
            exact = length == ULONG_LENGTH * len(value)
        case Kind.TEMPLATE:
            # No object has one, so there is nothing to look into.
            raise CkrError(Ckr.ATTRIBUTE_TYPE_INVALID, f"attribute {attribute:#x} is a template")
        case kind:
            value = reader.raw_bytes() or b""
            exact = length == len(value) and (kind is not Kind.DATE or length in DATE_LENGTHS)
    if not exact:
        raise CkrError(Ckr.ATTRIBUTE_VALUE_INVALID, f"attribute {attribute:#x} cannot have {length} bytes")
    return value


def read_attribute_buffers(reader: Reader, depth: int = 0) -> list[AttributeBuffer]:
    """`fA`; the buffers within a template's buffer are read over, because no object has a template."""
    if depth > MAX_TEMPLATE_DEPTH:
        raise MalformedBodyError(f"templates are nested deeper than {MAX_TEMPLATE_DEPTH}")
    buffers = []
    for _ in range(reader.counted(MAX_ATTRIBUTES)):
        attribute, room = reader.u32(), reader.u32()
        if room and wire_kind(attribute) is Kind.TEMPLATE:
            read_attribute_buffers(reader, depth + 1)
        buffers.append((attribute, room))
    return buffers


def attribute_answer(buffers: Sequence[AttributeBuffer], answers: Sequence[AttributeAnswer]) -> bytes:
    """`aAu`: every attribute in the order asked for, then the return value for all of them."""
    parts = [U32.pack(len(buffers))]
    failures = set()
    for (attribute, room), answer in zip(buffers, answers, strict=True):
        refusal = answer if isinstance(answer, Ckr) else None
        if refusal is None:
            length, encoded = _encode_value(attribute, answer, with_data=bool(room))
            if not room or length <= room:
                parts.append(encoded)
                continue
            refusal = Ckr.BUFFER_TOO_SMALL
        failures.add(refusal)
        parts.append(_UNAVAILABLE.pack(attribute, 0))
    parts.append(U64.pack(next((ckr for ckr in _PRECEDENCE if ckr in failures), Ckr.OK)))
    return b"".join(parts)


def _encode_value(attribute: int, value: AttributeValue, *, with_data: bool) -> tuple[int, bytes]:
    """The length in C, and the attribute; where only the length is wanted, bytes are left out."""
    match wire_kind(attribute):
        case Kind.BOOL:
            return BOOL_LENGTH, _BOOL.pack(attribute, 1, BOOL_LENGTH, value)
        case Kind.ULONG:
            return ULONG_LENGTH, _ULONG.pack(attribute, 1, ULONG_LENGTH, value)
        case Kind.MECHANISMS if isinstance(value, tuple):
            length = ULONG_LENGTH * len(value)
            return length, _SIZED.pack(attribute, 1, length, len(value)) + b"".join(map(U64.pack, value))
    data = _native_bytes(value)
    if not with_data:
        return len(data), _SIZED.pack(attribute, 1, len(data), NULL_LENGTH)
    return len(data), _SIZED.pack(attribute, 1, len(data), len(data)) + data


def _native_bytes(value: AttributeValue) -> bytes:
    """A value as C has it in memory, for types that p11-kit does not know and copies as they are."""
    match value:
        case bytes():
            return value
        case bool():
            return value.to_bytes(BOOL_LENGTH, "little")
        case int():
            return value.to_bytes(ULONG_LENGTH, "little")
        case _:
            return b"".join(item.to_bytes(ULONG_LENGTH, "little") for item in value)
