"""A program as distribution and validation see it, whichever store it is in, and its octets as they are measured."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from fob_office.components.candidates import release_of
from fob_office.components.service import content_of
from fob_office.components.tables import SignedRelease
from fob_office.components.versions import pack, unpack
from fob_office.office import Office
from fob_office.programs.tables import InstallationPiece, InstallationState, StoredInstallation
from fob_office.secrets.sealing import Place
from fob_protocol.integrity.limits import PIECE_SIZE
from fob_protocol.integrity.source import Octets, Source
from fob_protocol.office.component import words
from fob_protocol.office.message import Version

# Pieces of an installation that are kept while it is read: what is read at once lies in two.
_PIECES = 2


@dataclass(frozen=True, slots=True)
class Program:
    """`release` or `installation` is its row. `is_withdrawn` of an installation: new copies of it are disabled."""

    name: str
    version: Version
    size: int
    digest: bytes
    release: int | None = None
    installation: int | None = None
    is_withdrawn: bool = False

    @property
    def called(self) -> str:
        """For people."""
        return f"{self.name} {words(self.version)}"


def find_programs(session: Session, keys: Collection[tuple[str, Version]]) -> dict[tuple[str, Version], Program]:
    """Those of these names and versions that there are. A release goes before an installation of the same name."""
    packed = [(name, pack(version)) for name, version in keys]
    stored = select(StoredInstallation).where(tuple_(StoredInstallation.name, StoredInstallation.version).in_(packed))
    released = select(SignedRelease).where(tuple_(SignedRelease.component, SignedRelease.version).in_(packed))
    found = [
        *map(program_of_installation, session.scalars(stored)),
        *map(program_of_release, session.scalars(released)),
    ]
    return {(program.name, program.version): program for program in found}


def find_program(session: Session, name: str, version: Version) -> Program | None:
    """One of them."""
    return find_programs(session, [(name, version)]).get((name, version))


def newest_version(session: Session, name: str) -> Program | None:
    """Of a program."""
    release = select(SignedRelease).where(SignedRelease.component == name)
    row = session.scalars(release.order_by(SignedRelease.version.desc()).limit(1)).one_or_none()
    if row is not None:
        return program_of_release(row)
    query = select(StoredInstallation).where(StoredInstallation.name == name)
    stored = session.scalars(query.order_by(StoredInstallation.version.desc()).limit(1)).one_or_none()
    return program_of_installation(stored) if stored is not None else None


def program_of_release(row: SignedRelease) -> Program:
    """Its content is the program."""
    release = release_of(row.signed)
    return Program(release.id, release.version, release.size, release.digest, release=row.id)


def program_of_installation(row: StoredInstallation) -> Program:
    """All files of it are."""
    is_withdrawn = row.state == InstallationState.WITHDRAWN
    return Program(
        row.name, unpack(row.version), row.size, row.digest, installation=row.id, is_withdrawn=is_withdrawn
    )  # fmt: skip


def reference(session: Session, office: Office, release: int | None, installation: int | None) -> Source:
    """The octets that were released or added. The session is read from for as long as they are.

    Raises UnsealError, and OfficeError for chunks that are damaged.
    """
    if release is not None:
        return Octets(content_of(session, office, session.get_one(SignedRelease, release)))
    return StoredSource(session, office, session.get_one(StoredInstallation, installation))


class StoredSource:
    """An installation, read piece by piece: never all of it is in memory. Reading raises UnsealError."""

    def __init__(self, session: Session, office: Office, row: StoredInstallation) -> None:
        self._session = session
        self._office = office
        self._row = row
        self._piece = lru_cache(_PIECES)(self._open)

    @property
    def length(self) -> int:
        """In octets."""
        return self._row.size

    def read(self, at: int, size: int) -> bytes:
        """Of as many pieces as it lies in."""
        return b"".join(self._parts(at, at + size))

    def _parts(self, begin: int, end: int) -> Iterator[bytes]:
        for position in range(begin // PIECE_SIZE, -(-end // PIECE_SIZE)):
            start = position * PIECE_SIZE
            yield self._piece(position)[max(0, begin - start) : end - start]

    def _open(self, position: int) -> bytes:
        query = select(InstallationPiece.data).where(
            InstallationPiece.installation == self._row.id, InstallationPiece.position == position
        )
        sealed = self._session.scalars(query).one()
        return self._office.sealer.unseal(piece_place(self._row.name, self._row.version, position), sealed)


def piece_place(name: str, version: int, position: int) -> Place:
    """Where a piece stands; `version` is packed."""
    return Place(InstallationPiece.__tablename__, "data", [name, version, position])
