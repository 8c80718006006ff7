"""What operators see and want of one meter (M31)."""

from dataclasses import dataclass
from typing import Final

from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.clocks import is_to_come
from fob_office.centre.commands.database import NO_REQUEST, Fetch, Reindex
from fob_office.centre.commands.function import CarryOut, Recover, Settle
from fob_office.centre.commands.meter import Look
from fob_office.centre.commands.steel import OrderKey
from fob_office.centre.operating.operator import Operator
from fob_office.centre.operating.recovering import recover_mailer
from fob_office.centre.operating.walking import each_meter
from fob_office.centre.view_file import ViewFile
from fob_office.centre.words import Word
from fob_protocol.cose import mac0
from fob_protocol.cose.errors import CoseError
from fob_protocol.metering.kinds import Deed, MeterState
from fob_protocol.metering.records import Limits, MeterRecord, UserRecord
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read

GENUINE: Final = "genuine"

_STATES: Final = {
    Deed.STOP: MeterState.STOPPED, Deed.RESUME: MeterState.ACTIVE, Deed.WITHDRAW: MeterState.WITHDRAWN,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """Records as they stand in the database, and what the meter box says of the meter's: `genuine`, or why not.

    `owner`: that box; `second`: the one that knows the meter too, if there is one.
    """

    meter: MeterRecord
    user: UserRecord
    checked: str
    owner: str
    second: str | None


async def list_meters(operator: Operator, after: str, count: int) -> list[tuple[str, MeterRecord]]:
    """The first above a serial, each with that of its row. Unchecked: only meter boxes can. Raises BusRefusedError."""
    found: list[tuple[str, MeterRecord]] = []
    async for serial, record in each_meter(operator, after, count):
        found.append((serial, _meter(record)))
        if len(found) == count:
            break
    return found


async def show_meter(operator: Operator, serial: str) -> Shown:
    """Raises BusRefusedError NO_METER; DirectoryError."""
    meter, user = await _fetch(operator, serial)
    record = _meter(meter)
    checked = GENUINE
    try:
        await operator.peers.owner(serial, Look(meter, ()))
        if record.serial != serial:
            # Genuine, and somebody put it into another row.
            checked = f"{Word.TAMPERING}: the record of meter {record.serial}"
    except BusRefusedError as refused:
        checked = f"{refused.word}: {refused.why}"
    # After the look: whoever answered owns it still, or was followed by this one.
    slot = ViewFile(operator.centre, operator.manufacturing).newest().of(serial)
    return Shown(record, read(UserRecord, mac0.unchecked_payload(user)), checked, slot.owner, slot.second)


async def order(operator: Operator, serial: str, deed: Deed, limits: Limits | None = None) -> bool:
    """Stop, resume, withdraw, change: once, of the record as it is now. Whether it was not so already.

    Raises BusRefusedError.
    """
    shown = await show_meter(operator, serial)
    if shown.checked == GENUINE and _is_so(shown.meter, deed, limits, operator.now()):
        return False
    octets = limits.octets() if limits is not None else None
    asked = OrderKey(deed, serial, shown.meter.registers.counter, octets)
    signed = (await operator.any(Kind.STEEL, asked)).order
    await operator.any(Kind.FUNCTION, CarryOut(signed))
    return True


async def limits_of(operator: Operator, serial: str) -> Limits:
    """As they are now. Raises BusRefusedError NO_METER."""
    return _meter((await _fetch(operator, serial))[0]).limits


async def account_of(operator: Operator, serial: str) -> bytes:
    """Its mailer's. Raises BusRefusedError NO_METER."""
    return _meter((await _fetch(operator, serial))[0]).account


async def settle(operator: Operator, serial: str) -> bool:
    """What the mailer owes is charged. Whether there was something. Raises BusRefusedError."""
    shown = await show_meter(operator, serial)
    if shown.checked == GENUINE and not (shown.meter.registers.owed or shown.meter.fee):
        return False
    await operator.any(Kind.FUNCTION, Settle(serial))
    return True


@dataclass(frozen=True, slots=True)
class Recovered:
    """Whether the meter was not as its box knows it; whether its mailer has to sign on again."""

    is_changed: bool
    signs_on: bool


async def recover(operator: Operator, serial: str) -> Recovered:
    """The meter's row is made anew of the log; the meter box's standing takes the place of what the database has then.

    An older user record is followed by a new one, and the mailer signs on. Raises BusRefusedError (also what the meter
    box has against a record that is its newest), AwayError.
    """
    is_changed = await _recover_meter(operator, serial)
    return Recovered(is_changed, await _recover_mailer(operator, serial))


@dataclass(frozen=True, slots=True)
class Recovery:
    """Of all meters: how many were as their boxes know them, which were brought up to date, and which not, and why.

    `mailers`: the meters whose mailers have to sign on again.
    """

    genuine: int
    recovered: tuple[str, ...]
    mailers: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]


async def recover_all(operator: Operator) -> Recovery:
    """Whatever is not as the boxes know it. Raises BusRefusedError: the database cannot be asked."""
    genuine = 0
    recovered: list[str] = []
    mailers: list[str] = []
    failed: list[tuple[str, str]] = []
    async for serial, _ in each_meter(operator):
        try:
            if await _is_genuine(operator, serial):
                genuine += 1
            elif await _recover_meter(operator, serial):
                recovered.append(serial)
            else:
                genuine += 1
            if await _recover_mailer(operator, serial):
                mailers.append(serial)
        except (BusRefusedError, AwayError, CoseError, OfficeError) as error:
            failed.append((serial, str(error)))
    return Recovery(genuine, tuple(recovered), tuple(mailers), tuple(failed))


async def _is_genuine(operator: Operator, serial: str) -> bool:
    """What cannot be read is none."""
    try:
        return (await show_meter(operator, serial)).checked == GENUINE
    except (CoseError, OfficeError):
        return False


async def _recover_meter(operator: Operator, serial: str) -> bool:
    """False: the database had what the meter box knows. Raises BusRefusedError: which the box refuses all the same."""
    is_mended = (await operator.any(Kind.DATABASE, Reindex(serial))).is_changed
    if (await operator.any(Kind.FUNCTION, Recover(serial))).is_changed or is_mended:
        return True
    await operator.peers.owner(serial, Look((await _fetch(operator, serial))[0], ()))
    return False


async def _recover_mailer(operator: Operator, serial: str) -> bool:
    boxes = [entry.name for entry in operator.links.directory.of_kind(Kind.AUTHENTICATION)]
    return await recover_mailer(operator, serial, boxes) is not None


async def _fetch(operator: Operator, serial: str) -> tuple[bytes, bytes]:
    found = await operator.any(Kind.DATABASE, Fetch(NO_REQUEST, serial))
    if found.meter is None or found.user is None:
        raise BusRefusedError(Word.NO_METER, f"there is no meter {serial}")
    return found.meter, found.user


def _is_so(record: MeterRecord, deed: Deed, limits: Limits | None, now: int) -> bool:
    if deed is Deed.CHANGE:
        # A day that has not come is put right by the same limits, said again.
        return record.limits == limits and not is_to_come(record.limits, now)
    return record.state is _STATES[deed]


def _meter(record: bytes) -> MeterRecord:
    return read(MeterRecord, mac0.unchecked_payload(record))
