"""What an operator changes: level, options, computers, revocation. It holds from the next request on (R21, R23)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.orm import Session

from fob_office.entitlements.options import give_options
from fob_office.entitlements.tables import Entitlement
from fob_office.errors import NotFoundError, OperatorError
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.registration.tables import Registration, Standing
from fob_protocol.office.entitlements import Entitlements, State
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read

LIST: Final = "fob-office entitlement list"


@dataclass(frozen=True, slots=True)
class Change:
    """`applications`: the new level at each; 0 takes it away. The other two: options that come, and that go."""

    applications: Mapping[str, int] = field(default_factory=dict)
    add: Sequence[str] = ()
    remove: Sequence[str] = ()


class Entitling:
    """An operator at work. Each change is one new version; what changes nothing makes none."""

    def __init__(self, office: Office, who: str = "operator") -> None:
        self._office = office
        self._who = who

    def change(self, user_code: bytes, change: Change) -> int:
        """Levels up and down, options in and out; the version. Raises OperatorError."""
        if twice := set(change.add) & set(change.remove):
            why = f"{min(twice)} cannot come and go"
            raise OperatorError("nothing was changed", why, "fob-office entitlement --help")

        def apply(row: Entitlement) -> None:
            levels = {name: level for name, level in (row.applications | dict(change.applications)).items() if level}
            row.applications = levels
            row.components = sorted((set(row.components) | set(change.add)) - set(change.remove))

        return self._apply(user_code, "entitlements changed", apply)

    def move(self, user_code: bytes, computers: Sequence[bytes]) -> int:
        """To these computers (H of their public keys), and from all others; none: to any. Raises OperatorError."""

        def apply(row: Entitlement) -> None:
            row.computers = sorted({computer.hex() for computer in computers})

        return self._apply(user_code, "entitlements moved", apply)

    def revoke(self, user_code: bytes) -> int:
        """Nothing may be done any more, and the device is told so. Raises OperatorError."""
        return self._set_state(user_code, State.REVOKED, "entitlements revoked")

    def restore(self, user_code: bytes) -> int:
        """As before it was revoked. Raises OperatorError."""
        return self._set_state(user_code, State.ACTIVE, "entitlements restored")

    def _set_state(self, user_code: bytes, state: State, what: str) -> int:
        def apply(row: Entitlement) -> None:
            row.state = state

        return self._apply(user_code, what, apply)

    def _apply(self, user_code: bytes, what: str, apply: Callable[[Entitlement], None]) -> int:
        now = self._office.now()
        with self._office.database.write() as session:
            row = _locked(session, user_code)
            _check_registered(session, user_code)
            before = _content(row)
            apply(row)
            if _content(row) == before:
                return row.version
            row.version, row.changed = row.version + 1, now
            _check_readable(row)
            record(session, now, self._who, what, user_code.hex())
            session.flush()
            self._give_options(session, user_code)
            return row.version

    def _give_options(self, session: Session, user_code: bytes) -> None:
        """Raises OperatorError: an option is not there, or the set would not fit."""
        try:
            give_options(session, self._office, session.get_one(Registration, user_code).device)
        except OperatorError as error:
            raise OperatorError("the entitlements were not changed", error.why, error.command) from None


def _locked(session: Session, user_code: bytes) -> Entitlement:
    """Nobody else changes it meanwhile. Raises NotFoundError."""
    row = session.get(Entitlement, user_code, with_for_update=True)
    if row is None:
        raise NotFoundError("there is no such registration", f"nobody has the code {user_code.hex()}", LIST)
    return row


def _check_registered(session: Session, user_code: bytes) -> None:
    """Raises OperatorError: the registration was revoked, so nothing would hold."""
    person = session.get_one(Registration, user_code)
    if person.standing == Standing.REVOKED:
        why = f"the registration of {person.name} was revoked: nobody can use what is set for it"
        raise OperatorError(
            "the entitlements were not changed", why, f"{LIST}    (who registers anew has another code)"
        )


def _content(row: Entitlement) -> tuple[object, ...]:
    return row.state, list(row.computers), dict(row.applications), list(row.components)


def _check_readable(row: Entitlement) -> None:
    """Raises OperatorError: there are too many, or names that no device would read."""
    computers = tuple(map(bytes.fromhex, row.computers))
    drafted = Entitlements(
        "server", bytes(16), bytes(16), row.version, 0, 0, State(row.state), computers, row.applications,
        tuple(row.components),
    )  # fmt: skip
    try:
        read(Entitlements, drafted.octets())
    except OfficeError as error:
        raise OperatorError("no device would read these entitlements", error.why, LIST) from None
