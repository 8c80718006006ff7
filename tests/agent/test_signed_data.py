"""What an agent is asked to sign: a login, a signature with a namespace, or something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.hosts import SESSION_ID, login_data, signature_data
from fob_daemon.agent.signed_data import LoginData, SignatureData, read_signed_data
from fob_daemon.agent.wire import string, u32


def test_a_login() -> None:
    assert read_signed_data(login_data()) == LoginData(SESSION_ID, None)


def test_a_login_that_holds_for_one_host_alone() -> None:
    assert read_signed_data(login_data(host_key=b"host key")) == LoginData(SESSION_ID, b"host key")


@pytest.mark.parametrize("namespace", [b"git", b"file", b"", b"\xff\x1b[31m"])
def test_a_signature(namespace: bytes) -> None:
    assert read_signed_data(signature_data(namespace)) == SignatureData(namespace)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SSHSIG",
        b"SSHSIG" + string(b"git"),
        signature_data(b"git") + b"\0",
        signature_data(b"git")[:-1],
        login_data() + b"\0",
        login_data()[:-1],
        login_data(number=51),
        login_data(method=b"hostbased"),
        login_data(is_signed=False),
        login_data(host_key=b"key", method=b"publickey"),
        login_data(method=b"publickey-hostbound-v00@openssh.com"),
        u32(0xFFFFFFFF) + login_data()[4:],
    ],
)
def test_what_only_looks_like_one(data: bytes) -> None:
    assert read_signed_data(data) is None


@given(st.binary(max_size=300))
def test_rubbish_is_nothing(data: bytes) -> None:
    assert read_signed_data(b"SSHSIG" + data) is None or data
    assert read_signed_data(data) is None or len(data) > 4


@given(st.binary(), st.none() | st.binary(max_size=200), st.integers(0, 500))
def test_only_the_whole_of_it_counts(session_id: bytes, host_key: bytes | None, cut: int) -> None:
    data = login_data(session_id=session_id, host_key=host_key)
    assert read_signed_data(data) == LoginData(session_id, host_key)
    assert cut >= len(data) or not isinstance(read_signed_data(data[:cut]), LoginData)
