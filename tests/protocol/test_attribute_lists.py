"""Attribute lists and mechanism parameters as values (docs/protocol.md, sections 3.1 and 4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.at.attribute_list import (
    attributes_to_values,
    block_to_mechanism,
    parameters_to_block,
    values_to_attributes,
)
from fob_protocol.at.values import Value, encode_values
from fob_protocol.errors import AtSyntaxError
from fob_protocol.pkcs11.attributes import BOOLS, ULONGS, Attributes, AttributeValue
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.mechanisms import (
    Ecdh1Parameters,
    Mechanism,
    OaepParameters,
    Parameters,
    PssParameters,
)

ATTRIBUTE = st.one_of(
    st.tuples(st.sampled_from(sorted(BOOLS)), st.booleans()),
    st.tuples(st.sampled_from(sorted(ULONGS)), st.integers(0, 2**64 - 1)),
    st.tuples(st.sampled_from([Cka.LABEL, Cka.ID, Cka.START_DATE, 0x80000001]), st.binary(max_size=40)),
    st.tuples(st.just(Cka.ALLOWED_MECHANISMS), st.lists(st.integers(0, 2**32 - 1), max_size=4).map(tuple)),
)


def test_a_template_on_the_line() -> None:
    template: Attributes = {Cka.TOKEN: True, Cka.KEY_TYPE: 3, Cka.LABEL: b"ssh", Cka.ALLOWED_MECHANISMS: (Ckm.ECDSA,)}
    assert encode_values(attributes_to_values(template)) == b"1,1,256,3,3,#13ssh,1073743360,#14\x00\x00\x10\x41"


@given(st.lists(ATTRIBUTE, max_size=8, unique_by=lambda pair: pair[0]))
def test_what_is_encoded_decodes_to_the_same(pairs: list[tuple[int, AttributeValue]]) -> None:
    attributes = dict(pairs)
    assert values_to_attributes(attributes_to_values(attributes)) == attributes


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ((Cka.TOKEN,), "without a value"),
        ((b"x", 1), "type is a number"),
        ((None, 1), "type is a number"),
        ((Cka.TOKEN, 1, Cka.TOKEN, 0), "stands twice"),
        ((Cka.TOKEN, 2), "wrong kind"),
        ((Cka.TOKEN, b"\1"), "wrong kind"),
        ((Cka.CLASS, b"\1"), "wrong kind"),
        ((Cka.LABEL, 5), "wrong kind"),
        ((Cka.LABEL, "text"), "wrong kind"),
        ((Cka.LABEL, None), "wrong kind"),
        ((Cka.ALLOWED_MECHANISMS, b"\0\0\0"), "wrong kind"),
        ((Cka.WRAP_TEMPLATE, b""), "wrong kind"),
    ],
)
def test_each_fault_is_named(values: tuple[Value, ...], why: str) -> None:
    with pytest.raises(AtSyntaxError, match=why):
        values_to_attributes(values)


def test_a_template_inside_a_template_is_not_carried() -> None:
    with pytest.raises(ValueError, match="not carried"):
        attributes_to_values({Cka.WRAP_TEMPLATE: b""})


@pytest.mark.parametrize(
    ("mechanism", "parameters", "block"),
    [
        (Ckm.ECDSA, None, None),
        (Ckm.RSA_PKCS_PSS, PssParameters(0x250, 2, 32), b"592,2,32"),
        (Ckm.SHA256_RSA_PKCS_PSS, PssParameters(0x250, 2, 32), b"592,2,32"),
        (Ckm.RSA_PKCS_OAEP, OaepParameters(0x220, 1, 1, b"label"), b"544,1,1,#15label"),
        (Ckm.ECDH1_DERIVE, Ecdh1Parameters(1, b"", b"\4point"), b"1,#10,#16\4point"),
    ],
)
def test_a_mechanism_parameter_and_its_block(mechanism: int, parameters: Parameters, block: bytes | None) -> None:
    assert parameters_to_block(parameters) == block
    assert block_to_mechanism(mechanism, block) == Mechanism(mechanism, parameters)


@pytest.mark.parametrize(
    ("mechanism", "block"),
    [
        (Ckm.ECDSA, b"592,2,32"),
        (Ckm.ECDSA, b""),
        (Ckm.RSA_PKCS_PSS, b"592,2"),
        (Ckm.RSA_PKCS_PSS, b"592,2,#11x"),
        (Ckm.RSA_PKCS_OAEP, b"592,2,32"),
        (Ckm.ECDH1_DERIVE, b"1,,#11x"),
        (Ckm.ECDH1_DERIVE, b"#19"),
    ],
)
def test_a_parameter_that_does_not_fit_its_mechanism_is_refused(mechanism: int, block: bytes) -> None:
    with pytest.raises(AtSyntaxError):
        block_to_mechanism(mechanism, block)
