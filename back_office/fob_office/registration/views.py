"""Registrations as an operator sees them: no key, no secret."""

from typing import Literal

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.devices.tables import Device
from fob_office.registration.keeping import fields_of
from fob_office.registration.tables import Registration, Standing
from fob_office.secrets.sealing import Sealer
from fob_office.servers.identity import certificate_of
from fob_office.servers.service import current_keys
from fob_office.words import Hex16
from fob_protocol.cose.headers import key_id
from fob_protocol.office.certificate import Usage

StandingWord = Literal["pending", "confirmed", "revoked"]


class RegistrationView(BaseModel):
    """Times are seconds since 1970."""

    code: Hex16 = Field(description="User identification code.")
    server: str = Field(examples=["registration"])
    name: str = Field(examples=["Alice Example"])
    standing: StandingWord
    device: Hex16 = Field(description="Key id of the device's signing key.")
    serial: str | None = Field(description="Of the device, if this office has a record of it.", examples=["M-0001"])
    created: int
    name_is_held: bool = Field(description="Nobody else can register under this name.")


class PersonView(RegistrationView):
    """With what the person filled in."""

    fields: dict[str, str] = Field(examples=[{"name": "Alice Example"}])


def registration_views(
    session: Session, *, server: str | None, standing: StandingWord | None, after: bytes, count: int
) -> list[RegistrationView]:
    """By code, those behind `after`."""
    query = select(Registration, Device.serial).outerjoin(Device, Device.signing_key == Registration.device)
    query = query.where(Registration.user_code > after).order_by(Registration.user_code).limit(count)
    if server is not None:
        query = query.where(Registration.server == server)
    if standing is not None:
        query = query.where(Registration.standing == Standing[standing.upper()])
    return [RegistrationView.model_validate(_view(row, serial)) for row, serial in session.execute(query)]


def person_view(session: Session, sealer: Sealer, row: Registration) -> PersonView:
    """One of them. Raises UnsealError."""
    serial = session.scalars(select(Device.serial).where(Device.signing_key == row.device)).one_or_none()
    return PersonView.model_validate(_view(row, serial) | {"fields": fields_of(sealer, row)})


def registering_servers(session: Session) -> list[str]:
    """Names of the servers that devices can register at."""
    certificates = map(certificate_of, current_keys(session))
    return [certificate.server for certificate in certificates if Usage.REGISTRATION in certificate.usages]


def _view(row: Registration, serial: str | None) -> dict[str, object]:
    return {
        "code": row.user_code.hex(), "server": row.server, "name": row.name,
        "standing": Standing(row.standing).name.lower(), "device": key_id(row.device).hex(), "created": row.created,
        "serial": serial, "name_is_held": row.name_key is not None,
    }  # fmt: skip
