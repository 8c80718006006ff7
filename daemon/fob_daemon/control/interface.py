"""What the control socket asks of the daemon, and what it shows of it. The reports turn into JSON field by field."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from fob_daemon.control.device_history import DeviceHistory
from fob_daemon.control.events import EventQueue
from fob_daemon.control.grant_reports import DeviceGrants, Granted, Revoked
from fob_daemon.control.integrity_reports import OwnIntegrity
from fob_daemon.control.log_purpose import LogPurpose
from fob_daemon.control.office_reports import (
    DeviceOffice,
    IntegrityChange,
    MeterChange,
    OfficeCheck,
    OfficeReport,
    OptionsChange,
    Progress,
    Relayed,
)
from fob_daemon.cryptoki.interface import Application
from fob_daemon.peer import PeerIdentity
from fob_protocol.caller import Caller
from fob_protocol.pkcs11.flags import TokenFlag

if TYPE_CHECKING:
    from fob_daemon.metering.desk import MeterDesk
    from fob_daemon.metering.reports import MeterReport


class DeviceState(StrEnum):
    """What a device's link is doing."""

    CONNECTING = "connecting"
    READY = "ready"
    AWAY = "away"
    REFUSED = "refused"
    STOPPED = "stopped"


class LineState(StrEnum):
    """What one of a device's lines is doing."""

    CONNECTING = "connecting"
    STANDBY = "standing by"
    READY = "ready"
    AWAY = "away"
    REFUSED = "refused"
    STOPPED = "stopped"


class ClientSocket(StrEnum):
    """By which door a program came."""

    PROVIDER = "provider"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class LineReport:
    """One line to a device: one is in session (ready), the others stand by or say why not.

    `next` is a command that helps, empty when none is known.
    """

    url: str
    state: LineState
    why: str
    next: str


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """One paired device. The counters run since the daemon started.

    `why` explains any state but ready, `next` is a command that helps, empty when none is known. `url` is the line in
    use, or the one that would be; `lines` are all, the preferred one first.
    """

    name: str
    serial: str
    label: str
    slot: int
    url: str
    state: DeviceState
    why: str
    next: str
    lines: tuple[LineReport, ...]
    round_trips: int
    bytes_sent: int
    bytes_received: int
    sent_again: int
    damaged: int
    reconnects: int
    objects: int
    logged_in: bool
    token_flags: TokenFlag


@dataclass(frozen=True, slots=True)
class ClientReport:
    """One connected program. Secrets in its command line are hidden already."""

    pid: int
    program: str
    command_line: tuple[str, ...]
    socket: ClientSocket
    sessions: int
    logged_in: bool


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The daemon, its devices, its clients, and where programs connect; `uptime_s` in seconds.

    `agent_logged_in`: the agent holds a login for all programs at its socket, also while none is connected. `hci`: the
    Bluetooth controller of the daemon's own, empty when it goes by BlueZ. `configuration`: the file that it has read,
    empty when it goes by the defaults.
    """

    version: str
    pid: int
    uptime_s: float
    provider_socket: str
    agent_socket: str
    agent_logged_in: bool
    hci: str
    configuration: str
    devices: tuple[DeviceReport, ...]
    clients: tuple[ClientReport, ...]


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One use of a key, or an attempt. `time` in seconds since the epoch; `result` OK or the name of a CKR.

    `programs`: who asked, `program`, and then who started it; `host`: of a login; `namespace`: of a signature;
    `forwarded`: it came through the ssh agent from another machine.
    """

    sequence: int
    time: float
    program: str
    pid: int
    programs: tuple[str, ...]
    operation: str
    purpose: LogPurpose
    host: str
    namespace: str
    forwarded: bool
    key: str
    device: str
    result: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """A device came, went, or counts something new."""

    device: DeviceReport


@dataclass(frozen=True, slots=True)
class Ask:
    """A device asks its person: the words on its screen, and the seconds left to answer.

    `request` numbers the requests of one device; the same one may be asked about again in other words.
    """

    device: str
    words: str
    seconds: float
    request: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """Nobody waits for the answer to an Ask any more: it came, its time is over, or it was withdrawn."""

    device: str
    request: int


ControlEvent = (
    LogEntry | DeviceChange | Ask | Settled | Granted | Revoked | Relayed | Progress | OptionsChange | IntegrityChange
    | MeterChange
)  # fmt: skip

# Shown to the person: code, device name, serial number. True when both sides show the same code.
Compare = Callable[[str, str, str], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class NearbyReport:
    """A device that advertises by Bluetooth. `rssi` in dBm; `paired` is its name here, if it has one."""

    url: str
    name: str
    rssi: int
    paired: str | None


@dataclass(frozen=True, slots=True)
class UnpairReport:
    """A device that was forgotten. Unless it has forgotten this computer too: why not, and what to do about it."""

    device: str
    phone_forgot: bool
    why: str
    next: str


class DaemonView(Protocol):
    """The daemon as the control socket sees it."""

    @property
    def integrity(self) -> OwnIntegrity:
        """This computer's own copy of fobd."""

    def status(self) -> StatusReport:
        """Everything, as it is now."""

    def metrics(self) -> bytes:
        """What was counted since the daemon started, in Prometheus' text format."""

    async def pair(self, url: str, name: str | None, compare: Compare, say: Callable[[str], None]) -> DeviceReport:
        """Pair with the device at `url`; `say` tells what is waited for. Cancelling ends it. Raises ControlError."""

    async def scan(self, seconds: float) -> list[NearbyReport]:
        """The devices heard by Bluetooth in this time, the strongest signal first. Raises ControlError."""

    async def unpair(self, name: str) -> UnpairReport:
        """Forget a device, which forgets this PC too when it is there and willing. Raises ControlError."""

    def application(self, peer: PeerIdentity) -> Application:
        """A Cryptoki application for `peer`; the caller closes it."""

    async def unlock_agent(self, slot: int) -> bool:
        """The ssh agent takes part in the login that is open on a device; False when it had one. Raises CkrError."""

    async def lock_agent(self, slot: int) -> bool:
        """End the ssh agent's login on a device; False when it had none. Raises CkrError."""

    def log(self, limit: int, since_sequence: int) -> list[LogEntry]:
        """The newest `limit` entries with a higher sequence than `since_sequence`, oldest first."""

    def history(self, name: str) -> DeviceHistory:
        """A device's own log. Raises ControlError."""

    def grants(self, name: str) -> DeviceGrants:
        """What a device has granted to this computer. Raises ControlError."""

    def office(self) -> OfficeReport:
        """What is configured, and the relay of each device."""

    async def check_office(self) -> OfficeCheck:
        """Whether an office answers there. Raises ControlError where none is configured."""

    def back_office(self, name: str) -> DeviceOffice:
        """What a device can be asked about its office. Raises ControlError."""

    def caller(self, peer: PeerIdentity) -> Caller:
        """Who a program is, as devices are told."""

    def meter(self, name: str) -> "MeterDesk":
        """A device's meter. Raises ControlError."""

    async def meters(self) -> "tuple[MeterReport, ...]":
        """Meters as their devices told last; no round trip."""

    def subscribe(self, queue: EventQueue[ControlEvent]) -> None:
        """Put the questions that are open into `queue`, and every event from now on."""

    def unsubscribe(self, queue: EventQueue[ControlEvent]) -> None:
        """No more events for `queue`."""

    def try_now(self, name: str) -> None:
        """Connect to a device at once instead of at the next attempt. Raises ControlError."""
