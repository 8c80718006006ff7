"""Templates: any template at all ends in an object or in a refusal that names the rule."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fob_device.token.making import Draft, check_pair, draft_object
from fob_device.token.mechanisms import MECHANISMS
from fob_device.token.rules import RULES, Change, Give, Origin
from fob_device.token.template_check import check_change, check_copy, check_new, class_of
from fob_protocol.pkcs11.attributes import SECRET_VALUES, Attributes, AttributeValue, Kind, kind_of
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko
from fob_protocol.pkcs11.errors import CkrError
from support.token_bench import ED25519, P256, refusal_of, refused

TEMPLATE_REFUSALS = {
    Ckr.ATTRIBUTE_TYPE_INVALID,
    Ckr.ATTRIBUTE_VALUE_INVALID,
    Ckr.ATTRIBUTE_READ_ONLY,
    Ckr.TEMPLATE_INCOMPLETE,
    Ckr.TEMPLATE_INCONSISTENT,
    Ckr.CURVE_NOT_SUPPORTED,
}
VALUES: st.SearchStrategy[AttributeValue] = st.one_of(
    st.booleans(),
    st.integers(-1, 1 << 65),
    st.binary(max_size=300),
    st.lists(st.integers(-1, 1 << 33), max_size=70).map(tuple),
    st.sampled_from([P256, ED25519, b"\x04\x41" + bytes(65), bytes(600)]),
)
ANY_TEMPLATE = st.dictionaries(st.one_of(st.sampled_from(list(Cka)), st.integers(0, 1 << 33)), VALUES, max_size=12)
KINDS = st.sampled_from(list(RULES))


def kind_template(kind: tuple[Cko, Ckk | None]) -> Attributes:
    object_class, key_type = kind
    template: Attributes = {Cka.CLASS: object_class}
    return template if key_type is None else template | {Cka.KEY_TYPE: key_type}


@settings(max_examples=300)
@given(kind=KINDS, template=ANY_TEMPLATE)
def test_any_template_gives_an_object_or_names_a_rule(kind: tuple[Cko, Ckk | None], template: Attributes) -> None:
    whole = template | kind_template(kind)
    refusal = refusal_of(draft_object, whole)
    assert refusal is None or refusal in TEMPLATE_REFUSALS
    if refusal is None:
        check_draft(draft_object(whole))


@settings(max_examples=200)
@given(template=ANY_TEMPLATE)
def test_a_template_of_no_known_kind_is_refused(template: Attributes) -> None:
    refusal = refusal_of(draft_object, template)
    assert refusal in TEMPLATE_REFUSALS or template[Cka.CLASS] == Cko.DATA


@settings(max_examples=200)
@given(public=ANY_TEMPLATE, private=ANY_TEMPLATE)
def test_any_pair_of_templates_is_completed_or_refused(public: Attributes, private: Attributes) -> None:
    for mechanism in (Ckm.EC_KEY_PAIR_GEN, Ckm.RSA_PKCS_KEY_PAIR_GEN, Ckm.EC_EDWARDS_KEY_PAIR_GEN):
        entry = MECHANISMS[mechanism]
        refusal = refusal_of(check_pair, mechanism, entry, public, private)
        assert refusal is None or refusal in TEMPLATE_REFUSALS


def check_draft(draft: Draft) -> None:
    """What holds of every object, whatever its template said."""
    attributes = draft.attributes
    rules = RULES[class_of(attributes)]
    missing = {name for name, rule in rules.items() if rule.default is not None} - set(attributes)
    if attributes[Cka.PRIVATE]:
        assert Cka.VALUE not in attributes
        missing.discard(Cka.VALUE)
    assert missing == set()
    if attributes[Cka.CLASS] == Cko.PRIVATE_KEY:
        assert draft.secret is not None
        assert SECRET_VALUES.isdisjoint(attributes)


@given(kind=KINDS, origin=st.sampled_from(Origin))
def test_what_nobody_may_give_is_read_only(kind: tuple[Cko, Ckk | None], origin: Origin) -> None:
    for attribute, rule in RULES[kind].items():
        if rule.give(origin) is Give.NEVER:
            with refused(Ckr.ATTRIBUTE_READ_ONLY):
                check_new(RULES[kind], {attribute: some_value(attribute)}, origin)


@given(kind=KINDS, origin=st.sampled_from(Origin))
def test_what_must_be_given_is_missed(kind: tuple[Cko, Ckk | None], origin: Origin) -> None:
    rules = RULES[kind]
    due = {name: some_value(name) for name, rule in rules.items() if rule.give(origin) is Give.MUST}
    check_new(rules, due, origin)
    for name in due:
        with refused(Ckr.TEMPLATE_INCOMPLETE):
            check_new(rules, {other: value for other, value in due.items() if other != name}, origin)


@given(kind=KINDS, value=VALUES)
def test_a_value_of_another_type_is_never_taken(kind: tuple[Cko, Ckk | None], value: AttributeValue) -> None:
    types = {Kind.BOOL: bool, Kind.ULONG: int, Kind.BYTES: bytes, Kind.DATE: bytes, Kind.MECHANISMS: tuple}
    for attribute in RULES[kind]:
        if type(value) is not types[kind_of(attribute)]:
            with refused(Ckr.ATTRIBUTE_VALUE_INVALID):
                check_change(RULES[kind], {attribute: value})


@given(kind=KINDS)
def test_every_byte_string_has_its_bound(kind: tuple[Cko, Ckk | None]) -> None:
    for attribute, rule in RULES[kind].items():
        if kind_of(attribute) is Kind.BYTES:
            assert 0 < rule.limit <= 32 * 1024
            with refused(Ckr.ATTRIBUTE_VALUE_INVALID):
                check_new(RULES[kind], {attribute: bytes(rule.limit + 1)}, Origin.CREATE)


@pytest.mark.parametrize(
    ("change", "goes", "fails"),
    [(Change.FREE, (True, False), ()), (Change.ONLY_TRUE, (True,), (False,)), (Change.ONLY_FALSE, (False,), (True,))],
)
def test_one_way_switches_go_one_way(change: Change, goes: tuple[bool, ...], fails: tuple[bool, ...]) -> None:
    for rules in RULES.values():
        switches = [name for name, rule in rules.items() if kind_of(name) is Kind.BOOL]
        for name in (name for name in switches if rules[name].change is change):
            for value in goes:
                check_change(rules, {name: value})
            for value in fails:
                with refused(Ckr.ATTRIBUTE_READ_ONLY):
                    check_change(rules, {name: value})
        for name in (name for name in switches if rules[name].change_by_copy() is change):
            for value in goes:
                check_copy(rules, {name: value})


@pytest.mark.parametrize("date", [b"2024022", b"20240230", b"20241301", b"0000 101", b"00000101", b"2024-1-1"])
def test_a_date_is_a_day_of_the_calendar(date: bytes) -> None:
    rules = RULES[Cko.PUBLIC_KEY, Ckk.EC]
    with refused(Ckr.ATTRIBUTE_VALUE_INVALID):
        check_change(rules, {Cka.START_DATE: date})
    for good in (b"", b"20240229", b"99991231"):
        check_change(rules, {Cka.END_DATE: good})


@pytest.mark.parametrize(
    ("template", "ckr"),
    [
        ({}, Ckr.TEMPLATE_INCOMPLETE),
        ({Cka.CLASS: Cko.PRIVATE_KEY}, Ckr.TEMPLATE_INCOMPLETE),
        ({Cka.CLASS: Cko.SECRET_KEY, Cka.VALUE: bytes(16)}, Ckr.ATTRIBUTE_VALUE_INVALID),
        ({Cka.CLASS: True}, Ckr.ATTRIBUTE_VALUE_INVALID),
        ({Cka.CLASS: b"\x00"}, Ckr.ATTRIBUTE_VALUE_INVALID),
        ({Cka.CLASS: Cko.PUBLIC_KEY, Cka.KEY_TYPE: Ckk.DSA}, Ckr.ATTRIBUTE_VALUE_INVALID),
        ({Cka.CLASS: Cko.DATA, Cka.KEY_TYPE: Ckk.RSA}, Ckr.ATTRIBUTE_TYPE_INVALID),
        ({Cka.CLASS: Cko.DATA, Cka.WRAP_TEMPLATE: b""}, Ckr.ATTRIBUTE_TYPE_INVALID),
    ],
)
def test_what_is_not_kept_here(template: Attributes, ckr: Ckr) -> None:
    with refused(ckr):
        draft_object(template)


def test_no_refusal_quotes_a_value() -> None:
    secret = b"\xa5secret-secret-secret-secret-sec"
    template: Attributes = kind_template((Cko.PRIVATE_KEY, Ckk.EC_EDWARDS))
    template |= {Cka.EC_PARAMS: ED25519, Cka.VALUE: secret[1:]}
    wrongs: list[Attributes] = [{}, {Cka.LABEL: secret * 10}, {Cka.CLASS: secret}, {Cka.ID: True}]
    wrongs.append({Cka.EC_PARAMS: secret})
    for wrong in wrongs:
        with pytest.raises(CkrError) as caught:
            draft_object(template | wrong)
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None
    assert "secret" not in repr(Draft({}, secret))


def some_value(attribute: int) -> AttributeValue:
    match kind_of(attribute):
        case Kind.BOOL:
            return False
        case Kind.ULONG:
            return 1
        case Kind.MECHANISMS:
            return ()
        case _:
            return b""
