"""The rules of a configuration: who asks, what is granted, and that it is granted once (C3 to C6, C24, C28)."""

from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from fob_office.configuration.asking import Asker, asker_of
from fob_office.configuration.composing import Composed, compose
from fob_office.configuration.tables import Contents, KeptAnswer, OfferedSet
from fob_office.database.erasing import erase_some
from fob_office.devices.inventory import Statement, keep_requested
from fob_office.devices.tables import Device, DeviceState
from fob_office.events.service import record_unless_there
from fob_office.office import Office
from fob_office.refusing import RuleBrokenError
from fob_office.rollout.membership import ChangedError, enter_members
from fob_office.servers.identity import Identity
from fob_protocol.office.configuration import Configure, Request, unverified_request
from fob_protocol.office.hashing import digest
from fob_protocol.office.limits import CHALLENGE_TIME
from fob_protocol.office.refusals import Refusal

log = structlog.get_logger(__name__)

# A rollout that changes while a set is made for a device changes no faster than that.
_TRIES: Final = 3


class _AskedMeanwhileError(Exception):
    """The same device has just been answered to a request of this counter, or a higher one."""


@dataclass(frozen=True, slots=True)
class Configuring:
    """One question."""

    office: Office
    server: Identity
    message: Configure

    def answer(self) -> bytes:
        """The body. Raises RuleBrokenError, OfficeError MALFORMED."""
        request = unverified_request(self.message.request)
        for _ in range(_TRIES):
            with self.office.database.read() as session:
                asker = asker_of(session, self.office, self.server, self.message, request)
                device = asker.device
                if device is None or asker.why is not None or request.counter <= device.counter:
                    return self._answered_before(session, asker)
                composed = compose(session, self.office, self.server, device, request)
            try:
                return self._grant(device, request, composed)
            except ChangedError:
                continue
            except _AskedMeanwhileError:
                with self.office.database.read() as session:
                    return self._answered_before(session, asker)
        raise RuleBrokenError(Refusal.UNAVAILABLE, "X8", "rollouts change too fast", retry_after=1)

    def _answered_before(self, session: Session, asker: Asker) -> bytes:
        """What the same octets were answered. Raises RuleBrokenError DENIED for all others (C28)."""
        kept = select(KeptAnswer.body).where(
            KeptAnswer.device == asker.row, KeptAnswer.request == digest(self.message.request)
        )
        body = session.scalars(kept).one_or_none()
        if body is None:
            raise RuleBrokenError(Refusal.DENIED, "C28", asker.why or "the counter is not higher")
        return body

    def _grant(self, device: Device, request: Request, composed: Composed) -> bytes:
        """Raises ChangedError, _AskedMeanwhileError; nothing is changed then."""
        now = self.office.now()
        body = composed.answer.octets()
        with self.office.database.write() as session:
            _spend(session, device, request.counter)
            enter_members(session, device, composed.offers)
            session.execute(delete(KeptAnswer).where(KeptAnswer.device == device.id))
            session.add(KeptAnswer(device=device.id, request=digest(self.message.request), body=body, time=now))
            if composed.kept:
                _tell_kept(session, device, composed, now)
            if composed.set_number:
                granted = _offer(session, device, request.counter, composed)
                if request.set_number > granted:
                    _tell_ahead(session, device, request.set_number, granted, now)
            said = Statement(request.counter, request.set_number, request.security_counter, request.catalogue)
            keep_requested(session, device.id, said, now)
            erase_some(session, KeptAnswer, KeptAnswer.time, now - CHALLENGE_TIME)
        return body


def _spend(session: Session, device: Device, counter: int) -> None:
    """Of two who come with one counter at the same time, one goes on (C24)."""
    change = update(Device).where(
        Device.id == device.id, Device.counter < counter, Device.state == DeviceState.ACTIVE
    )  # fmt: skip
    if session.scalars(change.values(counter=counter).returning(Device.id)).one_or_none() is None:
        raise _AskedMeanwhileError


def _tell_kept(session: Session, device: Device, composed: Composed, now: int) -> None:
    kept = ", ".join(composed.kept)
    log.warning("kept as it is, for want of a release", serial=device.serial, options=kept)
    record_unless_there(session, now, "office", f"kept as it is, for want of a release: {kept}"[:200], device.serial)


def _tell_ahead(session: Session, device: Device, held: int, granted: int, now: int) -> None:
    """This office was put back to a backup: what was ordered since is not known, and the device has just lost it."""
    log.warning("holds a set that was never granted here", serial=device.serial, held=held, granted=granted)
    what = f"held set {held}, and {granted} was the last one granted here: is its order as before the restore?"
    record_unless_there(session, now, "office", what, device.serial)


def _offer(session: Session, device: Device, counter: int, composed: Composed) -> int:
    """Instead of the set of before, whose number it gives: what that one's ticket opened it opens no longer."""
    before = delete(OfferedSet).where(OfferedSet.device == device.id).returning(OfferedSet.set_number)
    granted = session.scalars(before).one_or_none() or 0
    session.add(
        OfferedSet(
            device=device.id, counter=counter, set_number=composed.set_number,
            contents=Contents(composed.releases).octets(),
        )
    )  # fmt: skip
    return granted
