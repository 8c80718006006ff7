"""The newest directory, beside the issuer's key: an office that was put back takes up what was signed since.

Nothing in it is secret, and all of it is signed.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.directory.role import servers
from fob_office.errors import OperatorError
from fob_office.events.service import record
from fob_office.issuer.lists import latest_list
from fob_office.issuer.service import erase_revoked, issuer_public_key
from fob_office.issuer.tables import SignedList
from fob_office.office import Office
from fob_office.secrets.private_file import read_regular, replace_file
from fob_office.servers.tables import Server, ServerKeys
from fob_protocol.cose.headers import key_id
from fob_protocol.office.certificate import Certificate, RevocationList, read_certificate, read_revocation_list
from fob_protocol.office.directory import Servers
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.limits import ANSWER_LIMIT
from fob_protocol.office.message import read

FILE: Final = "directory.signed"
# Beside a key that is kept elsewhere.
_SUFFIX: Final = ".directory"
_ASIDE: Final = ".damaged"
_WHAT: Final = "the directory was not taken up"
_GIVE: Final = "fob-office issuer take-directory FILE, a file of `server directory`"


class Taken(NamedTuple):
    """`number`: of the list that was taken up. `lost`: servers with newer keys than are here."""

    number: int
    lost: tuple[str, ...]


def places(state: Path, issuer_key: Path | None) -> list[Path]:
    """Where it is kept."""
    beside = [issuer_key.with_name(issuer_key.name + _SUFFIX)] if issuer_key is not None else []
    return [state / FILE, *beside]


def keep(office: Office, paths: Sequence[Path]) -> None:
    """As it is now. Raises OSError."""
    with office.database.read() as session:
        octets = servers(session).octets()
    for path in paths:
        if not path.exists() or read_regular(path, len(octets) + 1) != octets:
            replace_file(path, octets)


def take_up_kept(office: Office, path: Path, who: str) -> Taken | None:
    """What the kept one says and this office does not; None: nothing, or there is none. Raises OperatorError."""
    return take_up(office, path, who) if os.path.lexists(path) else None


def set_aside(path: Path) -> Path:
    """What is no directory of this issuer's, under another name, for a new one to take its place. Raises OSError."""
    return path.rename(path.with_name(path.name + _ASIDE))


def take_up(office: Office, path: Path, who: str) -> Taken | None:
    """What a file of `server directory` says and this office does not, whatever the list's number; None: nothing.

    Raises OperatorError.
    """
    told = _read(path)
    with office.database.write() as session:
        issuer = issuer_public_key(session)
        try:
            new = read_revocation_list(issuer, told.revocations)
            certificates = [read_certificate(issuer, signed) for signed in told.certificates]
        except OfficeError as error:
            raise OperatorError(_WHAT, f"{path}: {error.why}", _GIVE) from None
        epochs = {server.name: server.epoch for server in session.scalars(select(Server))}
        pairs = zip(certificates, told.certificates, strict=True)
        newer = [(one, signed) for one, signed in pairs if one.epoch > epochs.get(one.server, 0)]
        for one, signed in newer:
            _take_certificate(session, one, signed)
        has_list = _take_list(session, new, told.revocations)
        if not (_take_epochs(session, new) or has_list or newer):
            return None
        record(session, office.now(), who, f"put back: list {new.number} taken up", "issuer")
        return Taken(new.number, tuple(sorted(one.server for one, _ in newer)))


def _take_certificate(session: Session, one: Certificate, signed: bytes) -> None:
    """Of keys that are not here any more."""
    server = session.get(Server, one.server) or Server(name=one.server, epoch=one.epoch, least_epoch=0)
    server.epoch = one.epoch
    session.add(server)
    session.flush()
    session.add(
        ServerKeys(
            server=one.server, epoch=one.epoch, key_id=key_id(one.sealing_key), certificate=signed,
            signing_key=None, sealing_key=None,
        )
    )  # fmt: skip


def _take_list(session: Session, new: RevocationList, signed: bytes) -> bool:
    """Whether it is the one to give out from now on."""
    if new.number <= latest_list(session).number:
        return False
    session.add(SignedList(number=new.number, issued=new.issued, until=new.until, signed=signed))
    session.flush()
    return True


def _take_epochs(session: Session, new: RevocationList) -> bool:
    """Whether it revokes what was not revoked here; private keys of those came back with the backup."""
    rows = session.scalars(select(Server).where(Server.name.in_(new.epochs))).all()
    behind = [server for server in rows if server.least_epoch < new.epochs[server.name]]
    for server in behind:
        server.least_epoch = new.epochs[server.name]
        erase_revoked(session, server.name, server.least_epoch)
    session.flush()
    return bool(behind)


def _read(path: Path) -> Servers:
    """Raises OperatorError."""
    try:
        return read(Servers, read_regular(path, ANSWER_LIMIT + 1))
    except OSError as error:
        raise OperatorError(_WHAT, f"{path}: {error.strerror}", _GIVE) from None
    except OfficeError as error:
        raise OperatorError(_WHAT, f"{path} is no directory: {error.why}", _GIVE) from None
