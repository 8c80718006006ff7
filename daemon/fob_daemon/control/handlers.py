"""The answers to plain requests: one handler per request, JSON out."""

from collections.abc import Callable

from fob_daemon.control import requests
from fob_daemon.control.copies import CopyHandlers
from fob_daemon.control.copy_requests import CopyRequest, OwnCopyRequest
from fob_daemon.control.grants import GrantHandlers
from fob_daemon.control.history import HistoryHandlers
from fob_daemon.control.interface import DaemonView
from fob_daemon.control.json_form import Json, to_json
from fob_daemon.control.keys import KeySummary, delete_key, list_keys, new_key, show_key
from fob_daemon.control.meter import MeterHandlers
from fob_daemon.control.meter_requests import MeterRequest
from fob_daemon.control.office import OfficeHandlers
from fob_daemon.control.office_requests import OfficeRequest
from fob_daemon.control.own_copy import answer_own
from fob_daemon.control.pairings import Pairings
from fob_daemon.control.refusals import refused
from fob_daemon.control.token_sessions import TokenSessions
from fob_daemon.peer import PeerIdentity
from fob_protocol.pkcs11.errors import CkrError


class Handlers:
    """Every method raises ControlError to refuse."""

    def __init__(
        self, daemon: DaemonView, sessions: TokenSessions, pairings: Pairings, random: Callable[[int], bytes]
    ) -> None:
        self._daemon = daemon
        self._sessions = sessions
        self._pairings = pairings
        self._random = random
        self._history = HistoryHandlers(daemon)
        self._grants = GrantHandlers(daemon, sessions.device)
        self.office = OfficeHandlers(daemon, sessions)
        self._copies = CopyHandlers(daemon, sessions)
        self.meters = MeterHandlers(daemon, sessions)

    async def answer(self, request: requests.PlainRequest, peer: PeerIdentity) -> Json:
        """The JSON value of the answer."""
        match request:
            case requests.GetStatus():
                return to_json(self._daemon.status())
            case requests.GetDevices():
                return {"devices": to_json(self._daemon.status().devices)}
            case requests.Scan(seconds):
                return {"devices": to_json(await self._daemon.scan(seconds))}
            case requests.GetLog(limit, since):
                return {"entries": to_json(self._daemon.log(limit, since))}
            case requests.CompareAnswer():
                self._pairings.answer(request)
                return {}
            case requests.Connect() | requests.Unpair() | requests.Unlock() | requests.Lock():
                return await self._change_device(request, peer)
        if isinstance(request, OwnCopyRequest):
            return await answer_own(request, self._daemon.integrity)
        if isinstance(request, MeterRequest):
            return await self.meters.answer(request, peer)
        return await self._answer_of_device(request, peer)

    async def _answer_of_device(self, request: requests.DeviceRequest, peer: PeerIdentity) -> Json:
        """What has handlers of its own, and keys."""
        if isinstance(request, requests.HistoryRequest):
            return await self._history.answer(request)
        if isinstance(request, requests.ListGrants | requests.RevokeGrants):
            return await self._grants.answer(request)
        if isinstance(request, OfficeRequest):
            return await self.office.answer(request, peer)
        if isinstance(request, CopyRequest):
            return await self._copies.answer(request)
        return to_json(await self._answer_keys(request, peer))

    async def _change_device(
        self, request: requests.Connect | requests.Unpair | requests.Unlock | requests.Lock, peer: PeerIdentity
    ) -> Json:
        device = None if request.device is None else self._sessions.device(request.device)
        match request:
            case requests.Connect(name):
                self._daemon.try_now(name)
            case requests.Unpair(name) if device is not None:
                self._sessions.forget(device.slot)
                return to_json(await self._daemon.unpair(name))
            case requests.Unlock(_, pin) if device is not None:
                await self._sessions.unlock(device, peer, pin)
            case requests.Lock(name):
                return {"locked": to_json(await self._sessions.lock(name))}
        return {"device": request.device}

    async def _answer_keys(
        self,
        request: requests.ListKeys | requests.ShowKey | requests.NewKey | requests.DeleteKey,
        peer: PeerIdentity,
    ) -> object:
        match request:
            case requests.ListKeys(device):
                return {"keys": await self._list_keys(device, peer)}
            case requests.ShowKey():
                return await self._show_key(request, peer)
            case requests.NewKey():
                return await self._new_key(request, peer)
            case requests.DeleteKey():
                return await self._delete_key(request, peer)

    async def _list_keys(self, name: str | None, peer: PeerIdentity) -> list[KeySummary]:
        devices = self._daemon.status().devices if name is None else (self._sessions.device(name),)
        keys: list[KeySummary] = []
        for device in devices:
            try:
                async with self._sessions.for_reading(device, peer) as session:
                    keys += await list_keys(session)
            except CkrError as error:
                what = f"the keys of '{device.name}' were not listed"
                raise refused(what, error, self._daemon, device.slot) from None
        return keys

    async def _show_key(self, request: requests.ShowKey, peer: PeerIdentity) -> object:
        device = self._sessions.device(request.device)
        try:
            async with self._sessions.for_reading(device, peer) as session:
                return await show_key(session, request.id)
        except CkrError as error:
            raise refused("the key was not read", error, self._daemon, device.slot) from None

    async def _new_key(self, request: requests.NewKey, peer: PeerIdentity) -> KeySummary:
        device = self._sessions.device(request.device)
        try:
            async with self._sessions.for_writing(device, peer, request.pin) as session:
                return await new_key(session, request.type, request.label, request.id, self._random)
        except CkrError as error:
            raise refused("the key was not made", error, self._daemon, device.slot) from None

    async def _delete_key(self, request: requests.DeleteKey, peer: PeerIdentity) -> KeySummary:
        device = self._sessions.device(request.device)
        try:
            async with self._sessions.for_writing(device, peer, request.pin) as session:
                return await delete_key(session, request.id)
        except CkrError as error:
            raise refused("the key was not deleted", error, self._daemon, device.slot) from None
