"""Base45 as RFC 9285 has it, and no text that it forbids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.metering import base45
from fob_protocol.metering.base45 import Base45Error


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"AB", "BB8"),
        (b"Hello!!", "%69 VD92EX0"),
        (b"base-45", "UJCLQE7W581"),
        (b"ietf!", "QED8WEX0"),
        (b"", ""),
    ],
)
def test_the_examples_of_the_specification(octets: bytes, text: str) -> None:
    # RFC 9285, sections 4.3 and 4.4.
    assert base45.encode(octets) == text
    assert base45.decode(text) == octets


@given(st.binary(max_size=64))
def test_all_octets_come_back(octets: bytes) -> None:
    assert base45.decode(base45.encode(octets)) == octets


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("GGW", "more than octets hold"),  # 65,536: RFC 9285, section 6
        (":::", "more than octets hold"),
        ("U5", None),
        ("V5", "more than octets hold"),  # 256
        ("A", "no whole number"),
        ("BB8A", "no whole number"),
        ("bb8", "no character"),
        ("BBÄ", "no character"),
    ],
)
def test_what_is_no_base45_is_refused(text: str, why: str | None) -> None:
    if why is None:
        assert base45.decode(text) == b"\xff"
        return
    with pytest.raises(Base45Error, match=why):
        base45.decode(text)


@given(st.text(max_size=12))
def test_a_text_is_refused_or_is_the_only_one_of_its_octets(text: str) -> None:
    try:
        octets = base45.decode(text)
    except Base45Error:
        return
    assert base45.encode(octets) == text
