"""Adding and withdrawing installations, and saying how copies of a program are made."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fob_office.components.service import highest_version
from fob_office.components.versions import pack
from fob_office.errors import NotFoundError, OperatorError, UsageError
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.paging import PAGE
from fob_office.programs.programs import Program, find_program, newest_version, piece_place
from fob_office.programs.settings import Setting, default_setting, embedder_of, method_of, read_setting, setting_of
from fob_office.programs.tables import (
    EVERY_VERSION,
    InstallationPiece,
    InstallationState,
    ProgramSetting,
    StoredInstallation,
)
from fob_protocol.integrity.copy_record import Policy
from fob_protocol.integrity.installation import Installation, InstallationError
from fob_protocol.integrity.limits import PIECE_SIZE
from fob_protocol.integrity.method import Embedder, Technique, Variant
from fob_protocol.office.component import words
from fob_protocol.office.message import Name, Version

LIST: Final = "fob-office program list"
ADD: Final = "fob-office program add --help"


@dataclass(frozen=True, slots=True)
class Change:
    """What an operator says of a program's copies; None is as it was."""

    technique: Technique | None = None
    embedder: Embedder | None = None
    variant: Variant | None = None
    lifetime: int | None = None
    interval: int | None = None
    grace: int | None = None
    rolls: bool | None = None


def add_installation(office: Office, name: str, version: Version, installation: Installation, who: str) -> None:
    """Its octets are kept sealed; what was withdrawn is added again, also with other octets.

    Raises OperatorError: it is there, or the files are none that can be measured.
    """
    called = f"{name} {words(version)}"
    _check_name(name)
    try:
        digest = installation.digest()
        with office.database.write() as session:
            row = _again(session, name, version, installation, digest)
            is_again = row is not None
            row = row or _enter(session, office, name, version, installation, digest)
            if _keep(session, office, row, installation) != digest:
                raise InstallationError("its files changed while they were read")
            record(session, office.now(), who, "program added again" if is_again else "program added", called)
    except InstallationError as error:
        raise OperatorError(f"{called} was not added", str(error), ADD) from None


def withdraw_installation(office: Office, name: str, version: Version, who: str) -> None:
    """Copies that are made from now on are disabled. Raises OperatorError."""
    called = f"{name} {words(version)}"
    with office.database.write() as session:
        program = program_of(session, name, version)
        if program.release is not None:
            command = f"fob-office component withdraw {called}"
            raise OperatorError(f"{called} was not withdrawn", "it is a component", command)
        change = update(StoredInstallation).where(
            StoredInstallation.id == program.installation, StoredInstallation.state == InstallationState.AVAILABLE
        )
        changed = change.values(state=InstallationState.WITHDRAWN).returning(StoredInstallation.id)
        if session.scalars(changed).one_or_none() is None:
            raise OperatorError(f"{called} was not withdrawn", "it is so already", LIST)
        record(session, office.now(), who, "program withdrawn", called)


def change_setting(office: Office, name: str, version: Version | None, change: Change, who: str) -> Setting:
    """Of one version, or of all that have none of their own; without a change it is only looked at.

    Raises OperatorError: there is no such program.
    """
    if change == Change():
        with office.database.read() as session:
            return _setting(session, name, version)
    with office.database.write() as session:
        old = _setting(session, name, version)
        setting = _changed(old, change)
        session.merge(_row(name, version, setting))
        try:
            session.flush()
        except IntegrityError:
            why = "somebody else has just done so"
            raise OperatorError(f"{name} was not changed", why, "the same command again") from None
        about = name if version is None else f"{name} {words(version)}"
        record(session, office.now(), who, "program policy changed", about)
    return setting


def program_of(session: Session, name: str, version: Version) -> Program:
    """Raises NotFoundError."""
    program = find_program(session, name, version)
    if program is None:
        raise NotFoundError(f"there is no program {name} {words(version)}", "it was never added", LIST)
    return program


