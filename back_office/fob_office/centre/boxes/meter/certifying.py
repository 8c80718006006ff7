"""Public keys of meters whose tokens are signatures, certified for strangers (M15, M16)."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_office.centre.boxes.meter import tokens
from fob_office.centre.boxes.meter.tokens import SignatureKey
from fob_office.centre.boxes.meter.verifying import Verifier
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Pass
from fob_office.centre.commands.meter import Certified, Certify
from fob_office.centre.words import Word
from fob_office.surroundings import Surroundings
from fob_protocol.metering.verification import VerificationCertificate


class Certifying:
    """With the key that the box's pass binds."""

    def __init__(self, name: str, vault: Vault, key: Ed25519PrivateKey, surroundings: Surroundings) -> None:
        self._name = name
        self._vault = vault
        self._verifier = Verifier(vault)
        self._key = key
        self._clock = surroundings.clock

    async def certify(self, peer: Pass, command: Certify) -> Certified:
        """Of any meter, owned here or not: its token key is the same in all records."""
        record = self._verifier.record(command.record).record
        key = tokens.unwrap(self._vault, record)
        if not isinstance(key, SignatureKey):
            raise BusRefusedError(Word.NO_PUBLIC_KEY, f"tokens of {record.value_kind} are codes")
        certificate = VerificationCertificate(
            serial=record.serial,
            value_kind=record.value_kind,
            key_version=record.key_version,
            key=key.public,
            box=self._name,
            time=self._clock(),
        )
        return Certified(certificate.signed(self._key))
