"""Requests as clients send them, and the shapes that are refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.client import identities
from fob_daemon.agent.identities import Identity
from fob_daemon.agent.limits import MAX_MESSAGE
from fob_daemon.agent.logins import KeyName
from fob_daemon.agent.messages import (
    AddSmartcardKey,
    Extension,
    Lock,
    RemoveSmartcardKey,
    Request,
    RequestIdentities,
    SignRequest,
    Unlock,
    Unsupported,
    extension_response,
    identities_answer,
    parse_request,
    sign_response,
)
from fob_daemon.agent.wire import MalformedMessageError

REQUESTS: dict[str, Request] = {
    "0b": RequestIdentities(),
    "0d 00000003 6b6579 00000002 6869 00000004": SignRequest(b"key", b"hi", 4),
    "14 00000003 666f62 00000004 31323334": AddSmartcardKey("fob", b"1234"),
    "15 00000003 666f62 00000000": RemoveSmartcardKey("fob"),
    "16 00000001 78": Lock(b"x"),
    "17 00000001 78": Unlock(b"x"),
    "1b 00000005 7175657279 0102": Extension("query", b"\x01\x02"),
    "11 00000007 7373682d727361": Unsupported(17),
    "ff": Unsupported(255),
}


@pytest.mark.parametrize(("message", "request_"), REQUESTS.items())
def test_a_request_is_read(message: str, request_: Request) -> None:
    assert parse_request(bytes.fromhex(message)) == request_


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("", "breaks off"),
        ("0b 00", "1 bytes too many"),
        ("0d 00000003 6b6579 00000002 6869 000000", "breaks off"),
        ("0d 00000003 6b6579 80000000 6869", "breaks off"),
        ("14 00000002 fffe 00000000", "not UTF-8"),
        ("15 00000003 666f62", "breaks off"),
        ("16", "breaks off"),
        ("17 00000000 00", "1 bytes too many"),
        ("1b", "breaks off"),
        ("1b 00000001 ff", "not UTF-8"),
    ],
)
def test_a_request_of_another_shape_is_refused(message: str, reason: str) -> None:
    with pytest.raises(MalformedMessageError, match=reason):
        parse_request(bytes.fromhex(message))


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_request_or_malformed(message: bytes) -> None:
    with contextlib.suppress(MalformedMessageError):
        parse_request(message)


@given(st.sampled_from(sorted(REQUESTS)), st.data())
def test_a_request_that_is_cut_short_is_malformed(encoded: str, data: st.DataObject) -> None:
    message = bytes.fromhex(encoded)
    if isinstance(REQUESTS[encoded], Extension | Unsupported):
        return  # what follows the name is the extension's own, what follows an unknown number is nobody's
    with pytest.raises(MalformedMessageError):
        parse_request(message[: data.draw(st.integers(0, len(message) - 1))])


@pytest.mark.parametrize("request_", REQUESTS.values())
def test_no_secret_shows(request_: Request) -> None:
    assert not [secret for secret in ("1234", "'x'", "'hi'") if secret in repr(request_)]


def identity(blob: bytes, comment: str = "c") -> Identity:
    return Identity(KeyName(0, 0, b""), "ssh-ed25519", blob, comment)


def test_replies_have_these_bytes() -> None:
    assert (
        identities_answer([identity(b"key", "me")]).hex()
        == "0c" + "00000001" + "00000003" + "6b6579" + "00000002" + "6d65"
    )
    assert sign_response(b"sig").hex() == "0e" + "00000003" + "736967"
    assert extension_response("query", b"\x01").hex() == "1d" + "00000005" + "7175657279" + "01"


def test_a_list_of_keys_ends_where_the_message_is_full() -> None:
    size = 8192
    many = [identity(bytes(size)) for _ in range(100)]
    reply = identities_answer(many)
    assert len(reply) <= MAX_MESSAGE
    assert len(identities(reply)) == (MAX_MESSAGE - 5) // (size + 9)
