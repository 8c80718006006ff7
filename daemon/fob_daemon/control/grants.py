"""What devices have granted, at the control socket: listed and taken back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.grant_reports import GrantReport
from fob_daemon.control.interface import DaemonView, DeviceReport
from fob_daemon.control.json_form import Json, to_json
from fob_daemon.control.refusals import refused
from fob_daemon.control.requests import ListGrants, RevokeGrants
from fob_daemon.device.grants import ALL_GRANTS
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

_LIST: Final = "fob approvals list"


@dataclass(frozen=True, slots=True)
class GrantHandlers:
    """Every method raises ControlError to refuse. `device` finds one by its name."""

    daemon: DaemonView
    device: Callable[[str], DeviceReport]

    async def answer(self, request: ListGrants | RevokeGrants) -> Json:
        """The JSON value of the answer."""
        match request:
            case ListGrants(None):
                return await self._list_all()
            case ListGrants(str(name)):
                return {"grants": to_json(await self._list(self.device(name))), "unasked": []}
            case RevokeGrants(name, None):
                return {"device": name, "revoked": to_json(await self._revoke_all(self.device(name)))}
            case RevokeGrants(name, int(number)):
                await self._revoke(self.device(name), number)
                return {"device": name, "revoked": [number]}
        raise TypeError(type(request).__name__)

    async def _list_all(self) -> Json:
        """One that is away must not hide what the others have granted."""
        grants: list[GrantReport] = []
        unasked: dict[str, ControlError] = {}
        for device in self.daemon.status().devices:
            try:
                grants += await self._list(device)
            except ControlError as error:
                unasked[device.name] = error
        away: Json = [{"device": name, "why": error.why, "next": error.next_command} for name, error in unasked.items()]
        return {"grants": to_json(grants), "unasked": away}

    async def _list(self, device: DeviceReport) -> list[GrantReport]:
        try:
            found = await self.daemon.grants(device.name).grants()
        except CkrError as error:
            what = f"what '{device.name}' has granted was not read"
            raise refused(what, error, self.daemon, device.slot) from None
        return [GrantReport(device.name, grant.number, grant.seconds, grant.words) for grant in found]

    async def _revoke(self, device: DeviceReport, number: int) -> None:
        what = "nothing was revoked"
        try:
            await self.daemon.grants(device.name).revoke_grant(number)
        except CkrError as error:
            if error.ckr is Ckr.ARGUMENTS_BAD:
                why = f"'{device.name}' has no grant {number}, or has none any more"
                raise ControlError(what, why, _LIST, ExitCode.NOTHING_TO_DO) from None
            raise refused(what, error, self.daemon, device.slot) from None

    async def _revoke_all(self, device: DeviceReport) -> list[int]:
        """The numbers of those that there were."""
        numbers = [grant.number for grant in await self._list(device)]
        if not numbers:
            why = f"'{device.name}' has granted nothing"
            raise ControlError("nothing was revoked", why, _LIST, ExitCode.NOTHING_TO_DO)
        await self._revoke(device, ALL_GRANTS)
        return numbers
