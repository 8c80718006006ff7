"""Releases that are signed away from the office, where the release server's keys are: no office is opened here."""

from dataclasses import dataclass, field
from typing import Final

from fob_office.components.drafts import Draft, SealedDraft
from fob_office.errors import OperatorError
from fob_office.servers.key_pair import KeyPair
from fob_office.surroundings import Surroundings
from fob_protocol.office.bundle import Bundle, seal_bundle_key
from fob_protocol.office.certificate import Certificate, Usage, read_certificate
from fob_protocol.office.directory import Servers
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read
from fob_protocol.office.trust import Trust

# The first office's server for it.
OFFICE: Final = "configuration"
NOT_BUILT: Final = "no bundle was built"
FETCH: Final = "fob-office server directory FILE    (at the office)"


@dataclass(frozen=True, slots=True)
class Bench:
    """The release server's keys with the certificate that is for them, and whom contents' keys are sealed to."""

    keys: KeyPair = field(repr=False)
    signer: Certificate
    office: Certificate

    def build(self, draft: Draft, surroundings: Surroundings) -> tuple[SealedDraft, bytes]:
        """What is signed, and the bundle. Raises OperatorError for what no device would take."""
        made = draft.sealed(surroundings, surroundings.clock())
        key = seal_bundle_key(made.key, self.office.sealing_key, made.release)
        return made, Bundle(made.release.signed(self.keys.signing), key, made.content).octets()


def open_bench(keys: KeyPair, directory: bytes, issuer: bytes, office: str, now: int) -> Bench:
    """`directory` as the office gives it to devices, checked as devices do. Raises OperatorError."""
    try:
        servers = read(Servers, directory)
        trust = Trust(issuer, now).with_list(servers.revocations)
        named = {read_certificate(issuer, signed).server: signed for signed in servers.certificates}
        if office not in named:
            raise OperatorError(NOT_BUILT, f"the directory has no server {office}", "--office NAME")
        sealed_to = trust.check(named[office], office, Usage.CONFIGURATION)
        signer = _signer(keys, named, issuer)
        trust.check(named[signer.server], signer.server, Usage.RELEASE)
    except OfficeError as error:
        raise OperatorError(NOT_BUILT, f"the directory is not to be trusted: {error}", FETCH) from None
    return Bench(keys, signer, sealed_to)


def _signer(keys: KeyPair, named: dict[str, bytes], issuer: bytes) -> Certificate:
    own = keys.signing.public_key().public_bytes_raw()
    for signed in named.values():
        certificate = read_certificate(issuer, signed)
        if certificate.signing_key == own:
            return certificate
    why = "no server has these keys now: they were changed or revoked, or belong to another office"
    raise OperatorError(NOT_BUILT, why, FETCH)
