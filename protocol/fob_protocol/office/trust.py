"""What a token knows of its issuer and the servers, and the rules by which it takes a certificate (R9, R27)."""

from dataclasses import dataclass, field, replace

from fob_protocol.office.certificate import Certificate, RevocationList, Usage, read_certificate, read_revocation_list
from fob_protocol.office.errors import Fault, OfficeError


@dataclass(frozen=True, slots=True)
class Trust:
    """`issuer` is its public key; `epochs` the highest seen of each server; `time` the latest that was signed."""

    issuer: bytes
    time: int = 0
    revocations: RevocationList | None = None
    epochs: dict[str, int] = field(default_factory=dict)

    def at(self, clock: int) -> "Trust":
        """As it is when the device's own clock shows `clock`: time never goes back."""
        return replace(self, time=max(self.time, clock))

    def with_list(self, signed: bytes) -> "Trust":
        """After a revocation list. Raises OfficeError; nothing is changed then."""
        new = read_revocation_list(self.issuer, signed)
        old = self.revocations
        if old is not None:
            if new.number < old.number or (new.number == old.number and new != old):
                raise OfficeError(Fault.LIST_ROLLBACK, f"list {new.number} comes after list {old.number}")
            lowered = [server for server, least in old.epochs.items() if new.epochs.get(server, 0) < least]
            if lowered:
                raise OfficeError(Fault.LIST_ROLLBACK, f"it forgives what an earlier list revoked: {lowered[0]}")
        if new.until < self.time:
            raise OfficeError(Fault.LIST_EXPIRED, "the revocation list is over")
        return replace(self, revocations=new)

    def check(self, signed: bytes, server: str | None, usage: Usage) -> Certificate:
        """A certificate of who answers: it holds now, for a server (None: any) and a usage. Raises OfficeError."""
        certificate = self.check_signer(signed, server, usage)
        self._check_seen(certificate)
        return certificate

    def check_signer(self, signed: bytes, server: str | None, usage: Usage) -> Certificate:
        """A certificate of who signed something once: newer keys take nothing from it until these are revoked.

        Raises OfficeError.
        """
        certificate = read_certificate(self.issuer, signed)
        if server is not None and certificate.server != server:
            raise OfficeError(Fault.OTHER_SERVER, f"it is of {certificate.server}, not of {server}")
        if usage not in certificate.usages:
            raise OfficeError(Fault.OTHER_USAGE, f"{certificate.server} has no certificate for {usage.name.lower()}")
        self._check_time(certificate)
        self._check_not_revoked(certificate)
        return certificate

    def is_revoked(self, certificate: Certificate) -> bool:
        """Whether the newest list says that these keys are worth nothing."""
        revoked = self.revocations.epochs.get(certificate.server, 0) if self.revocations else 0
        return certificate.epoch < revoked

    def with_certificate(self, certificate: Certificate) -> "Trust":
        """After one that `check` gave: no earlier key of this server is taken from now on."""
        return replace(self, epochs=self.epochs | {certificate.server: certificate.epoch})

    def _check_time(self, certificate: Certificate) -> None:
        if self.time < certificate.not_before:
            raise OfficeError(Fault.NOT_YET_VALID, f"the certificate of {certificate.server} has not begun")
        if self.time > certificate.not_after:
            raise OfficeError(Fault.EXPIRED, f"the certificate of {certificate.server} is over")

    def _check_not_revoked(self, certificate: Certificate) -> None:
        if self.is_revoked(certificate):
            raise OfficeError(Fault.REVOKED, f"epoch {certificate.epoch} of {certificate.server} was revoked")

    def _check_seen(self, certificate: Certificate) -> None:
        seen = self.epochs.get(certificate.server, 0)
        if certificate.epoch < seen:
            raise OfficeError(Fault.ROLLBACK, f"epoch {certificate.epoch} of {certificate.server} comes after {seen}")
