"""VAL_OK is an EAT attestation result that other implementations verify and read (RFC 9052, 8392, 8747, 9711)."""

from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cwt import COSE, CWT, COSEKey
from cwt.cose_key_interface import COSEKeyInterface
from cwt.exceptions import VerifyError

from fob_protocol.cose.cwt import sign_claims
from fob_protocol.cose.headers import key_id
from fob_protocol.integrity.limits import TICKET_LIMIT
from fob_protocol.integrity.ticket import MEDIA_TYPE, read_ticket, unverified_ticket
from fob_protocol.office.errors import Fault, OfficeError
from support import copy_samples as sample
from support.octets import flipped
from support.office_trust import NOW, SERVER

SERVER_KEY = sample.public(SERVER.signing)
# The other library looks at the computer's clock.
FOR_EVER = 1 << 40


def theirs(key: Ed25519PrivateKey) -> COSEKeyInterface:
    """A public key for the other library: OKP, Ed25519, of RFC 9864's algorithm."""
    public = sample.public(key)
    return COSEKey.new({1: 1, 3: -19, -1: 6, -2: public, 2: key_id(public)})


def fault_of(token: bytes) -> Fault | None:
    try:
        read_ticket(SERVER_KEY, token)
    except OfficeError as error:
        return error.fault
    return None


@pytest.mark.clause("V12")
def test_another_library_verifies_a_ticket() -> None:
    ticket = sample.ticket(until=FOR_EVER)
    token = ticket.signed(SERVER.signing)
    claims: Any = CWT.new().decode(token, theirs(SERVER.signing))
    assert claims[1] == ticket.server
    with pytest.raises(VerifyError):
        CWT.new().decode(flipped(token), theirs(SERVER.signing))
    with pytest.raises(VerifyError, match="expired"):
        CWT.new().decode(sample.ticket(until=NOW - 365 * 86_400).signed(SERVER.signing), theirs(SERVER.signing))


@pytest.mark.clause("V12", "V14")
def test_every_claim_has_its_registered_number() -> None:
    """Read by a general CBOR decoder, with the numbers of the registries written out."""
    ticket = sample.ticket()
    token = cbor2.loads(ticket.signed(SERVER.signing))
    protected, unprotected, payload, signature = token.value
    assert (token.tag, unprotected, len(signature)) == (18, {}, 64)
    assert cbor2.loads(protected) == {1: -19, 4: key_id(SERVER_KEY), 16: "application/eat+cwt"}
    assert cbor2.loads(payload) == {
        1: "office",
        4: NOW + 86_400,
        6: NOW,
        8: {1: {1: 1, -1: 6, -2: sample.public(sample.HOLDER)}},
        10: ticket.evidence,
        256: b"\x01" + sample.COPY,
        265: "tag:fob.invalid,2026:val-ok-1",
        274: [["fob", [["calculator", 1]]]],
        -70002: ticket.identifier_name,
        -70003: 1,
        -70004: 1,
        -70005: ticket.iv,
        -70006: ["calculator", [1, 4, 0]],
    }
    assert cbor2.dumps(cbor2.loads(payload), canonical=True) == payload


@pytest.mark.clause("V12")
def test_the_key_in_a_ticket_verifies_its_presentation() -> None:
    """With the other library alone: the holder's COSE key comes from the verified claims."""
    claims: Any = CWT.new().decode(sample.ticket(until=FOR_EVER).signed(SERVER.signing), theirs(SERVER.signing))
    holder = COSEKey.new(claims[8][1] | {2: key_id(sample.public(sample.HOLDER)), 3: -19})
    external = cbor2.dumps(["fob/1 presentation", sample.AUDIENCE, sample.NONCE], canonical=True)
    payload = COSE.new().decode(sample.presentation(), holder, external_aad=external)
    version, token = cbor2.loads(payload)
    assert (version, token) == (1, sample.ticket().signed(SERVER.signing))


