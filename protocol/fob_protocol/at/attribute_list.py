"""Attribute lists and mechanism parameters as AT values (docs/protocol.md, sections 3.1 and 4)."""

import struct
from collections.abc import Sequence

from fob_protocol.at.values import Value, Values, decode_values, encode_values
from fob_protocol.errors import AtSyntaxError
from fob_protocol.pkcs11.attributes import Attributes, AttributeValue, Kind, Template, kind_of
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.mechanisms import (
    Ecdh1Parameters,
    Mechanism,
    OaepParameters,
    Parameters,
    PssParameters,
)


def attributes_to_values(attributes: Template) -> Values:
    """`type,value` pairs in the order given. Raises ValueError for a template attribute, which is not carried."""
    values: list[Value] = []
    for attribute, value in attributes.items():
        values += (attribute, _value_out(attribute, value))
    return tuple(values)


def values_to_attributes(values: Sequence[Value]) -> Attributes:
    """`type,value` pairs back to attributes. Raises AtSyntaxError."""
    if len(values) % 2:
        raise AtSyntaxError("an attribute list has a type without a value")
    attributes: Attributes = {}
    for attribute, value in zip(values[::2], values[1::2], strict=True):
        if not isinstance(attribute, int):
            raise AtSyntaxError("an attribute type is a number")
        if attribute in attributes:
            raise AtSyntaxError(f"attribute {attribute} stands twice")
        attributes[attribute] = _value_in(attribute, value)
    return attributes


def _value_out(attribute: int, value: AttributeValue) -> Value:
    if isinstance(value, tuple):
        return struct.pack(f">{len(value)}I", *value)
    if kind_of(attribute) is Kind.TEMPLATE:
        raise ValueError("a template attribute is not carried")
    return value


def _value_in(attribute: int, value: Value) -> AttributeValue:
    match kind_of(attribute), value:
        case Kind.BOOL, 0 | 1:
            return bool(value)
        case Kind.ULONG, int():
            return value
        case Kind.BYTES | Kind.DATE, bytes():
            return value
        case Kind.MECHANISMS, bytes() if len(value) % 4 == 0:
            return struct.unpack(f">{len(value) // 4}I", value)
    raise AtSyntaxError(f"attribute {attribute} has a value of the wrong kind")


def parameters_to_block(parameters: Parameters) -> bytes | None:
    """A mechanism parameter as the block that commands carry. Raises ValueError for one that only the PC handles."""
    match parameters:
        case None:
            return None
        case PssParameters(hash_mechanism, mgf, salt_length):
            return encode_values((hash_mechanism, mgf, salt_length))
        case OaepParameters(hash_mechanism, mgf, source, source_data):
            return encode_values((hash_mechanism, mgf, source, source_data))
        case Ecdh1Parameters(kdf, shared_data, public_data):
            return encode_values((kdf, shared_data, public_data))
        case _:
            raise ValueError("this mechanism's parameter stays on the PC")


PSS = frozenset(
    {
        Ckm.RSA_PKCS_PSS, Ckm.SHA1_RSA_PKCS_PSS, Ckm.SHA224_RSA_PKCS_PSS, Ckm.SHA256_RSA_PKCS_PSS,
        Ckm.SHA384_RSA_PKCS_PSS, Ckm.SHA512_RSA_PKCS_PSS,
    }
)  # fmt: skip


def block_to_mechanism(mechanism: int, block: bytes | None) -> Mechanism:
    """A mechanism number and its parameter block back to a Mechanism. Raises AtSyntaxError."""
    if block is None:
        return Mechanism(mechanism)
    match mechanism, decode_values(block):
        case _, (int(hash_mechanism), int(mgf), int(salt_length)) if mechanism in PSS:
            return Mechanism(mechanism, PssParameters(hash_mechanism, mgf, salt_length))
        case Ckm.RSA_PKCS_OAEP, (int(hash_mechanism), int(mgf), int(source), bytes(label)):
            return Mechanism(mechanism, OaepParameters(hash_mechanism, mgf, source, label))
        case Ckm.ECDH1_DERIVE, (int(kdf), bytes(shared_data), bytes(public_data)):
            return Mechanism(mechanism, Ecdh1Parameters(kdf, shared_data, public_data))
    raise AtSyntaxError(f"the parameter of mechanism {mechanism} does not fit it")
