"""Everything that is signed about a copy: no bit can be changed, nobody else can sign it, nothing passes for it."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Final, NamedTuple

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fob_protocol.cose import sign1
from fob_protocol.cose.headers import Context, key_id
from fob_protocol.cose.labels import Label
from fob_protocol.integrity.cloning import read_clone_proof
from fob_protocol.integrity.copy_record import read_copy_record
from fob_protocol.integrity.distribution import read_copy_request, read_enrolment
from fob_protocol.integrity.evidence import belongs, unverified_evidence, verify_evidence
from fob_protocol.integrity.identifier import mark_of
from fob_protocol.integrity.measure import is_of_request
from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from fob_protocol.integrity.presentation import Presentation, is_by, unverified_presentation
from fob_protocol.integrity.relying import NotAdmitted, NotAdmittedError, RelyingParty
from fob_protocol.integrity.ticket import read_ticket, unverified_ticket
from fob_protocol.integrity.validation import State, Validate, read_verdict
from fob_protocol.office.certificate import Usage
from fob_protocol.office.envelope import Service, ask, open_question
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from support import copy_samples as sample
from support.octets import bit_flips
from support.office_trust import NOW, SERVER

Judge = Callable[[bytes], object]


class Kind(NamedTuple):
    """How one is signed by a key, who has to sign it, how it is read, and by which names a changed one is refused."""

    signed: Callable[[Ed25519PrivateKey], bytes]
    signer: Ed25519PrivateKey
    read: Judge
    faults: frozenset[str]
    label: Label | None


# What is read before it is known whose key it needs is malformed at times.
UNREAD: Final = frozenset({Fault.WRONG_SIGNATURE, Fault.MALFORMED})
SIGNED: Final = frozenset({Fault.WRONG_SIGNATURE})
PARTY: Final = RelyingParty(sample.public(SERVER.signing), greatest_age=3600)


def admit(signed: bytes) -> object:
    return PARTY.admit(signed, sample.AUDIENCE, sample.NONCE, NOW)


KINDS: Final = {
    "copy record": Kind(
        sample.copy_record().signed,
        SERVER.signing,
        lambda signed: read_copy_record(sample.office(), signed, key_id(sample.public(sample.HOLDER))),
        SIGNED,
        Label.COPY_RECORD,
    ),
    "copy request": Kind(sample.copy_request().signed, sample.HOLDER, read_copy_request, UNREAD, Label.COPY_REQUEST),
    "enrolment": Kind(sample.enrolment().signed, sample.HOLDER, read_enrolment, UNREAD, Label.ENROLMENT),
    "evidence": Kind(
        sample.evidence().signed,
        sample.HOLDER,
        partial(verify_evidence, sample.public(sample.HOLDER)),
        SIGNED,
        Label.EVIDENCE,
    ),
    "verdict": Kind(
        sample.verdict().signed,
        SERVER.signing,
        lambda signed: read_verdict(sample.office(), signed, sample.verdict().evidence),
        SIGNED,
        Label.VERDICT,
    ),
    "clone proof": Kind(
        sample.clone_proof().signed,
        SERVER.signing,
        partial(read_clone_proof, sample.public(SERVER.signing)),
        SIGNED,
        Label.CLONE_PROOF,
    ),
    "ticket": Kind(
        sample.ticket().signed, SERVER.signing, partial(read_ticket, sample.public(SERVER.signing)), UNREAD, None
    ),
    "presentation": Kind(
        lambda key: sample.presentation(holder=key),
        sample.HOLDER,
        admit,
        UNREAD | {NotAdmitted.WRONG_HOLDER},
        Label.PRESENTATION,
    ),
}
EACH_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def fault_of(judge: Judge, octets: bytes) -> str | None:
    """By which name it is refused; None: it is believed."""
    try:
        judge(octets)
    except OfficeError as error:
        return error.fault
    except NotAdmittedError as error:
        return error.code
    return None


def refused(kind: Kind, octets: bytes) -> bool:
    """By one of the names that its kind has."""
    return fault_of(kind.read, octets) in kind.faults


@pytest.mark.clause("V3", "V11", "V12", "V23")
@EACH_KIND
def test_every_flipped_bit_is_refused(kind: Kind) -> None:
    signed = kind.signed(kind.signer)
    assert fault_of(kind.read, signed) is None
    faults = {fault_of(kind.read, flipped) for flipped in bit_flips(signed)}
    assert kind.faults >= faults
    assert Fault.WRONG_SIGNATURE in faults


@EACH_KIND
def test_octets_too_many_and_too_few_are_refused(kind: Kind) -> None:
    signed = kind.signed(kind.signer)
    cut = {fault_of(kind.read, signed[:size]) for size in range(len(signed))}
    assert kind.faults >= cut | {fault_of(kind.read, signed + b"\0")}


@pytest.mark.clause("V3", "V12", "V23")
@EACH_KIND
def test_nobody_else_signs_it(kind: Kind) -> None:
    for key in {sample.THIEF, sample.HOLDER, SERVER.signing, sample.OTHER_SERVER} - {kind.signer}:
        assert refused(kind, kind.signed(key))


@EACH_KIND
def test_what_was_signed_as_something_else_does_not_pass_for_it(kind: Kind) -> None:
    """Every other label, and a token's empty one."""
    signed = kind.signed(kind.signer)
    payload = cbor2.loads(signed).value[2]
    context: Context = [sample.AUDIENCE, sample.NONCE] if kind.label is Label.PRESENTATION else []
    if kind.label is not None:
        assert sign1.sign(kind.signer, kind.label, context, payload) == signed
    for label in Label:
        if label is kind.label:
            continue
        assert refused(kind, sign1.sign(kind.signer, label, context, payload))
    for other in KINDS.values():
        if other is not kind:
            assert refused(kind, other.signed(kind.signer))


