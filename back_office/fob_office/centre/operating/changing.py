"""What a data centre asks of its mailers changes: value kinds begin, and the least that is loaded at once."""

from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from fob_office.centre.boxes.folder import BoxFolder, open_folder
from fob_office.centre.bus.passes import Kind
from fob_office.centre.founding.plan import NewKind
from fob_office.centre.founding.telling import admitted
from fob_office.centre.function.settings import read_told, write_settings
from fob_office.centre.next_step import STATUS
from fob_office.centre.operating.operator import Operator
from fob_office.centre.operating.owners import give, receivers
from fob_office.centre.operating.restarting import changing_alone, restart
from fob_office.centre.operating.standing import whole_here
from fob_office.centre.places import CentreSettings, load_centre, save_centre
from fob_office.errors import OperatorError
from fob_protocol.metering.limits import KINDS_LIMIT


class Terms(NamedTuple):
    """The least that is loaded at once, and what signing up costs, in the least unit."""

    deposit: int
    fee: int


async def begin_kind(operator: Operator, kind: NewKind, validation_key: bytes, keep: Path | None) -> None:
    """A value kind begins, or goes on with new keys and other rules for meters to come.

    Raises BusRefusedError, AwayError, OperatorError, OSError.
    """
    with changing_alone(operator.centre):
        settings = load_centre(operator.centre)
        known = settings.value_kinds.get(kind.name)
        if known is None:
            _check_room(settings, kind.name)
        boxes = await receivers(operator, "the data centre was not changed", is_one_more=False)
        now = kind.settings(known.version + 1 if known is not None else 1)
        # Before keys of this version are given to anybody: no version is ever made twice.
        save_centre(operator.centre, replace(settings, value_kinds=settings.value_kinds | {kind.name: now}))
        await give(operator, kind.name, now, boxes, [], keep)
        for name in _local_of(operator, Kind.FUNCTION):
            folder = _open(operator, name)
            told = read_told(folder)
            others = tuple(one for one in told.admitted if one.value_kind != kind.name)
            write_settings(folder, replace(told, admitted=(*others, admitted(kind, validation_key))))
            await restart(operator.centre, name)


def _check_room(settings: CentreSettings, name: str) -> None:
    """Raises OperatorError: devices take no more."""
    if len(settings.value_kinds) >= KINDS_LIMIT:
        why = f"a data centre has at most {KINDS_LIMIT} value kinds, as many as devices can show"
        raise OperatorError(f"value kind {name} was not added", why, "fob-office centre value-kind list")


def terms(operator: Operator) -> Terms:
    """What devices are told. Raises OperatorError, OSError."""
    told = read_told(_open(operator, _local_of(operator, Kind.FUNCTION)[0]))
    return Terms(told.deposit, told.fee)


async def set_terms(operator: Operator, now: Terms) -> None:
    """For whoever signs up or loads from now on. Raises OperatorError, OSError."""
    with changing_alone(operator.centre):
        names = _local_of(operator, Kind.FUNCTION)
        settings = load_centre(operator.centre)
        save_centre(operator.centre, replace(settings, deposit=now.deposit, fee=now.fee))
        for name in names:
            folder = _open(operator, name)
            write_settings(folder, replace(read_told(folder), deposit=now.deposit, fee=now.fee))
            await restart(operator.centre, name)


def _local_of(operator: Operator, kind: Kind) -> list[str]:
    """Those that were not tampered with. Raises OperatorError: none is on this machine."""
    names = whole_here(operator.centre, kind)
    if not names:
        raise OperatorError("the data centre was not changed", f"no {kind.word} server is here", STATUS)
    return names


def _open(operator: Operator, name: str) -> BoxFolder:
    """Raises TamperedError."""
    return open_folder(operator.centre / name, name, operator.surroundings.random)
