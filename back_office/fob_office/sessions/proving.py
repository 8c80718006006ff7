"""The device proves that it holds K, and the server that it does (R19). The first time confirms a registration."""

from typing import Final

from sqlalchemy.orm import Session

from fob_office.devices.service import is_disabled
from fob_office.entitlements.options import give_what_fits
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.refusing import RuleBrokenError
from fob_office.registration.keeping import key_of
from fob_office.registration.standing import confirm, live
from fob_office.sessions.keeping import end, keep_keys, shared_of, transcript
from fob_office.sessions.proofs import count_wrong, counted
from fob_office.sessions.tables import OpenSession
from fob_protocol.cose.headers import key_id
from fob_protocol.office.hashing import is_same
from fob_protocol.office.limits import SESSION_TIME
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.session import Direction, Prove, Proved, ServerProof, SessionKeys, client_proof

_KEY_SIZE: Final = 32


class Proving:
    """Looks at one proof after the other for each code."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def answer(self, session: Session, row: OpenSession, message: Prove) -> bytes | RuleBrokenError:
        """The server's proof, or the refusal that ends the session. Raises RuleBrokenError LOCKED: try again."""
        now = self._office.now()
        count = counted(session, row.server, row.user_code, now)
        if now < count.locked_until:
            raise RuleBrokenError(Refusal.LOCKED, "R19", "after wrong proofs", count.locked_until - now)
        registered = live(session, row.server, row.user_code, now, lock=True)
        key = key_of(self._office.sealer, registered) if registered is not None else None
        said = transcript(row, message.challenge)
        # For a code that nobody has, a key that nobody has: the work is the same, and so is the answer.
        expected = client_proof(key or self._office.surroundings.random(_KEY_SIZE), said)
        if not is_same(expected, message.proof) or registered is None or key is None:
            if count_wrong(count, now):
                record(session, now, "device", f"locked at {row.server} after wrong proofs", row.user_code.hex())
            end(row)
            return RuleBrokenError(Refusal.NOT_PROVED, "R19", "no such code, or a wrong proof")
        session.delete(count)
        if is_disabled(session, registered.device):
            end(row)
            return RuleBrokenError(Refusal.DENIED, "R23", "its device is disabled")
        if confirm(session, registered, now):
            who = f"device {key_id(registered.device).hex()}"
            record(session, now, who, f"registered at {row.server}", row.user_code.hex())
            give_what_fits(session, self._office, registered.device)
        keys = SessionKeys.agreed(key, shared_of(self._office.sealer, row), said)
        keep_keys(self._office.sealer, row, keys)
        row.until = row.opened + SESSION_TIME
        return Proved(keys.seal(Direction.TO_DEVICE, 0, ServerProof(message.challenge).octets())).octets()
