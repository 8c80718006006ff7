"""The six digits are spread evenly, so that two codes that have nothing in common agree once in a million."""

import hashlib
import hmac
from collections import Counter
from itertools import pairwise

import pytest

from fob_protocol.pairing.code import comparison_code

CODES = [comparison_code(hashlib.sha256(b"%d" % number).digest()) for number in range(20_000)]

# Chi-square bounds for 99 and 9 degrees of freedom: beyond them once in ten thousand; the codes are always the same.
BOUND_99, BOUND_9 = 161.3, 33.7


def chi_square(values: list[str], bins: int) -> float:
    """The distance of a count from an even one."""
    expected = len(values) / bins
    counts = Counter(values)
    assert len(counts) <= bins
    empty = bins - len(counts)
    return sum((count - expected) ** 2 / expected for count in counts.values()) + empty * expected


def test_the_code_is_hkdf_of_rfc_5869_over_the_handshake_hash() -> None:
    handshake_hash = bytes(range(32))
    secret = hmac.digest(bytes(32), handshake_hash, "sha256")
    octets = hmac.digest(secret, b"Fob comparison code 1\x01", "sha256")[:8]
    assert comparison_code(handshake_hash) == f"{int.from_bytes(octets, 'big') % 1_000_000:06}"


def test_a_code_keeps_its_leading_zeros() -> None:
    assert {len(code) for code in CODES} == {6}
    assert any(code.startswith("00") for code in CODES)


@pytest.mark.parametrize("place", range(6))
def test_each_digit_is_even(place: int) -> None:
    assert chi_square([code[place] for code in CODES], 10) < BOUND_9


@pytest.mark.parametrize("place", range(5))
def test_each_pair_of_digits_is_even(place: int) -> None:
    assert chi_square([code[place : place + 2] for code in CODES], 100) < BOUND_99


def test_digits_do_not_follow_from_those_before() -> None:
    assert chi_square([first[0] + second[0] for first, second in pairwise(CODES)], 100) < BOUND_99


def test_collisions_of_whole_codes_come_as_often_as_a_million_codes_promise() -> None:
    """Of n codes n(n-1)/2/10^6 pairs agree: 200 here; five standard deviations either way."""
    pairs = sum(count * (count - 1) // 2 for count in Counter(CODES).values())
    assert 129 <= pairs <= 271