@pytest.mark.clause("V23")
@given(octets=st.binary(max_size=300), head=st.sampled_from([b"", b"\xd2\x84", b"\xd2\x84\x58\x2f"]))
def test_any_octets_are_refused_by_name(octets: bytes, head: bytes) -> None:
    for kind in KINDS.values():
        assert refused(kind, head + octets)
    for look in (unverified_evidence, unverified_presentation, unverified_ticket):
        assert fault_of(look, head + octets) is Fault.MALFORMED


def test_what_is_read_is_what_was_signed() -> None:
    assert read_copy_request(sample.copy_request().signed(sample.HOLDER)) == sample.copy_request()
    assert read_enrolment(sample.enrolment().signed(sample.HOLDER)) == sample.enrolment()
    assert unverified_evidence(sample.evidence().signed(sample.THIEF)) == sample.evidence()
    assert admit(sample.presentation()) == sample.ticket()
    assert KINDS["copy record"].read(sample.copy_record().signed(SERVER.signing)) == sample.copy_record()
    assert KINDS["verdict"].read(sample.verdict().signed(SERVER.signing)) == sample.verdict()


@pytest.mark.clause("V3", "V4")
def test_a_server_signs_only_what_its_certificate_says() -> None:
    record, verdict = sample.copy_record().signed(SERVER.signing), sample.verdict().signed(SERVER.signing)
    holder = key_id(sample.public(sample.HOLDER))
    validation, distribution = sample.office((Usage.VALIDATION,)), sample.office((Usage.DISTRIBUTION,))
    assert fault_of(lambda signed: read_copy_record(distribution, signed, holder), record) is None
    assert fault_of(lambda signed: read_copy_record(validation, signed, holder), record) is Fault.OTHER_USAGE
    about = sample.verdict().evidence
    assert fault_of(lambda signed: read_verdict(validation, signed, about), verdict) is None
    assert fault_of(lambda signed: read_verdict(distribution, signed, about), verdict) is Fault.OTHER_USAGE


@pytest.mark.clause("V3")
def test_a_copy_of_another_holder_is_refused() -> None:
    signed = sample.copy_record().signed(SERVER.signing)
    fault = fault_of(lambda octets: read_copy_record(sample.office(), octets, key_id(bytes(32))), signed)
    assert fault is Fault.OTHER_DEVICE


@pytest.mark.clause("V3", "V6")
def test_a_record_with_another_embedder_is_refused() -> None:
    """D1 by the tool: the attester would not know where the mark comes from."""
    method = Method(Technique.D1, Embedder.TOOL, Variant.VA_1)
    signed = replace(sample.copy_record(), method=method).signed(SERVER.signing)
    assert fault_of(KINDS["copy record"].read, signed) is Fault.MALFORMED


