"""The daemon: paired devices, the engine, the three sockets. What `main` starts and the control socket shows."""

import os
import pwd
import shlex
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from fob_daemon.agent.server import AgentServer
from fob_daemon.clients import Clients, caller_of
from fob_daemon.config import Config, TimeoutSettings
from fob_daemon.control.events import EventQueue
from fob_daemon.control.grant_reports import Granted, Revoked
from fob_daemon.control.interface import (
    Ask,
    ClientSocket,
    Compare,
    ControlEvent,
    DeviceChange,
    DeviceReport,
    LogEntry,
    NearbyReport,
    Settled,
    StatusReport,
    UnpairReport,
)
from fob_daemon.control.office_check import check_office, no_office
from fob_daemon.control.office_reports import OfficeCheck, OfficeReport
from fob_daemon.control.server import ControlServer
from fob_daemon.cryptoki.engine import Engine
from fob_daemon.cryptoki.interface import Application
from fob_daemon.device.back_office import BackOffice
from fob_daemon.device.background import Background
from fob_daemon.device.device import Device
from fob_daemon.device.history import History, history_name
from fob_daemon.device.nearby import scan
from fob_daemon.device.orphan_bonds import OrphanBonds
from fob_daemon.device.pairing import PairingDesk, line_url, no_such_device
from fob_daemon.device.pairing_again import free_lines, renew
from fob_daemon.device.registry import PairedDeviceEntry, Registry, RegistryError
from fob_daemon.device.remote_office import RemoteOffice
from fob_daemon.device.remote_token import RemoteToken
from fob_daemon.device.same_place import neighbours
from fob_daemon.device.slot import open_slot
from fob_daemon.device.timeouts import Timeouts
from fob_daemon.files import load_secret
from fob_daemon.integrity.own_copy import OwnCopy
from fob_daemon.journal import Journal
from fob_daemon.link.lines import Lines, radio_maker
from fob_daemon.link.manager import LinkManager
from fob_daemon.link.transport import LineUnavailableError
from fob_daemon.peer import PeerIdentity
from fob_daemon.relay.office import office_of
from fob_daemon.rpc.limits import Limits
from fob_daemon.rpc.server import ProviderServer
from fob_daemon.sockets import path_of
from fob_daemon.start_error import StartError
from fob_daemon.state_folder import StateFolder
from fob_daemon.version import own_version
from fob_protocol.at.answer import Event
from fob_protocol.caller import Caller
from fob_protocol.catalogue import EVENT_ASK, EVENT_GRANTED, EVENT_REVOKED, EVENT_UNPAIRED
from fob_protocol.limits import PAIRING_TIME
from fob_protocol.noise.keys import DH_SIZE, KeyPair

if TYPE_CHECKING:
    from fob_daemon.metering.desk import MeterDesk
    from fob_daemon.metering.reports import MeterReport

REGISTRY_FILE: Final = "devices.json"
IDENTITY_FILE: Final = "identity.key"

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

# A program's answer comes from the engine, behind a pairing if there is one; the socket's own deadline only catches
# what the engine forgot.
SOCKET_MARGIN: Final = 15.0


