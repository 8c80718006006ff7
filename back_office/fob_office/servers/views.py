"""Servers as an operator sees them, on the command line and over HTTP: nothing secret."""

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.servers.identity import certificate_of
from fob_office.servers.service import newest_keys
from fob_office.servers.tables import Server, ServerKeys


class ServerView(BaseModel):
    """One server with its newest certificate. Times are seconds since 1970."""

    name: str = Field(examples=["registration"])
    title: str = Field(examples=["Registration"])
    usages: list[str] = Field(examples=[["registration", "entitlement"]])
    epoch: int = Field(examples=[1])
    least_epoch: int = Field(description="What is below is revoked.", examples=[0])
    not_before: int
    not_after: int
    state: str = Field(
        description="`here`, `elsewhere` (its private keys are, or they are lost since a restore) or `revoked`.",
        examples=["here"],
    )
    signing_key: str = Field(description="Public; who verifies what it signs needs it.", examples=["00" * 32])


def server_view(session: Session, name: str) -> ServerView:
    """Raises NotFoundError."""
    return _view(session.get_one(Server, newest_keys(session, name).server), newest_keys(session, name))


def server_views(session: Session) -> list[ServerView]:
    """All of them, by name."""
    query = select(Server, ServerKeys).join(ServerKeys).where(ServerKeys.epoch == Server.epoch).order_by(Server.name)
    return [_view(server, keys) for server, keys in session.execute(query)]


def _view(server: Server, keys: ServerKeys) -> ServerView:
    certificate = certificate_of(keys)
    return ServerView(
        name=server.name, title=certificate.title, usages=[usage.name.lower() for usage in certificate.usages],
        epoch=server.epoch, least_epoch=server.least_epoch,
        not_before=certificate.not_before, not_after=certificate.not_after, state=_state(server, keys),
        signing_key=certificate.signing_key.hex(),
    )  # fmt: skip


def _state(server: Server, keys: ServerKeys) -> str:
    if keys.epoch < server.least_epoch:
        return "revoked"
    return "here" if keys.signing_key is not None else "elsewhere"
