"""A TLS client's proof of its key is known by its content, however it comes (RFC 8446, section 4.4.3)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_daemon.caller.tls import ClientVerify

CLIENT = b" " * 64 + b"TLS 1.3, client CertificateVerify" + b"\0"
SERVER = CLIENT.replace(b"client", b"server")
HASH = bytes(range(32))


def is_tls_client(*parts: bytes) -> bool:
    seen = ClientVerify()
    for part in parts:
        seen.update(part)
    return seen.is_tls_client


@pytest.mark.parametrize("size", [32, 48])
def test_a_client_s_proof(size: int) -> None:
    assert is_tls_client(CLIENT + bytes(size))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HASH,
        CLIENT,
        CLIENT + bytes(31),
        CLIENT + bytes(33),
        CLIENT + bytes(64),
        SERVER + HASH,
        b" " + CLIENT + HASH,
    ],
)
def test_what_is_none(data: bytes) -> None:
    assert not is_tls_client(data)


@given(st.lists(st.integers(0, len(CLIENT) + 32)))
def test_it_may_come_in_parts(cuts: list[int]) -> None:
    data, places = CLIENT + HASH, [0, *sorted(cuts), len(CLIENT) + 32]
    assert is_tls_client(*(data[start:end] for start, end in pairwise(places)))


@given(st.lists(st.binary()))
def test_other_data_is_none(parts: list[bytes]) -> None:
    assert not is_tls_client(*parts)
