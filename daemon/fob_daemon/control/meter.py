"""Meters at the control socket: what devices have of them, and what they are asked to have done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from fob_daemon.control.interface import DaemonView, DeviceReport
from fob_daemon.control.json_form import Json, to_json
from fob_daemon.control.meter_advice import GOES_ON, Doing
from fob_daemon.control.meter_refusals import meter_refused
from fob_daemon.control.meter_requests import (
    AddPieces,
    BeginJob,
    FrankJob,
    GetAbout,
    GetAppearance,
    GetFranked,
    GetMeter,
    GetMeterHistory,
    GetMeters,
    GetTerms,
    GiveUpJob,
    JoinMeter,
    ListFranked,
    ListJobs,
    LoadMeter,
    MeterRequest,
    RefundMeter,
    TakeOver,
)
from fob_daemon.control.office import relay_of
from fob_daemon.control.patience import patiently
from fob_daemon.control.token_sessions import TokenSessions
from fob_daemon.peer import PeerIdentity
from fob_protocol.caller import Caller
from fob_protocol.deeds import BY
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

if TYPE_CHECKING:
    from fob_daemon.metering.desk import MeterDesk
    from fob_daemon.metering.drafts import Writer
    from fob_daemon.metering.franking import Tell
    from fob_daemon.metering.reports import SignedOn

T = TypeVar("T")

_STATUS: Final = "fob meter status"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of a device for a program: `what` says that it was not done."""

    device: DeviceReport
    peer: PeerIdentity
    pin: bytes | None = field(repr=False)
    what: str
    doing: Doing = Doing.LOOK


@dataclass(frozen=True, slots=True)
class MeterHandlers:
    """Every method raises ControlError to refuse."""

    daemon: DaemonView
    sessions: TokenSessions

    async def answer(self, request: MeterRequest, peer: PeerIdentity) -> Json:
        """The JSON value of the answer."""
        if isinstance(request, GetMeters):
            return {"meters": to_json(await self.daemon.meters())}
        device = self.sessions.device(request.device)
        desk = self.daemon.meter(device.name)
        match request:
            case GetMeter() | GetTerms() | GetAbout() | GetMeterHistory():
                return await self._told(request, device, desk, peer)
            case LoadMeter() | RefundMeter() | TakeOver() | JoinMeter():
                return await self._done(request, device, desk, peer)
            case ListFranked() | GetFranked() | GetAppearance() | ListJobs():
                return await self._kept(request, device, desk, peer)
        return await self._prepared(request, device, desk, peer)

    async def frank(self, request: FrankJob, peer: PeerIdentity, tell: "Tell") -> Json:
        """The batch, when all of it is franked. `tell` hears how far it is."""
        device = self.sessions.device(request.device)
        desk = self.daemon.meter(device.name)
        number = request.job or (await desk.resumable()).number
        caller = self.daemon.caller(peer)
        asked = _Asked(device, peer, request.pin, "the batch was not franked to its end", Doing.FRANK)
        job = await self._ask(asked, lambda: desk.frank(number, caller, tell, judges=request.judges))
        return {"device": device.name, **_fields(job), "meter": to_json(await desk.known()), **_ended(desk)}

    async def _told(
        self,
        request: GetMeter | GetTerms | GetAbout | GetMeterHistory,
        device: DeviceReport,
        desk: "MeterDesk",
        peer: PeerIdentity,
    ) -> Json:
        pin = request.pin if isinstance(request, GetAbout | GetMeterHistory) else None
        asked = _Asked(device, peer, pin, f"what there is to know of the meter of '{device.name}' was not told")
        match request:
            case GetMeter():
                return {"device": device.name, "meter": to_json(await self._ask(asked, desk.state))}
            case GetTerms():
                return {"device": device.name, **_fields(await self._ask(asked, desk.terms))}
            case GetAbout():
                about = to_json(await self._ask(asked, desk.about))
                return {"device": device.name, "meter": to_json(await self._ask(asked, desk.state)), "about": about}
            case GetMeterHistory(_, after):
                return {"device": device.name, "transactions": await self._ask(asked, lambda: _history(desk, after))}

    async def _done(
        self,
        request: LoadMeter | RefundMeter | TakeOver | JoinMeter,
        device: DeviceReport,
        desk: "MeterDesk",
        peer: PeerIdentity,
    ) -> Json:
        caller = self.daemon.caller(peer)
        match request:
            case LoadMeter(_, amount):
                asked = _Asked(device, peer, request.pin, "nothing was loaded", Doing.LOAD)
                paid = await self._ask(asked, lambda: desk.load(amount, caller))
            case RefundMeter():
                doing = Doing.GIVE_BACK if request.amount is None else Doing.PAY_BACK
                asked = _Asked(device, peer, request.pin, "nothing was given back", doing)
                paid = await self._ask(
                    asked, lambda: desk.refund(request.amount, request.counter, request.piece, caller)
                )
            case TakeOver():
                asked = _Asked(device, peer, request.pin, "nothing was taken over")
                taken = await self._ask(asked, desk.take_over)
                told = {**_fields(taken.ended), "is_own": taken.is_own, "meter": to_json(taken.meter)}
                return {"device": device.name, **told}
            case JoinMeter():
                joined = await self._joined(request, device, desk, peer)
                return {"device": device.name, **_fields(joined), **_ended(desk)}
        return {"device": device.name, **_fields(paid), **_ended(desk)}

    async def _joined(
        self, request: JoinMeter, device: DeviceReport, desk: "MeterDesk", peer: PeerIdentity
    ) -> "SignedOn":
        name, wanted, replaces = request.name, request.wanted, request.replaces
        if wanted is None:
            asked = _Asked(device, peer, request.pin, "not signed on", Doing.SIGN_ON)
            return await self._ask(asked, lambda: desk.sign_on(name, replaces=replaces))
        asked = _Asked(device, peer, request.pin, "not signed up", Doing.SIGN_UP)
        return await self._ask(asked, lambda: desk.sign_up(wanted, replaces=replaces))

    async def _kept(
        self,
        request: ListFranked | GetFranked | GetAppearance | ListJobs,
        device: DeviceReport,
        desk: "MeterDesk",
        peer: PeerIdentity,
    ) -> Json:
        match request:
            case ListJobs():
                return {"device": device.name, "jobs": to_json(await desk.jobs())}
            case ListFranked(_, job):
                return {"device": device.name, "franked": to_json(await desk.kept(job or None))}
            case GetAppearance():
                found = await desk.appearance()
                return {"layout": _hex(found.layout), "slogan": _hex(found.slogan)}
            case GetFranked(_, counter, serial):
                asked = _Asked(device, peer, None, "there are no such indicia here")
                record = await self._ask(asked, lambda: desk.record(counter, serial))
                return {
                    "device": device.name,
                    **_transaction(record),
                    "indicia": _indicia(record, await desk.given_back()),
                }

    async def _prepared(
        self, request: BeginJob | AddPieces | GiveUpJob, device: DeviceReport, desk: "MeterDesk", peer: PeerIdentity
    ) -> Json:
        match request:
            case BeginJob(_, command):
                asked = _Asked(device, peer, request.pin, "nothing was franked")
                writer = _writer(self.daemon.caller(peer), peer)
                begun = await self._ask(asked, lambda: desk.begin_job(command, writer))
                return {"device": device.name, **_fields(begun), **_ended(desk)}
            case AddPieces(_, job, pieces, cleanse):
                asked = _Asked(device, peer, None, "nothing was franked")
                if cleanse:
                    pieces = await self._ask(asked, lambda: desk.cleansed(pieces))
                added: dict[str, Json] = {"device": device.name, "job": job, "total": await desk.add(job, pieces)}
                return added if not cleanse else {**added, "addresses": [piece.address for piece in pieces]}
            case GiveUpJob(_, job):
                asked = _Asked(device, peer, request.pin, "nothing was given up")
                given_up = await self._ask(asked, lambda: desk.give_up(job))
                return {"device": device.name, **_fields(given_up), **_ended(desk)}

    async def _ask(self, asked: _Asked, ask: Callable[[], Awaitable[T]]) -> T:
        """While the device gets on with its office."""
        work = self._unlocked(asked, ask)
        return await patiently(self.daemon, asked.device.name, asked.what, work, GOES_ON.get(asked.doing, _STATUS))

    async def _unlocked(self, asked: _Asked, ask: Callable[[], Awaitable[T]]) -> T:
        """A device with a lock or a pad waits for its person; another one wants a login, which is given it then."""
        try:
            try:
                return await ask()
            except CkrError as error:
                if error.ckr is not Ckr.USER_NOT_LOGGED_IN:
                    raise
            async with self.sessions.for_writing(asked.device, asked.peer, asked.pin) as session:
                return await session.application.within_login(session.handle, ask)
        except CkrError as error:
            relay = relay_of(self.daemon, asked.device.name)
            raise meter_refused(asked.what, error, self.daemon, asked.device, relay, asked.doing) from None


