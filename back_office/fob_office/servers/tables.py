"""Servers and their keys. Rows of servers are never deleted: a revocation list names a server for ever."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base


class Server(Base):
    """`epoch` is that of its newest keys; what is below `least_epoch` is revoked. Neither ever goes down."""

    __tablename__ = "servers"

    name: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    least_epoch: Mapped[int]


class ServerKeys(Base):
    """The keys of one epoch. `certificate` is the issuer's, signed; `key_id` that of the sealing key.

    The private halves are sealed; they are None once they are revoked (but for `service.still_opens`), or when the
    server keeps them elsewhere.
    """

    __tablename__ = "server_keys"

    server: Mapped[str] = mapped_column(ForeignKey("servers.name"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    key_id: Mapped[bytes] = mapped_column(unique=True)
    certificate: Mapped[bytes]
    signing_key: Mapped[bytes | None]
    sealing_key: Mapped[bytes | None]
