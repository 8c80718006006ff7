"""Adding and withdrawing releases: signed and sealed once, here, and given to devices as they are (C8, MP3)."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fob_office.components.candidates import Candidates, load_candidates, release_of
from fob_office.components.drafts import Draft, SealedDraft
from fob_office.components.tables import Chunk, CommandName, ReleaseState, SignedRelease
from fob_office.components.versions import pack
from fob_office.errors import NotFoundError, OperatorError
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.paging import PAGE
from fob_office.secrets.sealing import Place
from fob_office.servers.identity import Identity
from fob_office.servers.service import identity
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.component import words
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Version
from fob_protocol.office.release import Release, chunks_of, open_content

LIST: Final = "fob-office component list"
# The first office's server for it.
SERVER: Final = "release"


def add_release(
    office: Office, draft: Draft, who: str, *, server: str = SERVER, state: ReleaseState = ReleaseState.AVAILABLE
) -> SignedRelease:
    """Raises OperatorError: no device would take it, the version is there, a command is another's, a circle."""
    with office.database.write() as session:
        return enter_release(session, office, draft, who, server=server, state=state)


def enter_release(
    session: Session, office: Office, draft: Draft, who: str, *, server: str, state: ReleaseState
) -> SignedRelease:
    """In a transaction that does more. Raises OperatorError."""
    signer = _signer(session, office, server)
    made = draft.sealed(office.surroundings, office.now())
    row = enter_signed(session, office, made.release.signed(signer.signing_key), signer.certificate, made, state)
    record(session, office.now(), who, f"component added ({state.name.lower()})", _called(made.release))
    return row


def enter_signed(
    session: Session, office: Office, signed: bytes, signer: Certificate, made: SealedDraft, state: ReleaseState
) -> SignedRelease:
    """A release by the newest keys of a server of this office. Raises OperatorError."""
    release = made.release
    _check_dependencies(session, release)
    _take_commands(session, release)
    row = SignedRelease(
        component=release.id, version=pack(release.version), signed=signed, digest=digest(signed),
        server=signer.server, epoch=signer.epoch, content_key=seal_content_key(office, release, made.key),
        state=state, added=office.now(),
    )  # fmt: skip
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        why = "a version is released once; what changes gets a higher one"
        raise OperatorError(f"there is {_called(release)} already", why, LIST) from None
    add_chunks(session, row, made.content)
    return row


def add_chunks(session: Session, row: SignedRelease, content: bytes) -> None:
    """As devices fetch them."""
    session.add_all(Chunk(release=row.id, position=at, data=data) for at, data in enumerate(chunks_of(content)))


def withdraw(office: Office, component: str, version: Version, who: str) -> None:
    """Nobody gets it from now on. Raises OperatorError."""
    with office.database.write() as session:
        row = release_row(session, component, version)
        if not set_state(session, row.id, ReleaseState.WITHDRAWN):
            raise OperatorError(f"{component} {words(version)} was not withdrawn", "it is so already", LIST)
        record(session, office.now(), who, "component withdrawn", f"{component} {words(version)}")


def set_state(session: Session, row: int, state: ReleaseState) -> bool:
    """False: it was so, or it was withdrawn, which is for good."""
    withdrawn = ReleaseState.WITHDRAWN
    change = update(SignedRelease).where(
        SignedRelease.id == row, SignedRelease.state != state, SignedRelease.state != withdrawn
    )  # fmt: skip
    return session.scalars(change.values(state=state).returning(SignedRelease.id)).one_or_none() is not None


def resign_server(office: Office, server: str, who: str) -> int:
    """All releases of a server, by its newest keys (R27); how many were signed anew. Raises OperatorError."""
    with office.database.write() as session:
        count = resign(session, _signer(session, office, server))
        record(session, office.now(), who, f"{count} releases signed anew", server)
        return count


def resign(session: Session, signer: Identity) -> int:
    """What older keys signed, so that these can be revoked: until then devices take it as it is."""
    query = select(SignedRelease).where(SignedRelease.server == signer.name, SignedRelease.epoch < signer.epoch)
    rows = session.scalars(query).all()
    for row in rows:
        row.signed = release_of(row.signed).signed(signer.signing_key)
        row.digest = digest(row.signed)
        row.epoch = signer.epoch
    session.flush()
    return len(rows)


def content_of(session: Session, office: Office, row: SignedRelease) -> bytes:
    """What was released, out of its chunks. Raises OfficeError when they are damaged, UnsealError."""
    chunks = session.scalars(select(Chunk.data).where(Chunk.release == row.id).order_by(Chunk.position))
    key = content_key(office, row.component, row.version, row.content_key)
    return open_content(release_of(row.signed), b"".join(chunks), key)


