"""What is said in a session: entitlements, and requests to applications (R21 to R23)."""

from sqlalchemy.orm import Session

from fob_office.devices.service import is_disabled
from fob_office.entitlements.service import signed_entitlements
from fob_office.gateway.service import Gateway
from fob_office.office import Office
from fob_office.refusing import RuleBrokenError
from fob_office.registration.standing import live
from fob_office.registration.tables import Registration
from fob_office.servers.identity import Identity
from fob_office.sessions.keeping import end, keys_of
from fob_office.sessions.tables import OpenSession
from fob_protocol.office.entitlements import EntitlementsAnswer, GetEntitlements, Use
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read_one_of
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.session import Direction, Said, Say


class Speaking:
    """Opens messages, has them answered, and seals the answers."""

    def __init__(self, office: Office, gateway: Gateway) -> None:
        self._office = office
        self._gateway = gateway

    def answer(self, session: Session, row: OpenSession, server: Identity, message: Say) -> bytes | RuleBrokenError:
        """The sealed answer, or a refusal. Raises RuleBrokenError UNAVAILABLE: the same message may be tried again."""
        person = live(session, row.server, row.user_code, self._office.now())
        if person is None:
            end(row)
            return RuleBrokenError(Refusal.NO_SESSION, "R21", "the registration was revoked")
        if is_disabled(session, person.device):
            end(row)
            return RuleBrokenError(Refusal.DENIED, "R23", "its device is disabled")
        keys = keys_of(self._office.sealer, row)
        try:
            octets = keys.unseal(Direction.TO_SERVER, message.number, message.sealed)
        except OfficeError as error:
            end(row)
            return RuleBrokenError(Refusal.OUT_OF_ORDER, "R20", error.why)
        try:
            told = self._serve(session, server, person, octets)
        except OfficeError as error:
            return RuleBrokenError(Refusal.MALFORMED, "R20", error.why)
        except RuleBrokenError as error:
            if error.refusal is not Refusal.NOT_ENTITLED:
                raise
            return error
        return Said(keys.seal(Direction.TO_DEVICE, message.number, told)).octets()

    def _serve(self, session: Session, server: Identity, person: Registration, octets: bytes) -> bytes:
        """Raises OfficeError, RuleBrokenError."""
        message = read_one_of((GetEntitlements, Use), octets)
        if isinstance(message, Use):
            return self._gateway.serve(session, person, message).octets()
        return EntitlementsAnswer(signed_entitlements(session, server, person, self._office.now())).octets()
