"""What an operator does with registrations and templates."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fob_office.entitlements.options import give_options
from fob_office.errors import NotFoundError, OperatorError
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.refusing import RuleBrokenError
from fob_office.registration.names import name_key
from fob_office.registration.standing import free_name, revoke
from fob_office.registration.tables import Registration, RegistrationTemplate, Standing
from fob_office.registration.templates import TemplateSetting
from fob_office.servers.identity import certificate_of
from fob_office.servers.service import newest_keys
from fob_protocol.cose.headers import key_id
from fob_protocol.office.certificate import Usage

LIST: Final = "fob-office registration list"


@dataclass(frozen=True, slots=True)
class Which:
    """Many registrations: of one device, by the key id of its signing key, or begun `since`, or both.

    `server`: only those there; None is everywhere.
    """

    server: str | None = None
    device: bytes | None = None
    since: int = 0


def registration(session: Session, user_code: bytes) -> Registration:
    """By its user identification code. Raises NotFoundError."""
    row = session.get(Registration, user_code)
    if row is None:
        raise NotFoundError("there is no such registration", f"nobody has the code {user_code.hex()}", LIST)
    return row


def holder(session: Session, server: str, name: str) -> Registration:
    """Whoever has a name at a server. Raises NotFoundError: there is no such server, or nobody has the name."""
    check_server(session, server)
    missing = NotFoundError(f"there is no such registration at {server}", "nobody has this name there", LIST)
    try:
        key = name_key(name)
    except RuleBrokenError:
        raise missing from None
    query = select(Registration).where(Registration.server == server, Registration.name_key == key)
    row = session.scalars(query).one_or_none()
    if row is None:
        raise missing
    return row


def check_server(session: Session, server: str) -> None:
    """Raises NotFoundError: there is no such server."""
    newest_keys(session, server)


def check_registers(session: Session, server: str) -> None:
    """Raises NotFoundError: there is no such server, or devices cannot register there."""
    if Usage.REGISTRATION not in certificate_of(newest_keys(session, server)).usages:
        why = "the issuer has not certified it for that"
        raise NotFoundError(f"nobody registers at {server}", why, "fob-office server list")


class Registrar:
    """An operator at work."""

    def __init__(self, office: Office, who: str = "operator") -> None:
        self._office = office
        self._who = who

    def revoke(self, user_code: bytes, *, frees_name: bool = False) -> None:
        """Its key is erased and its sessions end. `frees_name`: somebody else may take the name, also later.

        Raises NotFoundError, OperatorError.
        """
        with self._office.database.write() as session:
            device = registration(session, user_code).device
            done = []
            if revoke(session, user_code):
                done.append("registration revoked")
            if frees_name and free_name(session, user_code):
                done.append("name freed")
            if not done:
                raise OperatorError("nothing was changed", "it was revoked before", LIST)
            give_options(session, self._office, device)
            for what in done:
                record(session, self._office.now(), self._who, what, user_code.hex())

    def revoke_many(self, which: Which, *, frees_name: bool = False) -> int:
        """Whatever was not yet done, to all of them; how many that were. Raises NotFoundError."""
        done = 0
        for user_code in self._chosen(which):
            with suppress(OperatorError):
                self.revoke(user_code, frees_name=frees_name)
                done += 1
        return done

    def _chosen(self, which: Which) -> list[bytes]:
        query = select(Registration.user_code, Registration.device).where(
            Registration.created >= which.since,
            or_(Registration.standing != Standing.REVOKED, Registration.name_key.is_not(None)),
        )  # fmt: skip
        with self._office.database.read() as session:
            if which.server is not None:
                check_server(session, which.server)
                query = query.where(Registration.server == which.server)
            rows = session.execute(query.order_by(Registration.created)).all()
        return [user_code for user_code, device in rows if which.device in (None, key_id(device))]

    def set_template(self, server: str, setting: TemplateSetting) -> None:
        """What a server asks for from now on. Raises NotFoundError, OperatorError."""
        with self._office.database.write() as session:
            check_registers(session, server)
            row = session.get(RegistrationTemplate, server, with_for_update=True)
            if row is None:
                row = RegistrationTemplate(server=server, setting="")
                session.add(row)
            row.setting = setting.model_dump_json()
            record(session, self._office.now(), self._who, "template set", server)
            try:
                session.flush()
            except IntegrityError:
                why = "somebody else has just set one"
                raise OperatorError(f"the template of {server} was not set", why, "the same command again") from None
