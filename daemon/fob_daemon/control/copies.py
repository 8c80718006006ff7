"""The copies of a device's programs at the control socket: how they stand, and what the device is asked to do."""

from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from fob_daemon.control.copy_requests import (
    CopyRequest,
    EnterLetter,
    GetTicket,
    ListCopies,
    PresentTicket,
    ValidateCopy,
)
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.interface import DaemonView, DeviceReport
from fob_daemon.control.json_form import Json, to_json
from fob_daemon.control.office import relay_of
from fob_daemon.control.office_refusals import Unknown, office_refused
from fob_daemon.control.office_reports import DeviceOffice
from fob_daemon.control.office_words import refusal_named
from fob_daemon.control.patience import patiently
from fob_daemon.control.token_sessions import TokenSessions
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

T = TypeVar("T")

_STATUS: Final = "fob integrity status"
# What a device says that has no verdict of the office's to go by.
_NO_YES: Final = "not-validated"
_NO_PROGRAM: Final = Unknown("the device has no such program", _STATUS)


@dataclass(frozen=True, slots=True)
class CopyHandlers:
    """Every method raises ControlError to refuse."""

    daemon: DaemonView
    sessions: TokenSessions

    async def answer(self, request: CopyRequest) -> Json:
        """The JSON value of the answer."""
        device = self.sessions.device(request.device)
        office = self.daemon.back_office(device.name)
        match request:
            case ListCopies():
                what = f"the copies of '{device.name}' were not listed"
                return {"copies": to_json(await self._ask(device, what, office.copies()))}
            case ValidateCopy(_, program):
                await self._patiently(device, f"'{program}' was not validated", _validated(office, program), program)
                return await self._copy(device, office, program)
            case EnterLetter(_, program, letter):
                what = f"the letter of '{program}' was not taken"
                await self._patiently(device, what, office.enter_letter(program, letter), program)
                return await self._copy(device, office, program)
            case GetTicket(_, program):
                what = f"there is no ticket of '{program}'"
                return {"ticket": (await self._ask(device, what, office.ticket(program))).hex()}
            case PresentTicket(_, program, audience, nonce):
                what = f"the ticket of '{program}' was not presented"
                presentation = await self._ask(device, what, office.present(program, audience, nonce))
                return {"presentation": presentation.hex()}

    async def _copy(self, device: DeviceReport, office: DeviceOffice, program: str) -> Json:
        """As it stands afterwards."""
        what = f"what came of '{program}' was not told"
        found = await self._ask(device, what, office.copies())
        copy = next((copy for copy in found if copy.program == program), None)
        if copy is None:
            raise ControlError(what, "the device does not tell of it any more", _STATUS, ExitCode.FAILED)
        return to_json(copy)

    async def _patiently(self, device: DeviceReport, what: str, answer: Awaitable[None], program: str) -> None:
        """What the device asks its office for."""
        await patiently(self.daemon, device.name, what, self._ask(device, what, answer, program), _STATUS)

    async def _ask(self, device: DeviceReport, what: str, answer: Awaitable[T], program: str = "") -> T:
        try:
            return await answer
        except CkrError as error:
            if error.ckr is Ckr.FUNCTION_NOT_SUPPORTED:
                why = f"'{device.name}' has no copies: it has no back office (CKR_{error.ckr.name})"
                raise ControlError(what, why, "fob office status", ExitCode.FAILED) from None
            relay = relay_of(self.daemon, device.name)
            raise office_refused(what, error, self.daemon, device, relay, _NO_PROGRAM, program) from None


async def _validated(office: DeviceOffice, program: str) -> None:
    """Raises CkrError: where the device says no more than that there was no yes, with why it has none."""
    try:
        await office.validate(program)
    except CkrError as error:
        named = refusal_named(error.reason)
        if named is None or named[0] != _NO_YES:
            raise
        raise CkrError(error.ckr, await _reason(office, program) or error.reason) from None


async def _reason(office: DeviceOffice, program: str) -> str:
    """By name, as the device's list of copies has it."""
    with suppress(CkrError):
        return next((copy.reason for copy in await office.copies() if copy.program == program), "")
    return ""
