"""A daemon without links: two places for phones, a log, events on demand, and a pairing that follows its script."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from control.fake_phone import FakePhone, PhoneApplication
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.events import EventQueue
from fob_daemon.control.grant_reports import Revoked
from fob_daemon.control.integrity_reports import OwnCopyReport
from fob_daemon.control.interface import (
    Ask,
    ClientReport,
    ClientSocket,
    Compare,
    ControlEvent,
    DeviceReport,
    DeviceState,
    LineReport,
    LineState,
    LogEntry,
    NearbyReport,
    StatusReport,
    UnpairReport,
)
from fob_daemon.control.log_purpose import LogPurpose
from fob_daemon.control.office_check import no_office
from fob_daemon.control.office_reports import OfficeCheck, OfficeReport
from fob_daemon.cryptoki.interface import Application
from fob_daemon.device.grants import ALL_GRANTS, Grant
from fob_daemon.device.pairing import no_such_device
from fob_daemon.device.remote_office import RemoteOffice
from fob_daemon.device.remote_token import RemoteToken
from fob_daemon.metering.desk import MeterDesk
from fob_daemon.metering.kept.store import MeterStore
from fob_daemon.metering.remote_meter import RemoteMeter
from fob_daemon.metering.reports import MeterReport
from fob_daemon.peer import PeerIdentity
from fob_protocol.caller import Caller
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.fake_device_office import FakeDeviceOffice
from support.fake_history import FakeHistory

CODE = "042137"
URL = "serial:/dev/ttyUSB7?baud=115200"


NOT_ENROLLED = OwnCopyReport("fobd", "0.1.0", False, "", "", "", None, None, True, "", "")
VALIDATED = OwnCopyReport(
    "fobd", "0.1.0", True, "valid", "", "22" * 16, 1_900_000_000, 1_900_086_400, True, "", ""
)  # fmt: skip


class FakeGrants:
    """Implements DeviceGrants; the phone tells of what it takes back, as real ones do."""

    def __init__(self, daemon: "FakeDaemon", name: str) -> None:
        self.daemon = daemon
        self.name = name
        self.phone = daemon.phones[name]

    async def grants(self) -> list[Grant]:
        await self.phone.ask()
        return list(self.phone.grants)

    async def revoke_grant(self, number: int) -> None:
        await self.phone.ask()
        kept = [grant for grant in self.phone.grants if number not in (ALL_GRANTS, grant.number)]
        if number != ALL_GRANTS and len(kept) == len(self.phone.grants):
            raise CkrError(Ckr.ARGUMENTS_BAD, f"no grant {number}")
        self.phone.grants = kept
        self.daemon.announce(Revoked(self.name, number))


@dataclass
class FakeOwnIntegrity:
    """Implements OwnIntegrity; `error` is what it refuses with."""

    now: OwnCopyReport = NOT_ENROLLED
    error: ControlError | None = None
    enrolled: list[tuple[str, bytes | None, bytes | None]] = field(default_factory=list)

    def report(self) -> OwnCopyReport:
        return self.now

    async def enrol(self, letter: str, issuer: bytes | None, certificate: bytes | None) -> OwnCopyReport:
        self.enrolled.append((letter, issuer, certificate))
        return await self.validate()

    async def validate(self) -> OwnCopyReport:
        if self.error is not None:
            raise self.error
        self.now = VALIDATED
        return self.now

    def ticket(self) -> bytes:
        if self.error is not None:
            raise self.error
        return b"\xd2own ticket"

    def present(self, audience: str, nonce: bytes) -> bytes:
        return self.ticket() + audience.encode() + nonce


class FakeDaemon:
    """Implements DaemonView."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.phones: dict[str, FakePhone] = {}
        self.devices: dict[str, DeviceReport] = {}
        self.clients: tuple[ClientReport, ...] = (
            ClientReport(4242, "ssh", ("ssh", "build.example"), ClientSocket.AGENT, 1, True),
        )
        self.agent_logged_in = False
        self.hci = ""
        self.configuration = ""
        self.entries: list[LogEntry] = []
        self.histories: dict[str, FakeHistory] = {}
        # What is configured, whether it answers, and each phone's end of docs/protocol.md, section 4.3.
        self.office_report = OfficeReport("", "", ())
        self.office_check: OfficeCheck | None = None
        self.offices: dict[str, FakeDeviceOffice] = {}
        self.integrity = FakeOwnIntegrity()
        self.desks: dict[str, MeterDesk] = {}
        self.queues: list[EventQueue[ControlEvent]] = []
        # What waits for a person when somebody begins to follow.
        self.asked: list[Ask] = []
        # How many follow the events, after each change.
        self.followers: asyncio.Queue[int] = asyncio.Queue()
        self.tried: list[str] = []
        self.peers: list[PeerIdentity] = []
        self.pairing_error: ControlError | None = None
        self.pairing_cancelled = asyncio.Event()
        # The phone disappears while it is being paired with.
        self.phone_lost = asyncio.Event()
        # What a phone is doing when it has just been paired, and why.
        self.paired_state, self.paired_why = DeviceState.READY, ""
        self.compared: list[bool] = []
        self.nearby: list[NearbyReport] = []
        self.scanned: list[float] = []
        self.scan_error: ControlError | None = None

    def add_phone(self, name: str, phone: FakePhone) -> None:
        """A paired phone, ready."""
        slot = len(self.devices) + 1
        self.phones[name] = phone
        self.offices[name] = FakeDeviceOffice()
        self.histories[name] = FakeHistory([])
        self.devices[name] = DeviceReport(
            name, phone.serial, phone.label, slot, URL, DeviceState.READY, "", "",
            (LineReport(URL, LineState.READY, "", ""),),
            round_trips=12, bytes_sent=345, bytes_received=678, sent_again=1, damaged=2, reconnects=0,
            objects=4, logged_in=False, token_flags=phone.flags,
        )  # fmt: skip

    def change_device(self, name: str, state: DeviceState, why: str, remedy: str = "") -> None:
        """The link of a phone changes."""
        self.devices[name] = replace(self.devices[name], state=state, why=why, next=remedy)

    def announce(self, event: ControlEvent) -> None:
        """Something happened."""
        if isinstance(event, LogEntry):
            self.entries.append(event)
        for queue in self.queues:
            queue.put(event)

    def _change_agent(self, slot: int, *, logged_in: bool) -> bool:
        changed, self.agent_logged_in = self.agent_logged_in != logged_in, logged_in
        for name, device in self.devices.items():
            if device.slot == slot:
                self.devices[name] = replace(device, logged_in=logged_in)
        return changed

    # DaemonView

    def status(self) -> StatusReport:
        sockets = (str(self.folder / "provider.sock"), str(self.folder / "agent.sock"))
        return StatusReport(
            "0.1.0", 77, 3661.5, *sockets, self.agent_logged_in, self.hci, self.configuration,
            tuple(self.devices.values()), self.clients,
        )  # fmt: skip

    def metrics(self) -> bytes:
        return b'fob_link_up{device="pixel"} 1.0\n'

    async def pair(self, url: str, name: str | None, compare: Compare, say: Callable[[str], None]) -> DeviceReport:
        say(f"opening {url}")
        if self.pairing_error is not None:
            raise self.pairing_error
        try:
            equal = await self._unless_lost(compare(CODE, "Ada's phone", "FOB-0001"), url)
        except asyncio.CancelledError:
            self.pairing_cancelled.set()
            raise
        self.compared.append(equal)
        if not equal:
            raise ControlError("not paired", "the codes were not equal", f"fob pair {url}", ExitCode.REJECTED)
        say("look at your phone: confirm the code there too")
        self.add_phone(name or "Ada's phone", FakePhone("Ada's phone", "FOB-0001"))
        self.change_device(name or "Ada's phone", self.paired_state, self.paired_why)
        return self.devices[name or "Ada's phone"]

    async def _unless_lost(self, answer: Awaitable[bool], url: str) -> bool:
        asking, lost = asyncio.ensure_future(answer), asyncio.create_task(self.phone_lost.wait())
        try:
            await asyncio.wait((asking, lost), return_when=asyncio.FIRST_COMPLETED)
            if lost.done():
                why = "the pairing was broken off: the line ended"
                raise ControlError("not paired", why, f"fob pair {url}", ExitCode.NO_DEVICE)
            return await asking
        finally:
            asking.cancel()
            lost.cancel()

    async def scan(self, seconds: float) -> list[NearbyReport]:
        self.scanned.append(seconds)
        if self.scan_error is not None:
            raise self.scan_error
        return self.nearby

    async def unpair(self, name: str) -> UnpairReport:
        why = "" if self.devices[name].state is DeviceState.READY else "the phone was not told (it is away)"
        del self.devices[name], self.phones[name]
        return UnpairReport(name, not why, why, "remove 'me@pc' on the phone" if why else "")

    def application(self, peer: PeerIdentity) -> Application:
        self.peers.append(peer)
        slots = {self.devices[name].slot: phone for name, phone in self.phones.items()}
        return PhoneApplication(slots, peer)

    async def unlock_agent(self, slot: int) -> bool:
        return self._change_agent(slot, logged_in=True)

    async def lock_agent(self, slot: int) -> bool:
        return self._change_agent(slot, logged_in=False)

    def log(self, limit: int, since_sequence: int) -> list[LogEntry]:
        found = [entry for entry in self.entries if entry.sequence > since_sequence]
        return found[-limit:] if limit else []

    def grants(self, name: str) -> FakeGrants:
        return FakeGrants(self, name)

    def history(self, name: str) -> FakeHistory:
        if name not in self.histories:
            raise no_such_device(name)
        return self.histories[name]

    def office(self) -> OfficeReport:
        return self.office_report

    async def check_office(self) -> OfficeCheck:
        if self.office_check is None:
            raise no_office()
        return self.office_check

    def back_office(self, name: str) -> RemoteOffice:
        return RemoteOffice(self.offices[name])

    def caller(self, peer: PeerIdentity) -> Caller:
        return Caller((peer.program,))

    def meter(self, name: str) -> MeterDesk:
        if name not in self.desks:
            link = self.offices[name]
            store = MeterStore.at(self.folder / f"meter-{name}.db")
            remote = RemoteMeter(RemoteToken(link))
            self.desks[name] = MeterDesk(remote, RemoteOffice(link), store, secrets.token_bytes)
        return self.desks[name]

    async def meters(self) -> tuple[MeterReport, ...]:
        found = [await self.meter(name).report(name, None) for name in self.devices]
        return tuple(report for report in found if report is not None)

    def subscribe(self, queue: EventQueue[ControlEvent]) -> None:
        for asked in self.asked:
            queue.put(asked)
        self.queues.append(queue)
        self.followers.put_nowait(len(self.queues))

    def unsubscribe(self, queue: EventQueue[ControlEvent]) -> None:
        self.queues.remove(queue)
        self.followers.put_nowait(len(self.queues))

    def try_now(self, name: str) -> None:
        self.tried.append(name)


def log_entry(sequence: int, result: str = "OK") -> LogEntry:
    """A signature that ssh asked for."""
    return LogEntry(
        sequence=sequence,
        time=1_800_000_000.0 + sequence,
        program="ssh",
        pid=4242,
        programs=("ssh", "git", "zsh"),
        operation="sign",
        purpose=LogPurpose.LOGIN,
        host="github.com",
        namespace="",
        forwarded=False,
        key="mail",
        device="pixel",
        result=result,
        milliseconds=12.5,
    )
