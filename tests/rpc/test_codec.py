"""The codec on its own: what is written is read back, and values that cannot be are named."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_daemon.rpc.attributes import attribute_answer, read_attribute_buffers, read_template
from fob_daemon.rpc.mechanisms import WITH_PARAMETERS, WITHOUT_PARAMETERS, read_mechanism
from fob_daemon.rpc.signatures import split_signature
from fob_daemon.rpc.wire import MalformedBodyError, Reader, byte_output, padded, ulong_output
from fob_protocol.pkcs11.attributes import AttributeValue, Kind, kind_of
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import (
    CtrParameters,
    Ecdh1Parameters,
    GcmParameters,
    Mechanism,
    OaepParameters,
    Parameters,
)
from rpc.conversation import NULL, attribute, bytes_attribute, raw, template, u, u32, ulong_attribute

ulongs = st.integers(0, 2**64 - 1)
VALUES: dict[Kind, st.SearchStrategy[AttributeValue]] = {
    Kind.BOOL: st.booleans(),
    Kind.ULONG: ulongs,
    Kind.BYTES: st.binary(max_size=40),
    Kind.DATE: st.sampled_from([b"", b"20260131"]),
    Kind.MECHANISMS: st.lists(ulongs, max_size=5).map(tuple),
}
TYPES = sorted({*Cka, 0x8000_0001} - {Cka.WRAP_TEMPLATE, Cka.UNWRAP_TEMPLATE, Cka.DERIVE_TEMPLATE})


@given(st.data())
def test_a_template_survives_the_journey(data: st.DataObject) -> None:
    """What goes out as an answer with room for everything is, without the return value, a template."""
    chosen = data.draw(st.lists(st.sampled_from(TYPES), unique=True, max_size=8))
    values = {kind: data.draw(VALUES[kind_of(kind)]) for kind in chosen}
    answer = attribute_answer([(kind, 4096) for kind in chosen], list(values.values()))
    reader = Reader(answer)
    assert read_template(reader) == values
    assert reader.ulong() == Ckr.OK
    reader.end()


@pytest.mark.parametrize(
    ("encoded", "ckr"),
    [
        (attribute(Cka.TOKEN, b"\x01", 8), Ckr.ATTRIBUTE_VALUE_INVALID),
        (attribute(Cka.TOKEN, b"\x00", 0), Ckr.ATTRIBUTE_VALUE_INVALID),
        (attribute(Cka.CLASS, u(2), 4), Ckr.ATTRIBUTE_VALUE_INVALID),
        (attribute(Cka.ID, raw(b"id"), 3), Ckr.ATTRIBUTE_VALUE_INVALID),
        (attribute(Cka.ID, NULL, 2), Ckr.ATTRIBUTE_VALUE_INVALID),
        (attribute(Cka.START_DATE, raw(b"2026013"), 7), Ckr.ATTRIBUTE_VALUE_INVALID),
        (attribute(Cka.ALLOWED_MECHANISMS, u32(1) + u(1), 16), Ckr.ATTRIBUTE_VALUE_INVALID),
        (u32(Cka.ID) + b"\x00", Ckr.ATTRIBUTE_VALUE_INVALID),
        (attribute(Cka.WRAP_TEMPLATE, template(), 0), Ckr.ATTRIBUTE_TYPE_INVALID),
        (attribute(Cka.DERIVE_TEMPLATE, template(), 0), Ckr.ATTRIBUTE_TYPE_INVALID),
    ],
)
def test_values_that_their_type_cannot_have(encoded: bytes, ckr: Ckr) -> None:
    with pytest.raises(CkrError) as refusal:
        read_template(Reader(template(encoded)))
    assert refusal.value.ckr is ckr


def test_one_type_with_two_values() -> None:
    same = bytes_attribute(Cka.ID, b"a")
    assert read_template(Reader(template(same, same))) == {Cka.ID: b"a"}
    with pytest.raises(CkrError) as refusal:
        read_template(Reader(template(same, bytes_attribute(Cka.ID, b"b"))))
    assert refusal.value.ckr is Ckr.TEMPLATE_INCONSISTENT


def test_no_reason_shows_a_value() -> None:
    with pytest.raises(CkrError) as refusal:
        read_template(Reader(template(attribute(Cka.VALUE, raw(b"hush"), 5))))
    assert "hush" not in str(refusal.value)


class TestAttributeAnswer:
    """PKCS#11 v2.40 base, 5.7.5: every attribute is answered, and one return value stands for all."""

    def test_an_attribute_that_cannot_be_read_does_not_spoil_the_others(self) -> None:
        asked = [(Cka.VALUE, 9), (Cka.ID, 9), (Cka.TRUSTED, 1)]
        answer = attribute_answer(asked, [Ckr.ATTRIBUTE_SENSITIVE, b"id", Ckr.ATTRIBUTE_TYPE_INVALID])
        assert answer == (
            u32(3) + u32(Cka.VALUE) + b"\x00" + bytes_attribute(Cka.ID, b"id") + u32(Cka.TRUSTED) + b"\x00"
            + u(Ckr.ATTRIBUTE_SENSITIVE)
        )  # fmt: skip

    def test_precedence(self) -> None:
        def rv(*answers: Ckr | bytes) -> int:
            asked = [(Cka.ID, 1)] * len(answers)
            return int.from_bytes(attribute_answer(asked, answers)[-8:], "big")

        assert rv(b"long", Ckr.ATTRIBUTE_TYPE_INVALID, Ckr.ATTRIBUTE_SENSITIVE) == Ckr.ATTRIBUTE_SENSITIVE
        assert rv(b"long", Ckr.ATTRIBUTE_TYPE_INVALID) == Ckr.ATTRIBUTE_TYPE_INVALID
        assert rv(b"long", b"i") == Ckr.BUFFER_TOO_SMALL
        assert rv(b"i") == rv() == Ckr.OK

    @pytest.mark.parametrize(
        ("kind", "value", "encoded"),
        [
            (Cka.TOKEN, True, attribute(Cka.TOKEN, b"\x01", 1)),
            (Cka.CLASS, 3, ulong_attribute(Cka.CLASS, 3)),
            (Cka.LABEL, b"name", attribute(Cka.LABEL, NULL, 4)),
            (Cka.LABEL, b"", attribute(Cka.LABEL, NULL, 0)),
            (Cka.ALLOWED_MECHANISMS, (1, 2), attribute(Cka.ALLOWED_MECHANISMS, u32(2) + u(1) + u(2), 16)),
        ],
    )
    def test_the_length_only(self, kind: int, value: AttributeValue, encoded: bytes) -> None:
        """Bytes stay here; the other kinds are sent, because the client decodes them to learn their length."""
        assert attribute_answer([(kind, 0)], [value]) == u32(1) + encoded + u(Ckr.OK)

    def test_types_that_the_client_does_not_know_are_in_native_order(self) -> None:
        assert attribute_answer([(Cka.DESTROYABLE, 9), (0x8000_0001, 9)], [True, 5]) == (
            u32(2) + bytes_attribute(Cka.DESTROYABLE, b"\x01") + bytes_attribute(0x8000_0001, b"\x05" + b"\x00" * 7)
            + u(Ckr.OK)
        )  # fmt: skip