def _fields(report: object) -> dict[str, Json]:
    fields = to_json(report)
    if not isinstance(fields, dict):
        raise TypeError(type(report).__name__)
    return fields


def _ended(desk: "MeterDesk") -> dict[str, Json]:
    """What became of orders whose commands were cut."""
    return {"ended": [to_json(one) for one in desk.ended()]}


def _writer(caller: Caller, peer: PeerIdentity) -> "Writer":
    from fob_daemon.metering.drafts import Writer

    # `fob` is a script: its own name is its interpreter's.
    return Writer.of(BY.join(caller.programs[:2]) or peer.program, peer.pid)


def _hex(content: bytes | None) -> str | None:
    return None if content is None else content.hex()


async def _history(desk: "MeterDesk", after: int) -> list[Json]:
    """Raises CkrError, also for what is no transaction."""
    from fob_daemon.metering.reading import transaction_of

    records = await desk.history(after)
    kind = await _value_kind(desk, transaction_of(records[0]).serial) if records else ""
    return [_transaction(record, kind) for record in records]


async def _value_kind(desk: "MeterDesk", serial: str) -> str:
    """Of the device's meter, empty while the device has not heard of it; a round trip where it never told of it."""
    known = await desk.known()
    if known is None or known.serial != serial or not known.value_kind:
        known = await desk.state()
    return known.value_kind


def _transaction(record: bytes, value_kind: str = "") -> dict[str, Json]:
    """For people and programs. `value_kind`: its meter's, where no indicium says it. Raises CkrError."""
    # What reads them is loaded for who asks.
    from fob_daemon.metering.reading import transaction_of, value_kind_of
    from fob_protocol.metering.kinds import Deed

    it = transaction_of(record)
    kind = value_kind_of(it) or value_kind
    return {
        "counter": it.counter, "deed": Deed(it.deed).name.lower(), "amount": it.amount, "time": it.time,
        "ascending": it.ascending, "descending": it.descending, "loads": it.loads, "pieces": it.pieces,
        "labels": len(it.indicia), "serial": it.serial, "fee": it.fee, "integrity": _hex(it.integrity),
        "record": record.hex(), **({"value_kind": kind} if kind else {}),
    }  # fmt: skip


def _indicia(record: bytes, given_back: set[bytes]) -> Json:
    from fob_daemon.metering.reading import transaction_of

    return [
        {"indicium": one.indicium.hex(), "token": one.token.hex(), "given_back": one.indicium in given_back}
        for one in transaction_of(record).indicia
    ]
