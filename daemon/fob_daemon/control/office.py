"""The back office at the control socket: what is configured, what devices say of it, and what they are asked to do."""

from collections.abc import Awaitable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from fob_daemon.control.errors import ControlError
from fob_daemon.control.interface import DaemonView, DeviceReport
from fob_daemon.control.json_form import Json, to_json
from fob_daemon.control.office_refusals import Unknown, office_refused
from fob_daemon.control.office_reports import RelayReport
from fob_daemon.control.office_requests import (
    CheckOffice,
    Configure,
    GetDeviceOffice,
    GetEntitled,
    GetOffice,
    ListOptions,
    ListServers,
    OfficeRequest,
    ReadOption,
    Register,
    RunOption,
    Use,
)
from fob_daemon.control.office_words import COMMANDS
from fob_daemon.control.patience import patiently
from fob_daemon.control.token_sessions import TokenSessions
from fob_daemon.peer import PeerIdentity
from fob_protocol.at.values import Value
from fob_protocol.office.hashing import digest
from fob_protocol.office.refusal_words import Remedy
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

T = TypeVar("T")

_STATUS: Final = "fob office status"
_NO_SERVER: Final = Unknown("the device knows no such server", _STATUS)
_NO_COMPONENT: Final = Unknown("no such component runs there", "fob options list")


@dataclass(frozen=True, slots=True)
class OfficeHandlers:
    """Every method raises ControlError to refuse."""

    daemon: DaemonView
    sessions: TokenSessions

    async def answer(self, request: OfficeRequest, peer: PeerIdentity) -> Json:
        """The JSON value of the answer."""
        match request:
            case GetOffice():
                return to_json(self.daemon.office())
            case CheckOffice():
                return to_json(await self.daemon.check_office())
            case Register() | Use():
                undone = _undone(request)
                return await patiently(self.daemon, request.device, undone, self._with_pin(request, peer), _STATUS)
        return await self._asked(request)

    async def configure(self, request: Configure) -> Json:
        """What the device is to its office afterwards."""
        device = self.sessions.device(request.device)
        office = self.daemon.back_office(device.name)
        what = f"'{device.name}' was not configured"
        asked = self._ask(device, what, office.configure(request.purpose))
        try:
            await patiently(self.daemon, device.name, what, asked, _STATUS, goes_on=True)
        except ControlError as error:
            if error.next_command != COMMANDS[Remedy.OPTIONS]:
                raise
            # What runs says nothing of what does not.
            raise ControlError(error.what, error.why, _STATUS, error.exit_code) from None
        return await self._state(device)

    async def _asked(
        self, request: GetDeviceOffice | ListServers | GetEntitled | ListOptions | ReadOption | RunOption
    ) -> Json:
        device = self.sessions.device(request.device)
        office = self.daemon.back_office(device.name)
        match request:
            case GetDeviceOffice():
                return await self._state(device)
            case ListServers():
                what = f"the servers of '{device.name}' were not listed"
                return {"servers": to_json(await self._ask(device, what, office.servers()))}
            case GetEntitled(_, server):
                what = "the entitlements were not read"
                return to_json(await self._ask(device, what, office.entitled(server), _NO_SERVER))
            case ListOptions():
                what = f"the options of '{device.name}' were not listed"
                return {"options": to_json(await self._ask(device, what, office.options()))}
            case ReadOption(_, component, start):
                what = f"'{component}' was not read"
                page = await self._ask(device, what, office.option(component, start), _NO_COMPONENT)
                return {"size": page.size, "octets": page.octets.hex()}
            case RunOption():
                return await self._run(device, request)

    async def _run(self, device: DeviceReport, request: RunOption) -> Json:
        unknown = Unknown(f"the values are not what {request.command} takes", "fob options list")
        office = self.daemon.back_office(device.name)
        what = f"{request.command} was not done"
        lines = await self._ask(device, what, office.run(request.command, request.values), unknown)
        return {"lines": [[_at_json(value) for value in line] for line in lines]}

    async def _state(self, device: DeviceReport) -> Json:
        what = f"'{device.name}' did not tell what it is to its office"
        office = self.daemon.back_office(device.name)
        state = to_json(await self._ask(device, what, office.office()))
        return {
            "device": device.name, "office": state, "relay": to_json(self._relay(device)),
            # By which offices tie entitlements to computers.
            "computer": digest(self.daemon.history(device.name).computer).hex(),
        }  # fmt: skip

    async def _with_pin(self, request: Register | Use, peer: PeerIdentity) -> Json:
        """A device with a lock or a pad waits for its person; another one wants a login, which is given it then."""
        device = self.sessions.device(request.device)
        try:
            return await self._person_asked(device, request)
        except CkrError as error:
            if error.ckr is not Ckr.USER_NOT_LOGGED_IN:
                raise self._refused(device, _undone(request), error, _NO_SERVER, request.server) from None
        try:
            async with self.sessions.for_writing(device, peer, request.pin) as session:
                asked = partial(self._person_asked, device, request)
                return await session.application.within_login(session.handle, asked)
        except CkrError as error:
            raise self._refused(device, _undone(request), error, _NO_SERVER, request.server) from None

    async def _person_asked(self, device: DeviceReport, request: Register | Use) -> Json:
        """Raises CkrError."""
        office = self.daemon.back_office(device.name)
        match request:
            case Register(_, server, None):
                return to_json(await office.template(server))
            case Register(_, server, dict() as fields):
                await office.register(server, fields)
                return {"device": device.name, "server": server}
            case Use(_, server, application, path, body):
                used = await office.use(server, application, path, body)
                return {"status": used.status, "body": used.body.hex()}
        raise TypeError(type(request).__name__)

    async def _ask(self, device: DeviceReport, what: str, answer: Awaitable[T], unknown: Unknown | None = None) -> T:
        try:
            return await answer
        except CkrError as error:
            raise self._refused(device, what, error, unknown) from None

    def _refused(
        self, device: DeviceReport, what: str, error: CkrError, unknown: Unknown | None = None, server: str = ""
    ) -> ControlError:
        return office_refused(what, error, self.daemon, device, self._relay(device), unknown, server)

    def _relay(self, device: DeviceReport) -> RelayReport | None:
        return relay_of(self.daemon, device.name)


def relay_of(daemon: DaemonView, device: str) -> RelayReport | None:
    """The relay of a device."""
    return next((relay for relay in daemon.office().relays if relay.device == device), None)


def _undone(request: Register | Use) -> str:
    if isinstance(request, Use):
        return f"'{request.application}' was not asked"
    return "what there is to fill in was not read" if request.fields is None else "not registered"


def _at_json(value: Value) -> Json:
    """Octets are told apart from text."""
    return {"hex": value.hex()} if isinstance(value, bytes) else value