def nested(depth: int) -> bytes:
    """`fA` with a template in a template in ... `depth` times."""
    inner = u32(0)
    for _ in range(depth):
        inner = u32(1) + u32(Cka.WRAP_TEMPLATE) + u32(24) + inner
    return inner


def test_templates_within_templates_are_read_over() -> None:
    asked = u32(2) + u32(Cka.WRAP_TEMPLATE) + u32(48) + u32(2) + (u32(Cka.ID) + u32(3)) * 2 + u32(Cka.LABEL) + u32(7)
    reader = Reader(asked)
    assert read_attribute_buffers(reader) == [(Cka.WRAP_TEMPLATE, 48), (Cka.LABEL, 7)]
    reader.end()


def test_templates_are_not_nested_for_ever() -> None:
    assert read_attribute_buffers(Reader(nested(8))) == [(Cka.WRAP_TEMPLATE, 24)]
    with pytest.raises(MalformedBodyError):
        read_attribute_buffers(Reader(nested(9)))


@pytest.mark.parametrize(
    ("mechanism", "encoded", "parameters"),
    [
        (Ckm.RSA_PKCS_OAEP, u(0x250) + u(2) + u(1) + raw(b"label"), OaepParameters(0x250, 2, 1, b"label")),
        (Ckm.RSA_PKCS_OAEP, u(0x250) + u(2) + u(0) + NULL, OaepParameters(0x250, 2, 0, b"")),
        (Ckm.ECDH1_DERIVE, u(1) + NULL + raw(b"\x04xy"), Ecdh1Parameters(1, b"", b"\x04xy")),
        (Ckm.AES_GCM, raw(b"i" * 12) + u(0) + NULL + u(128), GcmParameters(b"i" * 12, b"", 128)),
        (Ckm.AES_GCM, raw(b"i" * 12) + u(96) + raw(b"aad") + u(96), GcmParameters(b"i" * 12, b"aad", 96)),
        (Ckm.AES_CTR, u(32) + raw(b"c" * 16), CtrParameters(32, b"c" * 16)),
        (Ckm.AES_CBC_PAD, raw(b"i" * 16), b"i" * 16),
    ],
)
@pytest.mark.parametrize("legacy", [True, False])
def test_parameters(mechanism: Ckm, encoded: bytes, parameters: Parameters, legacy: bool) -> None:
    flag = b"" if legacy else b"\x01"
    reader = Reader(u32(mechanism) + flag + encoded, legacy_mechanisms=legacy)
    assert read_mechanism(reader) == Mechanism(mechanism, parameters)
    reader.end()


