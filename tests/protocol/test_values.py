"""Values of commands and answers: V.250 numbers and strings, IEEE 488.2 blocks (docs/protocol.md, 1 and 3.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.at.values import Value, ValueReader, Values, checked, decode_values, encode_value, encode_values
from fob_protocol.errors import AtSyntaxError
from fob_protocol.limits import NUMBER_VALUE_LIMIT, VALUES_LIMIT

VALUE = st.none() | st.integers(0, NUMBER_VALUE_LIMIT) | st.text(max_size=40) | st.binary(max_size=300)


def without_trailing_absent(values: Values) -> Values:
    """What comes back of a list: trailing absent values are not written, an empty list is one absent value."""
    last = max((place for place, value in enumerate(values) if value is not None), default=0)
    return values[: last + 1] or (None,)


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (0, b"0"),
        (18446744073709551615, b"18446744073709551615"),
        (True, b"1"),
        (None, b""),
        ("", b'""'),
        ("phone", b'"phone"'),
        ('a "b" \\', b'"a \\22b\\22 \\5C"'),
        ("é\n", b'"\\C3\\A9\\0A"'),
        (b"", b"#10"),
        (b"abc", b"#13abc"),
        (b"x" * 12, b"#212xxxxxxxxxxxx"),
        (b"\r\n,;\0", b"#15\r\n,;\0"),
    ],
)
def test_a_value_and_its_octets(value: Value, octets: bytes) -> None:
    assert encode_value(value) == octets
    assert decode_values(octets) == (value,)


def test_a_sign_request_reads_as_it_is_written() -> None:
    digest = bytes(range(32))
    assert encode_values((12, None, digest, None, None)) == b"12,,#232" + digest
    assert decode_values(b"12,,#232" + digest) == (12, None, digest)


@given(st.lists(VALUE, max_size=12))
def test_what_is_encoded_decodes_to_the_same_without_trailing_absent_values(values: list[Value]) -> None:
    assert decode_values(encode_values(values)) == without_trailing_absent(tuple(values))


@given(st.binary(max_size=80))
def test_any_octets_are_values_or_a_syntax_error(octets: bytes) -> None:
    try:
        values = decode_values(octets)
    except AtSyntaxError:
        return
    assert decode_values(encode_values(values)) == without_trailing_absent(values)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"-1", "unexpected octet at place 0"),
        (b"1;2", "unexpected octet at place 1"),
        (b"1 ,2", "unexpected octet at place 1"),
        (b"abc", "unexpected octet at place 0"),
        (b"1" * 21, "more than 20 digits"),
        (b"18446744073709551616", "more than 64 bits"),
        (b'"abc', "closing quote"),
        (b'"a\nb"', "control octet"),
        (b'"\xe9"', "control octet"),
        (b'"\\4"', "hexadecimal"),
        (b'"\\zz"', "hexadecimal"),
        (b'"\\C3"', "UTF-8"),
        (b"#", "1 to 5"),
        (b"#0", "1 to 5"),
        (b"#6000001x", "1 to 5"),
        (b"#x", "1 to 5"),
        (b"#3 12", "not a number"),
        (b"#31", "not a number"),
        (b"#15abcd", "longer than its text"),
        (b"#599999", "longer than its text"),
        (b"," * VALUES_LIMIT, f"more than {VALUES_LIMIT} values"),
    ],
)
def test_each_fault_is_named(octets: bytes, why: str) -> None:
    with pytest.raises(AtSyntaxError, match=why):
        decode_values(octets)


def test_the_most_values_that_a_list_may_have() -> None:
    assert len(decode_values(b"," * (VALUES_LIMIT - 1))) == VALUES_LIMIT


def test_a_negative_number_is_never_sent() -> None:
    with pytest.raises(ValueError, match="never negative"):
        encode_value(-1)


def test_blocks_are_refused_where_a_person_types() -> None:
    with pytest.raises(AtSyntaxError, match="data state"):
        ValueReader(b"#13abc", blocks=False).read_list()


def test_checked_pads_what_is_absent() -> None:
    assert checked((1, b"x"), (int, bytes, str)) == (1, b"x", None)


@pytest.mark.parametrize(
    ("values", "why"), [((1, 2), "2 values where 1 are due"), ((b"x",), "a int is due where a bytes")]
)
def test_checked_refuses_too_many_and_the_wrong_kind(values: tuple[Value, ...], why: str) -> None:
    with pytest.raises(AtSyntaxError, match=why):
        checked(values, (int,))