@pytest.mark.clause("V11", "V13")
def test_val_req_carries_all_fields_and_shows_none() -> None:
    """Sealed to the server: UI, ICV and challenge; signed within: PSI, VSSI, DT, VSI and IV."""
    request = Validate(sample.evidence().signed(sample.HOLDER), sample.SECRET)
    sealed = ask(sample.office(), Service.VALIDATION, request.octets(), Random(1).randbytes).sealed
    fields = (sample.IDENTIFIER, sample.SECRET.integrity_value, sample.SECRET.challenge, sample.COPY, request.evidence)
    assert not any(field in sealed for field in fields if field)
    opened = read(Validate, open_question(SERVER.sealing, Service.VALIDATION, sealed).body)
    said = verify_evidence(sample.public(sample.HOLDER), opened.evidence)
    assert opened.secret == sample.SECRET
    assert belongs(said, opened.secret)
    assert (said.program_number, said.server_number, said.time, said.server) == (1, 0, NOW, "office")
    assert said.iv is not None
    assert is_of_request(said.iv, said.program_number)
    for text in (repr(request), repr(opened)):
        assert repr(sample.IDENTIFIER)[2:-1] not in text


@pytest.mark.clause("V14", "V15")
def test_a_verdict_about_another_request_is_refused() -> None:
    """And one that says valid, which would be a ticket without a holder."""
    later = digest(sample.evidence(2).signed(sample.HOLDER))
    signed = sample.verdict().signed(SERVER.signing)
    assert fault_of(lambda octets: read_verdict(sample.office(), octets, later), signed) is Fault.STALE_ANSWER
    valid = sample.verdict(State.VALID).signed(SERVER.signing)
    assert fault_of(KINDS["verdict"].read, valid) is Fault.MALFORMED


@pytest.mark.clause("V13", "V23")
def test_evidence_holds_neither_identifier_nor_integrity_value() -> None:
    """It belongs to one secret part; so may be shown as proof to whoever wants it."""
    signed, secret = sample.evidence().signed(sample.HOLDER), sample.SECRET
    assert secret.identifier not in signed
    assert secret.integrity_value not in signed
    assert secret.challenge is not None
    assert secret.challenge not in signed
    assert belongs(sample.evidence(), secret)
    others = [
        replace(secret, **{name: flipped})
        for name in ("identifier", "integrity_value", "challenge")
        for flipped in bit_flips(getattr(secret, name))
    ]
    others.append(replace(secret, challenge=None))
    assert not any(belongs(sample.evidence(), other) for other in others)


@pytest.mark.clause("V13")
@EACH_KIND
def test_nothing_that_is_signed_holds_an_identifier(kind: Kind) -> None:
    """Nor a mark: only an answer that is sealed brings one."""
    signed = kind.signed(kind.signer)
    assert sample.IDENTIFIER not in signed
    assert mark_of(sample.IDENTIFIER) not in signed
    assert sample.SECRET.integrity_value not in signed


def test_enrolling_needs_the_letter() -> None:
    enrolment = sample.enrolment()
    assert enrolment.proves(sample.IDENTIFIER)
    assert not any(enrolment.proves(flipped) for flipped in bit_flips(sample.IDENTIFIER))
    thief = replace(enrolment, holder=sample.public(sample.THIEF))
    assert not thief.proves(sample.IDENTIFIER)


def test_a_presentation_is_for_one_audience_and_nonce() -> None:
    signed, holder = sample.presentation(), sample.public(sample.HOLDER)
    assert is_by(holder, signed, sample.AUDIENCE, sample.NONCE)
    assert not is_by(holder, signed, "other.example", sample.NONCE)
    assert not any(is_by(holder, signed, sample.AUDIENCE, flipped) for flipped in bit_flips(sample.NONCE))
    assert not is_by(sample.public(sample.THIEF), signed, sample.AUDIENCE, sample.NONCE)


@pytest.mark.parametrize(
    ("audience", "nonce"), [("", bytes(16)), ("a" * 129, bytes(16)), ("a", bytes(15)), ("a", bytes(65))]
)
def test_an_audience_and_a_nonce_have_bounds(audience: str, nonce: bytes) -> None:
    """What breaks them is the caller's mistake, and none of who shows something."""
    with pytest.raises(ValueError, match="has"):
        is_by(bytes(32), b"", audience, nonce)
    with pytest.raises(ValueError, match="has"):
        Presentation(b"").signed(sample.HOLDER, audience, nonce)
    with pytest.raises(ValueError, match="has"):
        PARTY.admit(b"", audience, nonce, NOW)