class Daemon:
    """Implements the control socket's DaemonView. Made inside the running loop."""

    def __init__(self, config: Config, file: Path | None = None) -> None:
        """`file`: what the configuration was read from; None: it is the defaults."""
        self._config = config
        self._config_file = file
        self._started_at = time.monotonic()
        self._journal = Journal()
        self._engine = Engine()
        self._clients = Clients(self._engine, self._journal)
        self._devices: dict[str, Device] = {}
        # By the devices' keys.
        self._meters: dict[str, MeterDesk] = {}
        self._background = Background()
        self._office = office_of(config.office.url, config.office.ca_file)
        self.integrity = OwnCopy(config.office, self._office)
        users = config.sockets.allowed_uids | {os.getuid()}
        limits = Limits(call_timeout=PAIRING_TIME + self._longest_timeout() + SOCKET_MARGIN)
        self._provider = ProviderServer(self._clients.opener(ClientSocket.PROVIDER), allowed_uids=users, limits=limits)
        self._agent = AgentServer(self._clients.opener(ClientSocket.AGENT), allowed_uids=users)
        self._control = ControlServer(self, allowed_uids=users)

    async def start(self, inherited: dict[str, socket.socket]) -> None:
        """Load what is paired, connect, listen. Raises StartError."""
        try:
            # First: two daemons would answer for the same devices, and write over each other's registry.
            self._state = StateFolder(self._config.state)
            state = self._state.path
            self._identity = KeyPair.from_private_bytes(load_secret(state / IDENTITY_FILE, DH_SIZE, os.urandom))
            self._registry = Registry.load(state / REGISTRY_FILE)
            self._lines = Lines(radio_maker(self._config.bluetooth.hci, state))
            self._desk = PairingDesk(self._identity, self._registry, pc_name(), self._lines)
            by_bluez = self._config.bluetooth.hci is None
            self._orphans = OrphanBonds(state, self._registry, self._desk, self._lines, by_bluez=by_bluez)
            self._orphans.delete_at_start()
            await self.integrity.start(state)
            for entry in self._registry.devices.values():
                self._add(entry)
            self._start_devices()
            paths = self._config.sockets
            provider, agent = inherited.get("provider", paths.provider), inherited.get("agent", paths.agent)
            self._provider_path, self._agent_path = path_of(provider), path_of(agent)
            await self._provider.listen(provider)
            await self._agent.listen(agent)
            await self._control.listen(inherited.get("control", paths.control))
        except OSError as error:
            raise StartError(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from None
        except RegistryError as error:
            # Without it the devices have to be paired again; with it nothing is lost that a person may still mend.
            file = shlex.quote(str(self._state.path / REGISTRY_FILE))
            raise StartError(str(error), f"mv {file} {file}.damaged") from None
        except ValueError as error:
            raise StartError(str(error)) from None

    async def stop(self) -> None:
        """Hang up on everyone, in order: programs first, then devices."""
        await self._control.close()
        await self._agent.close()
        await self._provider.close()
        self._engine.close_all()
        await self._background.close()
        for device in self._devices.values():
            await device.end()
        for desk in self._meters.values():
            await desk.close()
        await self.integrity.close()
        await self._office.close()
        await self._orphans.close()
        with suppress(LineUnavailableError):
            await self._lines.close()
        self._state.close()

    def status(self) -> StatusReport:
        """Everything, as it is now."""
        return StatusReport(
            version=own_version(),
            pid=os.getpid(),
            uptime_s=round(time.monotonic() - self._started_at, 3),
            provider_socket=self._provider_path,
            agent_socket=self._agent_path,
            agent_logged_in=self._clients.agent_is_logged_in,
            hci=self._config.bluetooth.hci or "",
            configuration=str(self._config_file.absolute()) if self._config_file is not None else "",
            devices=tuple(map(self._report, self._devices.values())),
            clients=tuple(self._clients.report()),
        )

    def metrics(self) -> bytes:
        """What was counted since the daemon started, in Prometheus' text format."""
        # Its library takes 3 MB: only who asks pays.
        from fob_daemon.metrics.exposition import exposition

        return exposition(self.status(), self._journal.tally, self.integrity.report())

    async def pair(self, url: str, name: str | None, compare: Compare, say: Callable[[str], None]) -> DeviceReport:
        """Pair with the device at `url`. Raises ControlError."""
        line = line_url(url)
        try:
            with self._desk.at(line):
                for device in [device for device in self._devices.values() if device.entry.is_at(line)]:
                    # A line has one reader.
                    await free_lines(device, say)
                entry = await self._desk.pair(line, name, compare, say)
            known = next((device for device in self._devices.values() if device.entry.slot == entry.slot), None)
            if known is None:
                self._add(entry)
                self._tell_of_neighbours(self._devices[entry.name], say)
            else:
                old_name = known.entry.name
                await renew(known, entry, say)
                self._journal.tally.rename(old_name, entry.name)
                self._put(known)
        finally:
            self._start_devices()
            self._orphans.delete_soon()
        device = self._devices[entry.name]
        await device.settled(say)
        return self._report(device)

    async def scan(self, seconds: float) -> list[NearbyReport]:
        """The devices heard by Bluetooth in this time, the strongest signal first. Raises ControlError."""
        paired = {line.text: device.entry.name for device in self._devices.values() for line in device.entry.lines}
        return await scan(self._lines, seconds, paired)

    async def unpair(self, name: str) -> UnpairReport:
        """Forget a device, which forgets this PC too when it is there and willing. Raises ControlError."""
        device = self._device(name)
        report = await self._desk.unpair(device)
        await self._forget(device)
        return report

    def application(self, peer: PeerIdentity) -> Application:
        """A Cryptoki application for the control socket."""
        return self._clients.open(peer, None)

    async def unlock_agent(self, slot: int) -> bool:
        """The agent takes part in the login that is open. Raises CkrError."""
        return await self._agent.unlock(slot)

    async def lock_agent(self, slot: int) -> bool:
        """End the agent's login. Raises CkrError."""
        return await self._agent.lock(slot)

    def log(self, limit: int, since_sequence: int) -> list[LogEntry]:
        """The newest entries, oldest first."""
        return self._journal.newest(limit, since_sequence)

    def history(self, name: str) -> History:
        """A device's own log. Raises ControlError."""
        entry, remote = self._device(name).entry, self._device(name).slot.remote
        return History(entry.slot, self._identity.public, remote, self._state.path / history_name(entry))

    def grants(self, name: str) -> RemoteToken:
        """What a device has granted to this computer. Raises ControlError."""
        return self._device(name).slot.remote

    def office(self) -> OfficeReport:
        """What is configured, and the relay of each device."""
        settings = self._config.office
        relays = tuple(device.back_office.report() for device in self._devices.values())
        return OfficeReport(settings.url or "", str(settings.ca_file or ""), relays, str(settings.certificate or ""))

    async def check_office(self) -> OfficeCheck:
        """Whether an office answers there. Raises ControlError where none is configured."""
        if self._config.office.url is None:
            raise no_office()
        return await check_office(self._config.office.url, self._office)

    def back_office(self, name: str) -> RemoteOffice:
        """What a device can be asked about its office. Raises ControlError."""
        return self._device(name).back_office.remote

    def caller(self, peer: PeerIdentity) -> Caller:
        """Who a program is, as devices are told."""
        return caller_of(peer)

    def meter(self, name: str) -> "MeterDesk":
        """A device's meter; what uses one is loaded for who asks. Raises ControlError."""
        device = self._device(name)
        desk = self._meters.get(device.entry.key)
        if desk is None:
            from fob_daemon.metering.opening import open_desk

            desk = open_desk(device, self._state.path / meter_name(device.entry), timeouts_of(self._config.timeouts))
            self._meters[device.entry.key] = desk
        return desk

    async def meters(self) -> "tuple[MeterReport, ...]":
        """Meters as their devices told last; nothing is loaded where there is none."""
        found = []
        for name, device in list(self._devices.items()):
            if device.back_office.meter is not None or (self._state.path / meter_name(device.entry)).exists():
                found.append(await self.meter(name).report(name, device.back_office.meter))
        return tuple(report for report in found if report is not None)

    def subscribe(self, queue: EventQueue[ControlEvent]) -> None:
        """Put the questions that are open into `queue`, and every event from now on."""
        self._journal.subscribe(queue)

    def unsubscribe(self, queue: EventQueue[ControlEvent]) -> None:
        """No more events for `queue`."""
        self._journal.unsubscribe(queue)

    def try_now(self, name: str) -> None:
        """Connect to a device at once. Raises ControlError."""
        self._device(name).link.try_now()

    def _device(self, name: str) -> Device:
        device = self._devices.get(name)
        if device is None:
            raise no_such_device(name)
        return device

    def _add(self, entry: PairedDeviceEntry) -> None:
        link = LinkManager(entry.lines, self._identity, entry.key_octets, os.urandom, self._lines.open)
        timeouts = timeouts_of(self._config.timeouts)
        slot = open_slot(
            entry.slot,
            entry.name,
            link,
            cache_path=self._state.path / cache_name(entry),
            timeouts=timeouts,
            linger=self._config.timeouts.logout_linger,
            admit=self.integrity.admit,
        )
        back_office = BackOffice(lambda: device.entry.name, link, timeouts, self._office, self._journal.tell)
        device = Device(entry, link, slot, back_office)
        link.subscribe(lambda event: self._on_event(device, event))
        link.questions.on_settled(lambda request: self._journal.tell(Settled(device.entry.name, request)))
        device.on_change(lambda: self._tell_change(device))
        self._put(device)
        self._engine.add_slot(slot)

    def _report(self, device: Device) -> DeviceReport:
        return device.report(self._devices.values())

    def _tell_change(self, device: Device) -> None:
        """Those at the same place have another reason now not to be here."""
        for changed in (device, *neighbours(device, self._devices.values())):
            self._journal.tell(DeviceChange(self._report(changed)))

    def _tell_of_neighbours(self, device: Device, say: Callable[[str], None]) -> None:
        for other in neighbours(device, self._devices.values()):
            name = other.entry.name
            say(f"'{name}' was paired here before. If that phone is gone for good: fob unpair {shlex.quote(name)}")

    def _put(self, device: Device) -> None:
        """Among the others, in the registry's order, whichever was paired again."""
        known = {known.entry.name: known for known in (*self._devices.values(), device)}
        self._devices = {name: known[name] for name in self._registry.devices if name in known}

    def _start_devices(self) -> None:
        """Keep the links up of all devices but those whose line a pairing has."""
        for device in self._devices.values():
            if not any(self._desk.is_at(line) for line in device.entry.lines):
                device.start()
                device.link.go_on()

    async def _unpaired(self, device: Device) -> None:
        """The device's person unpaired this computer: nothing of the device is kept here either."""
        entry = device.entry
        if self._devices.get(entry.name) is not device or any(self._desk.is_at(line) for line in entry.lines):
            # It is being paired again, or was: that pairing knows better.
            return
        _log.warning("device.unpaired", device=entry.name, reason="its person unpaired this computer")
        try:
            self._registry.remove(entry.name)
        except RegistryError as error:
            # The next handshake is refused, and says why.
            _log.warning("device.not_forgotten", device=entry.name, reason=str(error))
            return
        await self._forget(device)

    async def _forget(self, device: Device) -> None:
        """What there is of a device beside its registry entry: whoever waits for it, its bonds, its objects."""
        device.link.part()
        await self._remove(device.entry.name)
        for line in device.entry.lines:
            await self._orphans.unpaired(line)
        self._orphans.delete_soon()
        (self._state.path / cache_name(device.entry)).unlink(missing_ok=True)

    async def _remove(self, name: str) -> None:
        device = self._devices.pop(name, None)
        if device is not None:
            desk = self._meters.pop(device.entry.key, None)
            if desk is not None:
                await desk.close()
            self._engine.remove_slot(device.entry.slot)
            await device.end()

    def _on_event(self, device: Device, event: Event) -> None:
        match event.name, event.values:
            case name, (int(number), str(words), int(seconds)) if name == EVENT_ASK:
                request = device.link.asked_about(number)
                if request is not None:
                    self._journal.tell(Ask(device.entry.name, words, float(seconds), request))
            case name, (int(number), int(seconds), str(words)) if name == EVENT_GRANTED:
                self._journal.tell(Granted(device.entry.name, number, seconds, words))
            case name, (int(number),) if name == EVENT_REVOKED:
                self._journal.tell(Revoked(device.entry.name, number))
            case name, () if name == EVENT_UNPAIRED:
                self._background.run("unpaired", lambda: self._unpaired(device))

    def _longest_timeout(self) -> float:
        timeouts = self._config.timeouts
        return max(2 * timeouts.login, timeouts.private_operation, timeouts.key_generation)


def timeouts_of(settings: TimeoutSettings) -> Timeouts:
    """As the configuration has them, and the rest as it is."""
    return Timeouts(
        login=settings.login,
        set_pin=2 * settings.login,
        private_operation=settings.private_operation,
        key_generation=settings.key_generation,
    )


def cache_name(entry: PairedDeviceEntry) -> str:
    """The file with what is known of a device's objects; by its key, so that another device never inherits it."""
    return f"objects-{entry.key[:16]}.json"


def meter_name(entry: PairedDeviceEntry) -> str:
    """The file with what this computer keeps of a device's meter; it stays when the device is unpaired: it was paid."""
    return f"meter-{entry.key[:16]}.db"


def pc_name() -> str:
    """What the device calls this computer; a user without an entry in the password file goes by number."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
