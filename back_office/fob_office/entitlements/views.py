"""Entitlements as an operator sees and changes them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.entitlements.tables import Entitlement
from fob_office.errors import NotFoundError
from fob_office.registration.operating import LIST
from fob_office.registration.tables import Registration, Standing
from fob_office.registration.views import StandingWord
from fob_office.words import NO_OTHER_NAMES, Hex16, Hex32, Level, LevelOrNone, Name
from fob_protocol.office.entitlements import State
from fob_protocol.office.limits import COMPONENTS_LIMIT, COMPUTERS_LIMIT, ENTITLEMENTS_LIMIT


class EntitlementView(BaseModel):
    """What one person may do at one server."""

    code: Hex16 = Field(description="User identification code.")
    server: str = Field(examples=["registration"])
    name: str = Field(examples=["Alice Example"])
    version: int = Field(description="Goes up with every change.", examples=[1])
    changed: int = Field(description="Seconds since 1970.")
    registration: StandingWord = Field(
        description="Of the person: what is revoked gives nothing, whatever stands here."
    )
    state: Literal["active", "revoked"]
    computers: list[Hex32] = Field(description="H of their public keys; none is any computer.")
    applications: dict[Name, Level]
    components: list[Name] = Field(description="Options that come with it.")


class EntitlementChange(BaseModel):
    """What is not named stays as it is."""

    model_config = ConfigDict(extra="forbid", strict=True)

    applications: dict[Name, LevelOrNone] = Field(
        default={},
        max_length=ENTITLEMENTS_LIMIT,
        description="The new level at each; 0 takes it away.",
        json_schema_extra=NO_OTHER_NAMES,
    )
    add: list[Name] = Field(default=[], max_length=COMPONENTS_LIMIT, description="Options that come.")
    remove: list[Name] = Field(default=[], max_length=COMPONENTS_LIMIT, description="Options that go.")


class Computers(BaseModel):
    """Where it holds."""

    model_config = ConfigDict(extra="forbid", strict=True)

    computers: list[Hex32] = Field(max_length=COMPUTERS_LIMIT, description="H of their public keys; none is any.")


def entitlement_view(session: Session, user_code: bytes) -> EntitlementView:
    """One person's. Raises NotFoundError."""
    query = select(Entitlement, Registration).join(Registration).where(Entitlement.user_code == user_code)
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFoundError("there is no such registration", f"nobody has the code {user_code.hex()}", LIST)
    held, person = found
    return _view(held, person)


def entitlement_views(session: Session, *, server: str | None, after: bytes, count: int) -> list[EntitlementView]:
    """By code, those behind `after`."""
    query = (
        select(Entitlement, Registration).join(Registration)
        .where(Registration.user_code > after, Entitlement.user_code > after)
        .order_by(Registration.user_code).limit(count)
    )  # fmt: skip
    if server is not None:
        query = query.where(Registration.server == server)
    return [_view(held, person) for held, person in session.execute(query)]


def _view(held: Entitlement, person: Registration) -> EntitlementView:
    return EntitlementView.model_validate({
        "code": held.user_code.hex(), "server": person.server, "name": person.name, "version": held.version,
        "changed": held.changed, "registration": Standing(person.standing).name.lower(),
        "state": State(held.state).name.lower(), "computers": held.computers,
        "applications": held.applications, "components": held.components,
    })  # fmt: skip
