"""Clone proofs: made once for a copy, and shown to whoever wants to see one (V21)."""

from sqlalchemy.orm import Session

from fob_office.distribution.operating import copy_of
from fob_office.errors import NotFoundError
from fob_office.servers.identity import Identity
from fob_office.validation.asking import Held
from fob_office.validation.rules import Case
from fob_office.validation.tables import KeptProof, Validation
from fob_protocol.integrity.cloning import CloneProof


def keep_proof(session: Session, server: Identity, held: Held, case: Case, used: Validation) -> None:
    """Two requests of one copy under one number, as they were signed. Which of them is the honest one it says not."""
    proof = CloneProof(case.record.copy, held.key, used.evidence, case.asked.signed, case.now)
    session.add(KeptProof(copy=held.copy.id, proof=proof.signed(server.signing_key), time=case.now))


def proof_of(session: Session, number: bytes) -> bytes:
    """As it was signed. Raises NotFoundError."""
    kept = session.get(KeptProof, copy_of(session, number).id)
    if kept is None:
        why = "no two requests of it have had one number"
        raise NotFoundError(f"there is no proof about {number.hex()}", why, "fob-office copy list --standing cloned")
    return kept.proof
