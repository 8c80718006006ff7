"""COBS against the vectors of its paper, written out by hand (Cheshire and Baker, 1999)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.link.cobs import CobsError, decode, encode

NO_ZERO = bytes(range(1, 256))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("", "01"),
        ("00", "01 01"),
        ("00 00", "01 01 01"),
        ("11", "02 11"),
        ("00 11 00", "01 02 11 01"),
        ("11 22 00 33", "03 11 22 02 33"),
        ("11 22 33 44", "05 11 22 33 44"),
        ("11 00 00 00", "02 11 01 01 01"),
        # The IPv4 header that the paper's section 2 encodes.
        (
            "45 00 00 2c 4c 79 00 00 40 06 4f 37",
            "02 45 01 04 2c 4c 79 01 05 40 06 4f 37",
        ),
    ],
)
def test_vectors(data: str, text: str) -> None:
    assert encode(bytes.fromhex(data)) == bytes.fromhex(text)
    assert decode(bytes.fromhex(text)) == bytes.fromhex(data)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (NO_ZERO[:253], b"\xfe" + NO_ZERO[:253]),
        (NO_ZERO[:254], b"\xff" + NO_ZERO[:254] + b"\x01"),
        (NO_ZERO, b"\xff" + NO_ZERO[:254] + b"\x02\xff"),
        (b"\0" + NO_ZERO[:254], b"\x01\xff" + NO_ZERO[:254] + b"\x01"),
        (NO_ZERO[:254] + b"\0", b"\xff" + NO_ZERO[:254] + b"\x01\x01"),
        (NO_ZERO[:253] + b"\0", b"\xfe" + NO_ZERO[:253] + b"\x01"),
    ],
    ids=["253", "254", "255", "zero and 254", "254 and zero", "253 and zero"],
)
def test_runs_around_the_longest(data: bytes, text: bytes) -> None:
    assert encode(data) == text
    assert decode(text) == data


def test_a_last_run_of_254_may_stand_without_an_empty_one_behind_it() -> None:
    assert decode(b"\xff" + NO_ZERO[:254]) == NO_ZERO[:254]


@given(st.binary(max_size=1200) | st.lists(st.sampled_from([b"\0", NO_ZERO[:254], b"x"]), max_size=5).map(b"".join))
def test_no_zero_and_at_most_one_octet_in_254(data: bytes) -> None:
    text = encode(data)
    assert 0 not in text
    assert len(text) <= len(data) + 1 + len(data) // 254
    assert decode(text) == data


@pytest.mark.parametrize("text", ["00", "02", "02 00", "03 11", "05 11 22 00 33", "02 11 00", "ff 01 02"])
def test_what_is_no_cobs_text_is_refused(text: str) -> None:
    with pytest.raises(CobsError):
        decode(bytes.fromhex(text))
