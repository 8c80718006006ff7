"""This computer's own copy of fobd at the control socket."""

from fob_daemon.control.copy_requests import (
    EnrolOwn,
    GetOwnCopy,
    GetOwnTicket,
    OwnCopyRequest,
    PresentOwnTicket,
    ValidateOwn,
)
from fob_daemon.control.integrity_reports import OwnIntegrity
from fob_daemon.control.json_form import Json, to_json


async def answer_own(request: OwnCopyRequest, own: OwnIntegrity) -> Json:
    """The JSON value of the answer. Raises ControlError."""
    match request:
        case GetOwnCopy():
            return to_json(own.report())
        case EnrolOwn(letter, issuer, certificate):
            return to_json(await own.enrol(letter, issuer, certificate))
        case ValidateOwn():
            return to_json(await own.validate())
        case GetOwnTicket():
            return {"ticket": own.ticket().hex()}
        case PresentOwnTicket(audience, nonce):
            return {"presentation": own.present(audience, nonce).hex()}
