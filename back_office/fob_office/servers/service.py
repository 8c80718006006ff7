"""Which server a question is for, and which servers there are."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from fob_office.errors import NotFoundError, OperatorError
from fob_office.secrets.sealing import Sealer
from fob_office.servers.identity import Identity, certificate_of, opened, opened_sealing_key
from fob_office.servers.tables import Server, ServerKeys
from fob_protocol.office.certificate import Certificate, Usage

LIST: Final = "fob-office server list"

# Every question begins with it: the statement is made once.
_RECEIVER: Final = (
    select(ServerKeys)
    .join(Server)
    .where(ServerKeys.key_id == bindparam("key_id"), ServerKeys.epoch >= Server.least_epoch)
)

_FORMER: Final = (
    select(ServerKeys)
    .join(Server)
    .where(ServerKeys.key_id == bindparam("key_id"), ServerKeys.epoch < Server.least_epoch)
)
_NEWEST: Final = (
    select(ServerKeys)
    .join(Server)
    .where(Server.name == bindparam("name"), ServerKeys.epoch == Server.epoch, Server.epoch >= Server.least_epoch)
)
# What else is asked of a server with these is secret for longer than its keys are good.
_ASKED_SECRETS: Final = set(Usage) - {Usage.CONFIGURATION, Usage.RELEASE, Usage.ENTITLEMENT}


def receiver(session: Session, sealer: Sealer, key_id: bytes) -> Identity | None:
    """The server whose sealing key this is, unless it was revoked. Raises UnsealError."""
    keys = session.scalars(_RECEIVER, {"key_id": key_id}).one_or_none()
    return opened(sealer, keys) if keys is not None else None


def still_opens(certificate: Certificate) -> bool:
    """Whether the sealing key is kept when these keys are revoked: it opens questions for the directory from devices
    that have not heard of newer keys, and the factory records that an operator adds. Not where other questions were
    sealed to it too: whoever takes it later must not open those that he recorded.
    """
    return Usage.CONFIGURATION in certificate.usages and not _ASKED_SECRETS & set(certificate.usages)


def former(session: Session, sealer: Sealer, key_id: bytes) -> Identity | None:
    """The server that a revoked sealing key was of, with that key and its newest keys for the rest; None if there is
    no such, or the server is revoked altogether. Raises UnsealError.
    """
    old = session.scalars(_FORMER, {"key_id": key_id}).one_or_none()
    if old is None or old.sealing_key is None:
        return None
    newest = session.scalars(_NEWEST, {"name": old.server}).one_or_none()
    now = opened(sealer, newest) if newest is not None else None
    return replace(now, sealing_key=opened_sealing_key(sealer, old, old.sealing_key)) if now is not None else None


def identity(session: Session, sealer: Sealer, name: str) -> Identity:
    """A server with its newest keys. Raises NotFoundError, OperatorError when they are elsewhere, UnsealError."""
    newest = newest_keys(session, name)
    found = opened(sealer, newest)
    if found is None:
        why = "its private keys are kept elsewhere, revoked, or lost with what came after a backup"
        raise OperatorError(f"server {name} cannot sign here", why, _able_again(certificate_of(newest)))
    return found


def newest_keys(session: Session, name: str) -> ServerKeys:
    """The row of a server's newest epoch. Raises NotFoundError."""
    query = select(ServerKeys).join(Server).where(Server.name == name, ServerKeys.epoch == Server.epoch)
    keys = session.scalars(query).one_or_none()
    if keys is None:
        raise NotFoundError(f"there is no server {name}", "it was never added", LIST)
    return keys


def _able_again(certificate: Certificate) -> str:
    """The command for keys that are here; with what older ones signed."""
    new = f"fob-office server change-keys {certificate.server}"
    if Usage.RELEASE not in certificate.usages:
        return new
    resign = f"then fob-office component resign --signer {certificate.server}"
    return f"fob-office component build, where the keys are; if they are lost {new}, {resign}"


def sign_anew(newest: ServerKeys) -> str:
    """The command by which a release server's newest keys sign what older ones did."""
    if newest.signing_key is None:
        lost = f"if these are lost: fob-office server change-keys {newest.server}, then component resign"
        return f"fob-office component build, and import    (each release anew, by the newest keys; {lost})"
    return f"fob-office component resign --signer {newest.server}"


def current_keys(session: Session) -> Sequence[ServerKeys]:
    """The newest epoch of every server that is not revoked, by name."""
    query = select(ServerKeys).join(Server).where(
        ServerKeys.epoch == Server.epoch, ServerKeys.epoch >= Server.least_epoch
    )  # fmt: skip
    return session.scalars(query.order_by(Server.name)).all()
