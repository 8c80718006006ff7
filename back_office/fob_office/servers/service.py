"""Which server a question is for, and which servers there are."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from fob_office.errors import NotFoundError, OperatorError
from fob_office.secrets.sealing import Sealer
from fob_office.servers.identity import Identity, opened
from fob_office.servers.tables import Server, ServerKeys

LIST: Final = "fob-office server list"

# Every question begins with it: the statement is made once.
_RECEIVER: Final = (
    select(ServerKeys)
    .join(Server)
    .where(ServerKeys.key_id == bindparam("key_id"), ServerKeys.epoch >= Server.least_epoch)
)


def receiver(session: Session, sealer: Sealer, key_id: bytes) -> Identity | None:
    """The server whose sealing key this is, unless it was revoked. Raises UnsealError."""
    keys = session.scalars(_RECEIVER, {"key_id": key_id}).one_or_none()
    return opened(sealer, keys) if keys is not None else None


def identity(session: Session, sealer: Sealer, name: str) -> Identity:
    """A server with its newest keys. Raises NotFoundError, OperatorError when they are elsewhere, UnsealError."""
    found = opened(sealer, newest_keys(session, name))
    if found is None:
        raise OperatorError(f"server {name} cannot sign here", "its private keys are kept elsewhere, or revoked", LIST)
    return found


def newest_keys(session: Session, name: str) -> ServerKeys:
    """The row of a server's newest epoch. Raises NotFoundError."""
    query = select(ServerKeys).join(Server).where(Server.name == name, ServerKeys.epoch == Server.epoch)
    keys = session.scalars(query).one_or_none()
    if keys is None:
        raise NotFoundError(f"there is no server {name}", "it was never added", LIST)
    return keys


def sign_anew(newest: ServerKeys) -> str:
    """The command by which a release server's newest keys sign what older ones did."""
    if newest.signing_key is None:
        return "fob-office component build, and import    (each release anew, by the newest keys)"
    return f"fob-office component resign --signer {newest.server}"


def current_keys(session: Session) -> Sequence[ServerKeys]:
    """The newest epoch of every server that is not revoked, by name."""
    query = select(ServerKeys).join(Server).where(
        ServerKeys.epoch == Server.epoch, ServerKeys.epoch >= Server.least_epoch
    )  # fmt: skip
    return session.scalars(query.order_by(Server.name)).all()
