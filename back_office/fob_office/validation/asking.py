"""Who asks: whether a VAL_REQ comes from the holder of its copy, with the secret part that was signed (V23).

Whatever is wrong, the same is done: one look at the copies, one signature checked. Only then one verdict falls.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.devices.tables import Device, DeviceState
from fob_office.distribution.tables import Copy, Holder
from fob_office.refusing import RuleBrokenError
from fob_protocol.cose.headers import key_id
from fob_protocol.cose.sign1 import signer_of
from fob_protocol.integrity.evidence import Evidence, SecretPart, belongs, unverified_evidence, verify_evidence
from fob_protocol.integrity.validation import Validate
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.refusals import Refusal

# Nobody's key, and what it has signed: so that there is always one signature to check.
_NOBODY: Final = Ed25519PrivateKey.from_private_bytes(bytes(32))
_NOBODY_S_KEY: Final = _NOBODY.public_key().public_bytes_raw()
_NOBODY_S: Final = Evidence(bytes(16), 1, 0, 0, "nobody", None, bytes(32)).signed(_NOBODY)


@dataclass(frozen=True)
class Asked:
    """A VAL_REQ. `signed` is its evidence as it came, `evidence` what that says."""

    signed: bytes = field(repr=False)
    evidence: Evidence
    secret: SecretPart = field(repr=False)

    @cached_property
    def request(self) -> bytes:
        """By which it is known again: what was signed, whatever the signature looks like."""
        return digest(self.evidence.octets())


@dataclass(frozen=True, slots=True)
class Held:
    """A copy and the public key of its holder."""

    copy: Copy
    key: bytes


def asked_of(message: Validate) -> Asked:
    """Before it is known who signed it. Raises OfficeError MALFORMED."""
    return Asked(message.evidence, unverified_evidence(message.evidence), message.secret)


def held_by_asker(session: Session, asked: Asked, *, lock: bool = False) -> Held:
    """The copy that it is about. `lock`: nobody else changes it in this transaction. Raises RuleBrokenError DENIED."""
    query = (
        select(Copy, Holder.key, Device.state)
        .join(Holder, Holder.id == Copy.holder)
        .outerjoin(Device, Device.signing_key == Holder.key)
        .where(Copy.number == asked.evidence.copy)
    )
    if lock:
        query = query.with_for_update(of=Copy).execution_options(populate_existing=True)
    found = session.execute(query).one_or_none()
    is_signed = _is_signed(found[1] if found is not None else None, asked.signed)
    is_whole = belongs(asked.evidence, asked.secret)
    if found is None or not is_signed or not is_whole or found[2] == DeviceState.DISABLED:
        raise RuleBrokenError(Refusal.DENIED, "V23", "no such copy, or not signed by its holder")
    return Held(found[0], found[1])


def _is_signed(holder: bytes | None, signed: bytes) -> bool:
    if holder is None or signer_of(signed) != key_id(holder):
        verify_evidence(_NOBODY_S_KEY, _NOBODY_S)
        return False
    try:
        verify_evidence(holder, signed)
    except OfficeError:
        return False
    return True
