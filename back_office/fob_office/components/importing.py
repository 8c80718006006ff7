"""Taking a bundle in: a release by a release server of this office, whose private keys need not be here (C8, C25)."""

from typing import Final

from msgspec.structs import replace
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fob_office.components.candidates import release_of
from fob_office.components.drafts import SealedDraft
from fob_office.components.modules import wrong_with
from fob_office.components.service import LIST, add_chunks, enter_signed, seal_content_key
from fob_office.components.tables import Chunk, ReleaseState, SignedRelease
from fob_office.components.versions import pack
from fob_office.errors import OperatorError
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.servers.identity import certificate_of
from fob_office.servers.service import current_keys, receiver
from fob_protocol.cose import hpke, sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.headers import key_id
from fob_protocol.office.bundle import Bundle, open_bundle_key
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.component import Kind, words
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.limits import BUNDLE_LIMIT
from fob_protocol.office.message import read
from fob_protocol.office.release import Release, chunk_digests, open_content, read_release

_NOT_IMPORTED: Final = "the bundle was not imported"
_BUILD: Final = "fob-office component build --help    (where the release server's keys are)"


def import_bundle(office: Office, octets: bytes, who: str, state: ReleaseState) -> Release:
    """A new release, or one that is there under older keys of its server: that one is signed anew (R27).

    Nothing is kept unless all of it holds. Raises OperatorError.
    """
    if len(octets) > BUNDLE_LIMIT:
        raise OperatorError(_NOT_IMPORTED, f"a bundle has at most {BUNDLE_LIMIT} octets", _BUILD)
    with office.database.write() as session:
        try:
            bundle = read(Bundle, octets)
            signer = _signer(session, office, bundle)
            made = _opened(session, office, bundle, signer)
        except OfficeError as error:
            raise OperatorError(_NOT_IMPORTED, str(error), _BUILD) from None
        what = f"component imported ({state.name.lower()})"
        if _signed_anew(session, office, bundle, made, signer):
            what = "component signed anew"
        else:
            enter_signed(session, office, bundle.release, signer, made, state)
        record(session, office.now(), who, what, f"{made.release.id} {words(made.release.version)}")
    return made.release


def _signer(session: Session, office: Office, bundle: Bundle) -> Certificate:
    """What older keys signed would be worth nothing once they are revoked, so only the newest count."""
    try:
        signed_by = sign1.signer_of(bundle.release)
    except CoseError as error:
        raise OperatorError(_NOT_IMPORTED, f"it holds no release: {error}", _BUILD) from None
    for certificate in map(certificate_of, current_keys(session)):
        if key_id(certificate.signing_key) == signed_by:
            if certificate.not_after < office.now():
                command = f"fob-office server change-keys {certificate.server} --keys-file FILE"
                raise OperatorError(_NOT_IMPORTED, f"the certificate of {certificate.server} is over", command)
            return certificate
    why = "no server of this office has signed it with the keys that it has now"
    raise OperatorError(_NOT_IMPORTED, why, _BUILD)


def _opened(session: Session, office: Office, bundle: Bundle, signer: Certificate) -> SealedDraft:
    """All of it belongs together. Raises OfficeError, OperatorError."""
    release = read_release(signer, bundle.release)
    if release.until < office.now():
        raise OperatorError(_NOT_IMPORTED, f"{release.id} {words(release.version)} is over", _BUILD)
    if release.commands and release.kind is not Kind.MODULE:
        raise OperatorError(_NOT_IMPORTED, "data has no commands", _BUILD)
    if chunk_digests(bundle.content) != release.chunks:
        raise OperatorError(_NOT_IMPORTED, "its content is not what was signed", _BUILD)
    key = _content_key(session, office, bundle, release)
    content = open_content(release, bundle.content, key)
    if release.kind is Kind.MODULE and (why := wrong_with(content, has_commands=bool(release.commands))):
        raise OperatorError(_NOT_IMPORTED, why, _BUILD)
    return SealedDraft(release, key, bundle.content)


def _content_key(session: Session, office: Office, bundle: Bundle, release: Release) -> bytes:
    try:
        server = receiver(session, office.sealer, hpke.receiver_of(bundle.key))
    except CoseError as error:
        raise OperatorError(_NOT_IMPORTED, f"it holds no key: {error}", _BUILD) from None
    if server is None or not server.may(Usage.CONFIGURATION):
        raise OperatorError(_NOT_IMPORTED, "its key is not sealed to a configuration server of this office", _BUILD)
    return open_bundle_key(server.sealing_key, bundle.key, release)


def _signed_anew(session: Session, office: Office, bundle: Bundle, made: SealedDraft, signer: Certificate) -> bool:
    """Whether it was a release that is there, by newer keys: what was signed and sealed takes the old one's place.

    Raises OperatorError when it is another one under the same version.
    """
    release = made.release
    same = (SignedRelease.component == release.id, SignedRelease.version == pack(release.version))
    older = (SignedRelease.server == signer.server, SignedRelease.epoch < signer.epoch)
    row = session.scalars(select(SignedRelease).where(*same, *older).with_for_update()).one_or_none()
    if row is None:
        return False
    if _without_seal(release_of(row.signed)) != _without_seal(release):
        what = f"{release.id} {words(release.version)}"
        raise OperatorError(_NOT_IMPORTED, f"there is another {what}: what changes gets a higher version", LIST)
    row.signed, row.digest, row.epoch = bundle.release, digest(bundle.release), signer.epoch
    row.content_key = seal_content_key(office, release, made.key)
    session.execute(delete(Chunk).where(Chunk.release == row.id))
    add_chunks(session, row, made.content)
    return True


def _without_seal(release: Release) -> Release:
    """What is the same whenever it is built."""
    return replace(release, chunks=(bytes(32),), until=0)