def content_key(office: Office, component: str, version: int, sealed: bytes) -> bytes:
    """32 octets; `version` is packed. Raises UnsealError."""
    return office.sealer.unseal(_place(component, version), sealed)


def seal_content_key(office: Office, release: Release, key: bytes) -> bytes:
    """As it stands in the row of the release."""
    return office.sealer.seal(_place(release.id, pack(release.version)), key)


def release_row(session: Session, component: str, version: Version) -> SignedRelease:
    """Raises NotFoundError."""
    query = select(SignedRelease).where(SignedRelease.component == component, SignedRelease.version == pack(version))
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFoundError(f"there is no {component} {words(version)}", "it was never added", LIST)
    return found


def releases_after(session: Session, last: int, count: int = PAGE) -> Sequence[SignedRelease]:
    """Those behind a row's id, oldest first."""
    query = select(SignedRelease).where(SignedRelease.id > last).order_by(SignedRelease.id).limit(count)
    return session.scalars(query).all()


def releases_of(session: Session, component: str) -> Sequence[SignedRelease]:
    """Newest first. Raises NotFoundError: there is none."""
    query = select(SignedRelease).where(SignedRelease.component == component).order_by(SignedRelease.version.desc())
    if not (found := session.scalars(query).all()):
        raise NotFoundError(f"there is no component {component}", "it was never added", LIST)
    return found


def highest_version(session: Session, component: str) -> int:
    """Packed; 0 when there is none."""
    return session.scalar(select(func.max(SignedRelease.version)).where(SignedRelease.component == component)) or 0


def highest_offered(session: Session, component: str) -> int:
    """The same of those that were not withdrawn: a staged one comes by its rollout."""
    query = select(func.max(SignedRelease.version)).where(
        SignedRelease.component == component, SignedRelease.state != ReleaseState.WITHDRAWN
    )
    return session.scalar(query) or 0


def dependents_of(session: Session, component: str) -> set[str]:
    """Itself, and all whose releases need it, however far."""
    needs: dict[str, set[str]] = {}
    for row in session.scalars(select(SignedRelease)):
        needs.setdefault(row.component, set()).update(one.id for one in release_of(row.signed).dependencies)
    found: set[str] = set()
    new = {component}
    while new:
        found |= new
        new = {name for name, needed in needs.items() if needed & found} - found
    return found


def _signer(session: Session, office: Office, server: str) -> Identity:
    signer = identity(session, office.sealer, server)
    if not signer.may(Usage.RELEASE):
        raise OperatorError(
            f"{server} signs no releases", "its certificate is for something else", "fob-office server list"
        )
    return signer


def _check_dependencies(session: Session, release: Release) -> None:
    """Raises OperatorError: what it needs is not there, or needs it."""
    what = f"{_called(release)} was not added"
    for needed in release.dependencies:
        candidates = load_candidates(session, [needed.id])
        if not any(
            candidate.release.version >= needed.least and candidate.state is not ReleaseState.WITHDRAWN
            for candidate in candidates[needed.id]
        ):
            raise OperatorError(what, f"there is no {needed.id} from {words(needed.least)} on", LIST)
        if release.id in _all_needed(candidates) | {needed.id}:
            raise OperatorError(what, f"{needed.id} needs {release.id} itself", LIST)


def _all_needed(candidates: Candidates) -> set[str]:
    return {
        needed.id for listed in candidates.values() for candidate in listed for needed in candidate.release.dependencies
    }


def _take_commands(session: Session, release: Release) -> None:
    """Raises OperatorError: a command is another component's, or is named twice."""
    what = f"{_called(release)} was not added"
    if len(set(release.commands)) < len(release.commands):
        raise OperatorError(what, "a command is named twice", LIST)
    owners = dict(
        session.execute(
            select(CommandName.command, CommandName.component).where(CommandName.command.in_(release.commands))
        ).all()
    )  # fmt: skip
    for command in release.commands:
        owner = owners.get(command)
        if owner is not None and owner != release.id:
            raise OperatorError(what, f"+{command} is a command of {owner}", f"fob-office component show {owner}")
        if owner is None:
            session.add(CommandName(command=command, component=release.id))
    try:
        session.flush()
    except IntegrityError:
        raise OperatorError(what, "somebody else has just taken its command", LIST) from None


def _called(release: Release) -> str:
    return f"{release.id} {words(release.version)}"


def _place(component: str, version: int) -> Place:
    return Place(SignedRelease.__tablename__, "content_key", [component, version])
