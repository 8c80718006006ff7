"""Who is registered, and what a server asks for to register."""

from enum import IntEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base


class Standing(IntEnum):
    """Of a registration: it begins, its first session makes it good, an operator ends it."""

    PENDING = 1
    CONFIRMED = 2
    REVOKED = 3


def _only(standing: Standing, *columns: str, name: str) -> Index:
    """One row of this standing for the same values."""
    where = text(f"standing = {standing.value}")
    return Index(name, *columns, unique=True, sqlite_where=where, postgresql_where=where)


class Registration(Base):
    """A person's name at a server, and the key that their device shares with it.

    `name` is as it was written and `name_key` as it is compared; that is None once an operator has freed the name.
    `device` is the device's signing key (public, raw), `request` H of the signed request. `authentication_key` (K) and
    `ssk2` are sealed, and erased when they are not needed any more; so are `fields`, which are the person's own affair.
    """

    __tablename__ = "registrations"
    __table_args__ = (
        # One holder of each name on each server, whoever else asks at the same time (R25).
        UniqueConstraint("server", "name_key"),
        _only(Standing.PENDING, "server", "device", name="ix_registrations_one_pending"),
        # A device keeps one key for each server (R18).
        _only(Standing.CONFIRMED, "server", "device", name="ix_registrations_one_confirmed"),
        Index("ix_registrations_device", "device"),
        Index("ix_registrations_confirm_by", "confirm_by"),
        Index("ix_registrations_server_user_code", "server", "user_code"),
        CheckConstraint("standing BETWEEN 1 AND 3", name="standing"),
        # What is confirmed or revoked has no secret of the server's left (R15).
        CheckConstraint("standing = 1 OR ssk2 IS NULL", name="ssk2_forgotten"),
    )

    user_code: Mapped[bytes] = mapped_column(primary_key=True)
    server: Mapped[str] = mapped_column(ForeignKey("servers.name"))
    name: Mapped[str]
    name_key: Mapped[str | None]
    device: Mapped[bytes]
    request: Mapped[bytes] = mapped_column(unique=True)
    standing: Mapped[int]
    created: Mapped[int]
    # Until when it may be confirmed; None once it is.
    confirm_by: Mapped[int | None]
    fields: Mapped[bytes]
    authentication_key: Mapped[bytes | None]
    ssk2: Mapped[bytes | None]


class RegistrationTemplate(Base):
    """What an operator has set for a server: a `templates.TemplateSetting` in JSON."""

    __tablename__ = "registration_templates"

    server: Mapped[str] = mapped_column(ForeignKey("servers.name"), primary_key=True)
    setting: Mapped[str]