def test_no_mechanism_is_in_both_lists() -> None:
    assert not WITHOUT_PARAMETERS & WITH_PARAMETERS.keys()


@given(st.binary(max_size=60), st.booleans())
def test_random_mechanisms_raise_nothing_unexpected(data: bytes, legacy: bool) -> None:
    with contextlib.suppress(CkrError, MalformedBodyError):
        read_mechanism(Reader(data, legacy_mechanisms=legacy))


def test_outputs() -> None:
    assert byte_output(b"ab") == b"\x01" + raw(b"ab")
    assert byte_output(b"") == b"\x01" + raw(b"")
    assert byte_output(64) == b"\x00" + u32(64)
    assert ulong_output([7], 1) == b"\x01" + u32(1) + u(7)
    assert ulong_output([7], None) == ulong_output([7], 0) == b"\x00" + u32(1)
    assert ulong_output([], None) == b"\x01" + u32(0)


@pytest.mark.parametrize(("encoded", "room"), [(0, None), (1, 1), (0xFFFF_FFFE, 0xFFFF_FFFE), (0xFFFF_FFFF, 0)])
def test_capacities(encoded: int, room: int | None) -> None:
    assert Reader(u32(encoded)).capacity() == room


@pytest.mark.parametrize(
    ("encoded", "value"),
    [(b"\x01" + raw(b"ab"), b"ab"), (b"\x01" + raw(b""), b""), (b"\x01" + NULL, None), (b"\x00" + u32(0), None)],
)
def test_byte_arrays(encoded: bytes, value: bytes | None) -> None:
    assert Reader(encoded).byte_array() == value


def test_a_null_pointer_has_no_length() -> None:
    with pytest.raises(MalformedBodyError):
        Reader(b"\x00" + u32(5)).byte_array()


def test_texts_are_cut_between_characters() -> None:
    assert padded("Grüße", 8) == "Grüße".encode() + b" "
    assert padded("ü" * 5, 5) == b"\xc3\xbc\xc3\xbc "


def test_signatures_split_into_types() -> None:
    assert split_signature("uMuayaAfyfuz") == ["u", "M", "u", "ay", "aA", "fy", "fu", "z"]
