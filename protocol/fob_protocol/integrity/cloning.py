"""*clone proof*: one key has signed two requests of one copy under one number (V21)."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.integrity.evidence import Evidence, verify_evidence
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import Message, Nonce, Octets32, Time, read


class CloneProof(Message, tag=1, frozen=True):
    """`first` and `second` as their holder signed them; they show neither identifier nor integrity value."""

    copy: Nonce
    holder: Octets32
    first: bytes
    second: bytes
    time: Time

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        """By the validation server."""
        return sign1.sign(key, Label.CLONE_PROOF, [], self.octets())


@dataclass(frozen=True, slots=True)
class Cloned:
    """What a proof shows."""

    proof: CloneProof
    first: Evidence
    second: Evidence


def read_clone_proof(server: bytes, signed: bytes) -> Cloned:
    """A proof that this validation server (raw public key) signed, and that proves it. Raises OfficeError."""
    try:
        proof = read(CloneProof, sign1.verify(server, Label.CLONE_PROOF, [], signed))
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"not signed by this validation server: {error}") from None
    first, second = (verify_evidence(proof.holder, evidence) for evidence in (proof.first, proof.second))
    if not first.copy == second.copy == proof.copy:
        raise OfficeError(Fault.MALFORMED, "requests of two copies prove nothing")
    if first == second or first.program_number != second.program_number:
        raise OfficeError(Fault.MALFORMED, "one holder could have signed both requests")
    return Cloned(proof, first, second)
