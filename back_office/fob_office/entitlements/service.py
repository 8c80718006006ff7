"""What a person may do, as devices and the other roles ask for it."""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.entitlements.tables import Entitlement
from fob_office.refusing import RuleBrokenError
from fob_office.registration.tables import Registration, Standing
from fob_office.servers.identity import Identity
from fob_protocol.cose.headers import key_id
from fob_protocol.office.certificate import Usage
from fob_protocol.office.entitlements import Entitlements, State
from fob_protocol.office.refusals import Refusal

# So long a device may go by what it was told last.
ENTITLEMENTS_TIME: Final = 86_400


def begin_entitlements(
    session: Session, user_code: bytes, now: int, applications: Mapping[str, int], components: Iterable[str]
) -> None:
    """What comes with a registration (R22)."""
    session.add(
        Entitlement(
            user_code=user_code, version=1, changed=now, state=State.ACTIVE, computers=[],
            applications=dict(applications), components=sorted(components),
        )
    )  # fmt: skip


def level_at(session: Session, user_code: bytes, application: str, computer: bytes | None) -> int:
    """What a person may do at an application from a computer, now; 0 is nothing (R23)."""
    held = session.get_one(Entitlement, user_code)
    if held.state != State.ACTIVE:
        return 0
    if held.computers and (computer is None or computer.hex() not in held.computers):
        return 0
    return held.applications.get(application, 0)


def options_of(session: Session, device: bytes) -> frozenset[str]:
    """The components that a device has by what its owner may do, beside those of its order (X7).

    `device`: its signing key (raw). Of every server that it is registered at, as long as it is.
    """
    held = (
        select(Entitlement.components)
        .join(Registration, Registration.user_code == Entitlement.user_code)
        .where(
            Registration.device == device, Registration.standing == Standing.CONFIRMED,
            Entitlement.state == State.ACTIVE,
        )
    )  # fmt: skip
    return frozenset(component for components in session.scalars(held) for component in components)


def signed_entitlements(session: Session, server: Identity, row: Registration, now: int) -> bytes:
    """As the device of this registration takes it. Raises RuleBrokenError."""
    if not server.may(Usage.ENTITLEMENT):
        raise RuleBrokenError(Refusal.UNAVAILABLE, "R21", "the issuer does not let this server say what people may do")
    held = session.get_one(Entitlement, row.user_code)
    told = Entitlements(
        server.name, row.user_code, key_id(row.device), held.version, now, now + ENTITLEMENTS_TIME, State(held.state),
        tuple(map(bytes.fromhex, held.computers)), held.applications, tuple(held.components),
    )  # fmt: skip
    return told.signed(server.signing_key)
