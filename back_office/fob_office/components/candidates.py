"""The releases of components as a set may be made of them, with all that they depend on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.components.tables import ReleaseState, SignedRelease
from fob_office.servers.identity import certificate_of
from fob_office.servers.tables import Server, ServerKeys
from fob_protocol.cose import sign1
from fob_protocol.office.message import read
from fob_protocol.office.release import Release

# Newest first.
Candidates = Mapping[str, list["Candidate"]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release whose signer is not revoked. `certificate`: the signer's, as the issuer gave it out."""

    row: int
    state: ReleaseState
    release: Release
    signed: bytes = field(repr=False)
    digest: bytes
    content_key: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    until: int


@lru_cache(maxsize=1024)
def release_of(signed: bytes) -> Release:
    """What stands in a row of releases: it was checked when it was made."""
    return read(Release, sign1.unverified_payload(signed))


def load_candidates(session: Session, components: Iterable[str]) -> Candidates:
    """All releases of these components, and of what any of these depends on: a query for each level."""
    found: dict[str, list[Candidate]] = {}
    missing = set(components)
    while missing:
        found |= {component: [] for component in missing}
        query = (
            select(SignedRelease, ServerKeys)
            .join(ServerKeys)
            .join(Server)
            .where(SignedRelease.component.in_(missing), SignedRelease.epoch >= Server.least_epoch)
            .order_by(SignedRelease.component, SignedRelease.version.desc())
        )
        for row, keys in session.execute(query):
            found[row.component].append(_candidate(row, keys))
        missing = _needed(found) - found.keys()
    return found


def needed_by(session: Session, components: Iterable[str]) -> set[str]:
    """What any release of these ever depended on, and of what these need in turn, whoever signed it."""
    found: set[str] = set()
    missing = set(components)
    while missing:
        query = select(SignedRelease.signed).where(SignedRelease.component.in_(missing))
        needed = {one.id for signed in session.scalars(query) for one in release_of(signed).dependencies}
        missing = needed - found
        found |= needed
    return found


def _candidate(row: SignedRelease, keys: ServerKeys) -> Candidate:
    release = release_of(row.signed)
    return Candidate(
        row.id, ReleaseState(row.state), release, row.signed, row.digest, row.content_key, keys.certificate,
        min(release.until, certificate_of(keys).not_after),
    )  # fmt: skip


def _needed(found: Candidates) -> set[str]:
    return {
        needed.id
        for candidates in found.values()
        for candidate in candidates
        for needed in candidate.release.dependencies
    }
