"""What the device knows of its issuer's servers: whom it trusts, since when, and the newest certificate of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Final

from msgspec import Meta

from fob_protocol.office.certificate import SERVERS_LIMIT, Certificate, RevocationList, Usage, read_certificate
from fob_protocol.office.directory import Servers
from fob_protocol.office.envelope import Answer
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import Count, Message, Name, Time, read
from fob_protocol.office.trust import Trust

# A server that is passing makes no difference to the others in its directory.
_PASSING: Final = frozenset({Fault.NOT_YET_VALID, Fault.EXPIRED, Fault.REVOKED, Fault.ROLLBACK})


class _Kept(Message, tag=1, frozen=True):
    """As it is stored."""

    time: Time
    revocations: RevocationList | None
    epochs: Annotated[dict[Name, Count], Meta(max_length=SERVERS_LIMIT)]
    certificates: Annotated[dict[Name, bytes], Meta(max_length=SERVERS_LIMIT)]


@dataclass(frozen=True, slots=True)
class Known:
    """`trust.time` is the latest that a server signed; `certificates` the newest of each server, signed.

    Every method that takes something new checks all of it first, and raises OfficeError with nothing changed. `clock`
    is the device's own, in seconds since 1970.
    """

    trust: Trust
    certificates: Mapping[str, bytes] = field(default_factory=dict)

    def octets(self) -> bytes:
        """To be kept; the issuer's key is kept by the factory."""
        kept = _Kept(self.trust.time, self.trust.revocations, dict(self.trust.epochs), dict(self.certificates))
        return kept.octets()

    @classmethod
    def from_octets(cls, issuer: bytes, octets: bytes) -> "Known":
        """What `octets` gave."""
        kept = read(_Kept, octets)
        return cls(Trust(issuer, kept.time, kept.revocations, kept.epochs), kept.certificates)

    def now(self, clock: int) -> Trust:
        """By the later of the two clocks."""
        return self.trust.at(clock)

    def server(self, name: str, usage: Usage, clock: int) -> Certificate:
        """The newest certificate of a server, which holds now. Raises OfficeError; OTHER_SERVER for an unknown one."""
        signed = self.certificates.get(name)
        if signed is None:
            raise OfficeError(Fault.OTHER_SERVER, f"no server {name} is known")
        return self.now(clock).check(signed, name, usage)

    def listed(self, usage: Usage) -> list[Certificate]:
        """The newest of every server with a usage, by name, whether it holds now or not."""
        newest = (read_certificate(self.trust.issuer, self.certificates[name]) for name in sorted(self.certificates))
        return [certificate for certificate in newest if usage in certificate.usages]

    def with_server(self, signed: bytes, name: str, usage: Usage, clock: int) -> tuple["Known", Certificate]:
        """After a server's certificate."""
        certificate = self.now(clock).check(signed, name, usage)
        return self._with(certificate, signed), certificate

    def with_directory(self, servers: Servers, clock: int) -> "Known":
        """After a directory: its list first, then each certificate that holds by it."""
        known = self.with_trust(self.now(clock).with_list(servers.revocations))
        for signed in servers.certificates:
            certificate = read_certificate(self.trust.issuer, signed)
            try:
                known.now(clock).check(signed, None, certificate.usages[0])
            except OfficeError as error:
                if error.fault not in _PASSING:
                    raise
            else:
                known = known._with(certificate, signed)
        return known

    def successor(self, name: str, clock: int, answer: Answer) -> Certificate:
        """Who signs a directory that the keys which were asked did not: the newest of this server by the directory
        itself, if all of that holds by what is known here and at its own time (R27).
        """
        at = max(clock, answer.time)
        return self.with_directory(read(Servers, answer.body), at).server(name, Usage.CONFIGURATION, at)

    def with_trust(self, trust: Trust) -> "Known":
        """After what a check came to; the device's own clock is not kept."""
        return replace(self, trust=replace(trust, time=self.trust.time))

    def with_time(self, time: int) -> "Known":
        """After a time that a server signed."""
        return replace(self, trust=self.trust.at(time))

    def _with(self, certificate: Certificate, signed: bytes) -> "Known":
        known = self.with_trust(self.trust.with_certificate(certificate))
        return replace(known, certificates={**self.certificates, certificate.server: signed})
