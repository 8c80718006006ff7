"""Copies that are used as often and whenever a test says, without anybody who measures."""

from collections.abc import Sequence
from random import Random

from sqlalchemy import func, select

from fob_office.distribution.tables import Copy, Holder
from fob_office.paging import PAGE
from fob_office.secrets.sealing import Place
from fob_office.validation.tables import Result, Validation
from fob_office.watching.findings import Which, findings_after
from fob_office.watching.lines import watch_line
from fob_office.watching.rules import RuleName
from fob_office.watching.settings import Change, Setting, change_rule
from fob_office.watching.views import FindingView, finding_view
from fob_protocol.cose.cbor import encode
from fob_protocol.integrity.validation import State
from support.office import NOW, OfficeScene
from support.office_holders import RATES, holder_of
from support.office_shop import OPERATOR, ordered_device, release

DAY = 86_400
HOUR = 3600
# Midnight (UTC) before NOW.
MIDNIGHT = NOW - NOW % DAY


def first_copy(scene: OfficeScene, program: str = "rates", serial: str = "M-0001") -> bytes:
    """A device's, whose number it is."""
    release(scene, program, octets=RATES)
    holder = holder_of(scene, ordered_device(scene, program, serial=serial).system_key)
    holder.fetch({program: RATES})
    return holder.copies[program].number


def more_copies(scene: OfficeScene, like: bytes, count: int, seed: int = 3) -> list[bytes]:
    """Of the same program, whose holders are no devices; their numbers."""
    random = Random(seed).randbytes
    with scene.office.database.write() as session:
        first = session.scalars(select(Copy).where(Copy.number == like)).one()
        holders = [Holder(key=random(32), counter=1, request=None, added=NOW) for _ in range(count)]
        session.add_all(holders)
        session.flush()
        copies = [
            Copy(
                number=random(16), holder=holder.id, program=first.program, version=first.version,
                release=first.release, installation=None, record=first.record, identifier=first.identifier,
                state=State.VALID, created=NOW,
            )
            for holder in holders
        ]  # fmt: skip
        session.add_all(copies)
        return [copy.number for copy in copies]


def use(
    scene: OfficeScene, number: bytes, times: int = 1, *, result: Result = Result.VALID, ahead: int = 0
) -> None:  # fmt: skip
    """Lines of a copy at this moment. `ahead`: seconds of its holder's clock."""
    now = scene.clock.time
    with scene.office.database.write() as session:
        copy = session.scalars(select(Copy).where(Copy.number == number)).one()
        before = session.scalar(select(func.count()).where(Validation.copy == copy.id)) or 0
        for position in range(before + 1, before + 1 + times):
            request = encode([number, position])
            place = Place("validations", "integrity_value", [copy.id, position, request])
            line = Validation(
                copy=copy.id, program_number=position, request=request, evidence=b"", time=now, result=result,
                is_used=True, integrity_value=scene.office.sealer.seal(place, bytes(32)),
            )  # fmt: skip
            session.add(line)
            watch_line(session, copy, now, now + ahead, result)


def use_daily(scene: OfficeScene, number: bytes, days: int, times: int = 1) -> None:
    """So many days; the clock stands on the last one."""
    for day in range(days):
        if day:
            scene.clock.pass_by(DAY)
        use(scene, number, times)


def set_rule(
    scene: OfficeScene, rule: RuleName, program: str | None = None, is_on: bool | None = None, **told: object
) -> Setting:
    """What an operator says."""
    return change_rule(scene.office, Change(rule, program, is_on, None, told), OPERATOR)


def found(scene: OfficeScene, *, is_open: bool = False, copy: bytes | None = None) -> Sequence[FindingView]:
    """Oldest first."""
    with scene.office.database.read() as session:
        return [finding_view(*one) for one in findings_after(session, 0, Which(is_open, copy), PAGE)]


def rules_found(scene: OfficeScene) -> list[tuple[str, int]]:
    """With how often each was."""
    return [(one.rule, one.times) for one in found(scene)]
