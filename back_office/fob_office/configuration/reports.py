"""What became of a set: kept once, whatever the device repeats (C10)."""

from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.configuration.tables import Contents, OfferedSet
from fob_office.devices.inventory import Statement, keep_reported
from fob_office.devices.tables import Device, DeviceState
from fob_office.office import Office
from fob_office.refusing import RuleBrokenError
from fob_office.rollout.membership import enter_outcome
from fob_office.rollout.states import MemberState
from fob_protocol.office.configuration import Outcome, Report, read_report
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal

log = structlog.get_logger(__name__)

_OUTCOMES: Final = {
    Outcome.CONFIRMED: MemberState.CONFIRMED,
    Outcome.REVERTED: MemberState.FAILED,
    Outcome.REFUSED: MemberState.FAILED,
    Outcome.FAILED: MemberState.FAILED,
}


def keep_report(office: Office, signed: bytes) -> None:
    """Raises RuleBrokenError DENIED: it is not signed by a device that has a record."""
    try:
        report = read_report(signed)
    except OfficeError as error:
        raise RuleBrokenError(Refusal.DENIED, "C28", error.why) from None
    with office.database.write() as session:
        known = select(Device).where(Device.signing_key == report.signing_key, Device.state == DeviceState.ACTIVE)
        device = session.scalars(known).one_or_none()
        if device is None:
            raise RuleBrokenError(Refusal.DENIED, "C28", "no active record has this key")
        _keep(session, office, device, report)


def _keep(session: Session, office: Office, device: Device, report: Report) -> None:
    said = Statement(report.counter, report.set_number, report.security_counter, report.catalogue)
    if not keep_reported(session, device.id, said, report.outcome, report.reason, office.now()):
        return
    log.info(
        "reported", serial=device.serial, set=report.set_number, outcome=report.outcome.name.lower(),
        reason=report.reason,
    )  # fmt: skip
    contents = select(OfferedSet.contents).where(
        OfferedSet.device == device.id, OfferedSet.set_number == report.set_number
    )  # fmt: skip
    offered = session.scalars(contents).one_or_none()
    if offered is not None:
        releases = read(Contents, offered).releases
        enter_outcome(session, device.id, releases, _OUTCOMES[report.outcome], office.now(), report.reason)