def installations_after(session: Session, last: int, count: int = PAGE) -> Sequence[StoredInstallation]:
    """Those behind a row's id, oldest first."""
    query = select(StoredInstallation).where(StoredInstallation.id > last)
    return session.scalars(query.order_by(StoredInstallation.id).limit(count)).all()


def _check_name(name: str) -> None:
    try:
        msgspec.convert(name, Name)
    except msgspec.ValidationError:
        raise UsageError("that is no program's name", "small letters, digits, '.' and '-', up to 32", ADD) from None


def _again(
    session: Session, name: str, version: Version, installation: Installation, digest: bytes
) -> StoredInstallation | None:
    """A mistake is mended: what was withdrawn gives way, and who has a copy of it gets another one."""
    change = update(StoredInstallation).where(
        StoredInstallation.name == name, StoredInstallation.version == pack(version),
        StoredInstallation.state == InstallationState.WITHDRAWN,
    )  # fmt: skip
    now = {"state": InstallationState.AVAILABLE, "size": installation.length, "digest": digest}
    row = session.scalars(change.values(now).returning(StoredInstallation)).one_or_none()
    if row is not None:
        session.execute(delete(InstallationPiece).where(InstallationPiece.installation == row.id))
    return row


def _enter(
    session: Session, office: Office, name: str, version: Version, installation: Installation, digest: bytes
) -> StoredInstallation:
    called = f"{name} {words(version)}"
    if highest_version(session, name):
        raise OperatorError(f"{called} was not added", f"{name} is a component", "fob-office component list")
    row = StoredInstallation(
        name=name, version=pack(version), size=installation.length, digest=digest,
        state=InstallationState.AVAILABLE, added=office.now(),
    )  # fmt: skip
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        why = "a version is added once; what changes gets a higher one, and a mistake is withdrawn first"
        raise OperatorError(f"there is {called} already", why, f"fob-office program withdraw {called}") from None
    return row


def _keep(session: Session, office: Office, row: StoredInstallation, installation: Installation) -> bytes:
    """One piece in memory at a time; the digest of them all."""
    value = hashlib.sha256()
    for position, at in enumerate(range(0, installation.length, PIECE_SIZE)):
        piece = installation.read(at, min(PIECE_SIZE, installation.length - at))
        value.update(piece)
        sealed = office.sealer.seal(piece_place(row.name, row.version, position), piece)
        session.execute(insert(InstallationPiece).values(installation=row.id, position=position, data=sealed))
    return value.digest()


def _setting(session: Session, name: str, version: Version | None) -> Setting:
    """As it stands. Raises NotFoundError."""
    if version is not None:
        return setting_of(session, program_of(session, name, version))
    newest = newest_version(session, name)
    if newest is None:
        raise NotFoundError(f"there is no program {name}", "it was never added", LIST)
    row = session.get(ProgramSetting, (name, EVERY_VERSION))
    return read_setting(row) if row is not None else default_setting(newest)


def _changed(old: Setting, change: Change) -> Setting:
    """Raises OperatorError: no such method."""
    technique = change.technique or old.method.technique
    embedder = change.embedder or embedder_of(technique, old.method.embedder)
    method = method_of(technique, embedder, change.variant or old.method.variant)
    policy = Policy(
        old.policy.lifetime if change.lifetime is None else change.lifetime,
        old.policy.interval if change.interval is None else change.interval,
        old.policy.grace if change.grace is None else change.grace,
        old.policy.rolls if change.rolls is None else change.rolls,
    )
    return Setting(method, policy)


def _row(name: str, version: Version | None, setting: Setting) -> ProgramSetting:
    method, policy = setting.method, setting.policy
    return ProgramSetting(
        program=name, version=EVERY_VERSION if version is None else pack(version),
        technique=method.technique, embedder=method.embedder, variant=method.variant,
        lifetime=policy.lifetime, interval=policy.interval, grace=policy.grace, rolls=policy.rolls,
    )  # fmt: skip
