"""Deterministic CBOR: every value has one encoding, and nothing else is read."""

import random

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.cose.cbor import DEPTH_LIMIT, Value, decode, decode_tagged, encode, encode_tagged
from fob_protocol.cose.errors import CborError

# RFC 8949, appendix A: those of the kinds in use.
EXAMPLES: list[tuple[Value, str]] = [
    (0, "00"), (1, "01"), (10, "0a"), (23, "17"), (24, "1818"), (25, "1819"), (100, "1864"), (1000, "1903e8"),
    (1000000, "1a000f4240"), (1000000000000, "1b000000e8d4a51000"), (18446744073709551615, "1bffffffffffffffff"),
    (-18446744073709551616, "3bffffffffffffffff"), (-1, "20"), (-10, "29"), (-100, "3863"), (-1000, "3903e7"),
    (False, "f4"), (True, "f5"), (None, "f6"), (b"", "40"), (bytes.fromhex("01020304"), "4401020304"),
    ("", "60"), ("a", "6161"), ("IETF", "6449455446"), ('"\\', "62225c"), ("\u00fc", "62c3bc"), ("\u6c34", "63e6b0b4"),
    ("\U00010151", "64f0908591"), ([], "80"), ([1, 2, 3], "83010203"), ([1, [2, 3], [4, 5]], "8301820203820405"),
    (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
    ({}, "a0"), ({1: 2, 3: 4}, "a201020304"), ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    (["a", {"b": "c"}], "826161a161626163"),
]  # fmt: skip

# What RFC 8949 allows and this encoding does not, and what nobody allows.
REFUSED = [
    ("", "cut short"),
    ("18", "cut short"),
    ("1817", "shortest"),
    ("1900ff", "shortest"),
    ("1a0000ffff", "shortest"),
    ("1b00000000ffffffff", "shortest"),
    ("3817", "shortest"),
    ("5801", "shortest"),
    ("1c", "not definite"),
    ("5f41 01ff", "not definite"),
    ("9f01ff", "not definite"),
    ("bf0101ff", "not definite"),
    ("ff", "not definite"),
    ("41", "cut short"),
    ("5b7fffffffffffffff", "cut short"),
    ("9b7fffffffffffffff", "cut short"),
    ("bb7fffffffffffffff", "cut short"),
    ("61ff", "UTF-8"),
    ("62eda0", "UTF-8"),
    ("a202000100", "out of order"),
    ("a201000100", "out of order"),
    ("a1f500", "neither a number"),
    ("a14100 00".replace(" ", ""), "neither a number"),
    ("a18000", "more than|neither a number"),
    ("c001", "a tag"),
    ("d81c8100", "a tag"),
    ("c24101", "a tag"),
    ("f7", "float"),
    ("e0", "float"),
    ("f8ff", "float"),
    ("f93c00", "float"),
    ("fa47c35000", "float"),
    ("fb3ff199999999999a", "float"),
    ("0000", "1 octets behind"),
    ("80f6", "1 octets behind"),
]


@pytest.mark.parametrize(("value", "octets"), EXAMPLES)
def test_the_examples_of_rfc_8949(value: Value, octets: str) -> None:
    assert encode(value) == bytes.fromhex(octets)
    assert decode(bytes.fromhex(octets)) == value


@pytest.mark.parametrize(("octets", "why"), REFUSED)
def test_what_is_refused(octets: str, why: str) -> None:
    with pytest.raises(CborError, match=why):
        decode(bytes.fromhex(octets))


def test_levels_are_bounded() -> None:
    assert decode(b"\x81" * DEPTH_LIMIT + b"\x00") is not None
    with pytest.raises(CborError, match="more than 8 levels"):
        decode(b"\x81" * (DEPTH_LIMIT + 1) + b"\x00")
    with pytest.raises(CborError, match="more than 8 levels"):
        decode(b"\x81" * 100_000)


def test_a_short_text_makes_no_long_list() -> None:
    with pytest.raises(CborError, match="cut short"):
        decode(b"\x9a\x00\xff\xff\xff" + bytes(1000))


def test_one_tag_outermost() -> None:
    assert decode_tagged(18, encode_tagged(18, [1])) == [1]
    for other in (encode_tagged(17, [1]), encode([1]), encode_tagged(18, [1]) + b"\x00", b"\xd8\x12\x81\x01"):
        with pytest.raises(CborError):
            decode_tagged(18, other)


@pytest.mark.parametrize("value", [1.5, {1, 2}, object()])
def test_what_is_never_said(value: object) -> None:
    with pytest.raises(TypeError, match="no CBOR for"):
        encode(value)  # type: ignore[arg-type]  # that is the question


def test_numbers_have_64_bits() -> None:
    for number in (1 << 64, -1 - (1 << 64)):
        with pytest.raises(OverflowError, match="64 bits"):
            encode(number)


SCALARS = st.none() | st.booleans() | st.integers(-(1 << 64), (1 << 64) - 1) | st.binary(max_size=300) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.integers(-(1 << 64), (1 << 64) - 1) | st.text(max_size=9), inner, max_size=5)
    ),
    max_leaves=12,
).filter(lambda value: _levels(value) <= DEPTH_LIMIT)


def _levels(value: Value) -> int:
    if isinstance(value, list):
        return 1 + max(map(_levels, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(_levels, value.values()), default=0)
    return 0


@given(VALUES)
def test_another_library_reads_and_writes_the_same(value: Value) -> None:
    octets = encode(value)
    assert decode(octets) == value
    assert cbor2.loads(octets) == value
    # RFC 7049's canonical order puts shorter keys first; with these keys that differs from RFC 8949's order.
    if not _has_map(value):
        assert cbor2.dumps(value, canonical=True) == octets


def _has_map(value: Value) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(map(_has_map, value)))


@given(st.binary(max_size=60))
def test_what_is_read_is_written_the_same(octets: bytes) -> None:
    try:
        value = decode(octets)
    except CborError:
        return
    assert encode(value) == octets


def test_damaged_values_are_read_as_themselves_or_not_at_all() -> None:
    rng = random.Random(1)
    good = encode([1, 2, b"x" * 40, ["name", {"a": 1, "b": None}], -5, True])
    for _ in range(5000):
        octets = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            octets[rng.randrange(len(octets))] = rng.randrange(256)
        try:
            assert encode(decode(bytes(octets))) == octets
        except CborError:
            continue