def test_a_ticket_by_another_library_is_read() -> None:
    """Its signature is over the same structure: the octets are the same."""
    ticket = sample.ticket()
    ours = ticket.signed(SERVER.signing)
    key = COSEKey.new({1: 1, 3: -19, -1: 6, -2: SERVER_KEY, -4: SERVER.signing.private_bytes_raw()})
    header: dict[int, Any] = {1: -19, 4: key_id(SERVER_KEY), 16: MEDIA_TYPE}
    made = COSE.new().encode(cbor2.loads(ours).value[2], key, protected=header)
    assert made == ours
    assert read_ticket(SERVER_KEY, made) == ticket == unverified_ticket(made)


@pytest.mark.parametrize("iv", [None, bytes(16)])
def test_a_ticket_is_read_as_it_was_written(iv: bytes | None) -> None:
    ticket = sample.ticket(iv=iv, version=(255, 0, 255), program="a" * 32)
    assert read_ticket(SERVER_KEY, ticket.signed(SERVER.signing)) == ticket


def claims() -> dict[int | str, Any]:
    """As a general decoder sees them."""
    payload: dict[int | str, Any] = cbor2.loads(cbor2.loads(sample.ticket().signed(SERVER.signing)).value[2])
    return payload


KEY = {1: 1, -1: 6, -2: sample.public(sample.HOLDER)}


@pytest.mark.clause("V12")
@pytest.mark.parametrize(
    "changes",
    [
        {1: "Office"},
        {4: True},
        {4: -1},
        {6: 1 << 53},
        {8: {}},
        {8: {1: KEY, 2: b""}},
        {8: {2: KEY}},
        {8: {1: KEY | {1: 2}}},
        {8: {1: KEY | {1: True}}},
        {8: {1: KEY | {-1: 7}}},
        {8: {1: KEY | {-2: bytes(31)}}},
        {8: {1: KEY | {3: -19}}},
        {10: bytes(31)},
        {10: "AAAA"},
        {256: sample.COPY},
        {256: b"\x02" + sample.COPY},
        {256: b"\x01" + sample.COPY[:-1]},
        {256: "x"},
        {265: "tag:fob.invalid,2026:val-ok-2"},
        {274: []},
        {274: [["fob", [["calculator", 2]]]]},
        {274: [["fob", [["calculator", True]]]]},
        {274: [["fob", [["another", 1]]]]},
        {274: [["fob", [["calculator", 1], ["another", 1]]]]},
        {-70002: bytes(33)},
        {-70003: 0},
        {-70004: None},
        {-70005: bytes(15)},
        {-70006: "calculator"},
        {-70006: ["calculator"]},
        {-70006: ["calculator", [1, 4]]},
        {-70006: ["calculator", [1, 4, 256]]},
        {-70006: ["Calculator", [1, 4, 0]], 274: [["fob", [["Calculator", 1]]]]},
        {5: NOW},
        {"more": 1},
    ],
    ids=str,
)
def test_other_claims_are_no_ticket_though_rightly_signed(changes: dict[int | str, Any]) -> None:
    token = sign_claims(SERVER.signing, MEDIA_TYPE, {**claims(), **changes})
    assert fault_of(token) is Fault.MALFORMED


@pytest.mark.parametrize("claim", claims())
def test_no_claim_can_be_missing(claim: int) -> None:
    left = {label: value for label, value in claims().items() if label != claim}
    assert fault_of(sign_claims(SERVER.signing, MEDIA_TYPE, left)) is Fault.MALFORMED


def test_a_token_of_another_type_is_no_ticket() -> None:
    assert fault_of(sign_claims(SERVER.signing, "application/cwt", claims())) is Fault.WRONG_SIGNATURE
    assert fault_of(sign_claims(SERVER.signing, MEDIA_TYPE, claims())) is None


def test_a_ticket_has_a_bound() -> None:
    assert fault_of(bytes(TICKET_LIMIT + 1)) is Fault.TOO_LARGE
    longest = sample.ticket(server="a" * 32, program="b" * 32, time=2**53 - 1, until=2**53 - 1, version=(255, 255, 255),
                            program_number=2**53 - 1, server_number=2**53 - 1)  # fmt: skip
    assert len(longest.signed(SERVER.signing)) < TICKET_LIMIT / 2


@pytest.mark.clause("V13")
def test_a_ticket_names_the_identifier_and_does_not_show_it() -> None:
    token = sample.ticket().signed(SERVER.signing)
    assert sample.IDENTIFIER not in token
    assert sample.ticket().identifier_name in token
