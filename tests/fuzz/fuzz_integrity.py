"""What anybody may hand in about copies: any octets are an object that is signed, or refused by the error it names."""

import sys
from collections.abc import Callable
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["fob_protocol"]):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from fob_protocol.cose.cbor import decode
    from fob_protocol.cose.cwt import sign_claims
    from fob_protocol.cose.errors import CborError
    from fob_protocol.cose.labels import Label
    from fob_protocol.cose.sign1 import sign
    from fob_protocol.integrity.cloning import read_clone_proof
    from fob_protocol.integrity.copy_record import read_copy_record
    from fob_protocol.integrity.distribution import read_copy_request, read_enrolment
    from fob_protocol.integrity.evidence import unverified_evidence, verify_evidence
    from fob_protocol.integrity.letter import LetterError, read_letter, write_letter
    from fob_protocol.integrity.presentation import unverified_presentation
    from fob_protocol.integrity.relying import NotAdmittedError, RelyingParty
    from fob_protocol.integrity.ticket import MEDIA_TYPE, read_ticket, unverified_ticket
    from fob_protocol.integrity.validation import read_verdict
    from fob_protocol.office.certificate import Certificate, Usage
    from fob_protocol.office.errors import OfficeError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
USAGES = (Usage.DISTRIBUTION, Usage.VALIDATION)
SERVER = Certificate("office", "The office", USAGES, PUBLIC, PUBLIC, 1, 0, 1 << 40)
PARTY = RelyingParty(PUBLIC, 1 << 53)

Reader = Callable[[bytes], object]

# What reads the objects of each label.
READERS: dict[Label, Reader] = {
    Label.COPY_RECORD: lambda signed: read_copy_record(SERVER, signed, bytes(16)),
    Label.COPY_REQUEST: read_copy_request,
    Label.ENROLMENT: read_enrolment,
    Label.EVIDENCE: lambda signed: verify_evidence(PUBLIC, signed),
    Label.VERDICT: lambda signed: read_verdict(SERVER, signed, bytes(32)),
    Label.CLONE_PROOF: lambda signed: read_clone_proof(PUBLIC, signed),
}
LOOKS: tuple[Reader, ...] = (
    unverified_evidence,
    unverified_presentation,
    unverified_ticket,
    lambda token: read_ticket(PUBLIC, token),
)


def look(data: bytes) -> None:
    """As a stranger sends it."""
    for read in (*READERS.values(), *LOOKS):
        try:
            read(data)
        except OfficeError:
            continue
    try:
        PARTY.admit(data, "audience", bytes(16), 0)
    except NotAdmittedError:
        return


def look_behind_signature(data: bytes) -> None:
    """As if the right key had signed it."""
    for label, read in READERS.items():
        try:
            read(sign(KEY, label, [], data))
        except OfficeError:
            continue
    with suppress(NotAdmittedError):
        PARTY.admit(sign(KEY, Label.PRESENTATION, ["audience", bytes(16)], data), "audience", bytes(16), 0)
    with suppress(CborError, OfficeError):
        claims = decode(data)
        if isinstance(claims, dict):
            read_ticket(PUBLIC, sign_claims(KEY, MEDIA_TYPE, claims))


def look_at_letter(data: bytes) -> None:
    """One that is read is written the same."""
    text = data.decode(errors="surrogateescape")
    try:
        identifier = read_letter(text)
    except LetterError:
        return
    assert write_letter(identifier).replace("-", "") == "".join(text.split()).replace("-", "").upper()


def test_one_input(data: bytes) -> None:
    """One case of the fuzzer."""
    for octets in (data, b"\xd2\x84" + data):
        look(octets)
    look_behind_signature(data)
    look_at_letter(data)
    # 56 characters, so that the check is reached.
    if len(data) >= 35:
        look_at_letter(write_letter(data[:32]).encode()[:-5] + data[32:35].hex().encode())


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
