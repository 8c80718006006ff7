"""The data centre itself changes: boxes and servers are added and removed, value kinds begin."""

import re
from pathlib import Path
from typing import Final, NamedTuple

from msgspec.structs import replace

from fob_office.centre.boxes.folder import BoxFolder, create_folder, erase, open_folder
from fob_office.centre.boxes.identity import admit, make_identity
from fob_office.centre.boxes.pkcs11_vault import ModulePlace
from fob_office.centre.boxes.separation import held_by
from fob_office.centre.bus.directory import FILE as DIRECTORY
from fob_office.centre.bus.directory import Entry, read_entries, write_entries
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.manufacturing import Admit
from fob_office.centre.commands.meter import HeldView
from fob_office.centre.commands.steel import GiveKey, SetNewMeters
from fob_office.centre.founding.owners_keys import begin_in, make_gifts
from fob_office.centre.founding.plan import NewKind
from fob_office.centre.founding.telling import admitted
from fob_office.centre.function.settings import read_told, write_settings
from fob_office.centre.operating.here import names_here
from fob_office.centre.operating.knowing import put_back_beside
from fob_office.centre.operating.operator import Operator
from fob_office.centre.operating.restarting import changing_alone, pid_of, restart, until
from fob_office.centre.places import (
    MANUFACTURING,
    KindSettings,
    load_centre,
    make_sockets,
    save_centre,
    socket_address,
)
from fob_office.centre.view_file import ViewFile
from fob_office.errors import NotFoundError, OperatorError

# Of which there may be several, and none is the only one of its name.
ADDED: Final = (
    Kind.STEEL, Kind.METER, Kind.AUTHENTICATION, Kind.TRANSACTION, Kind.FUNCTION, Kind.DATABASE, Kind.COMMUNICATION,
)  # fmt: skip
_STATUS: Final = "fob-office centre status"


class Terms(NamedTuple):
    """The least that is loaded at once, and what signing up costs, in the least unit."""

    deposit: int
    fee: int


async def add_box(operator: Operator, kind: Kind, module: ModulePlace | None) -> str:
    """A process more, on this machine; its name. Raises BusRefusedError, AwayError, OperatorError, OSError."""
    with changing_alone(operator.centre):
        name = _free_name(operator.centre, kind)
        folder = create_folder(operator.centre / name, name, operator.surroundings.random)
        public = make_identity(folder, kind, operator.surroundings.random)
        keys = public.static, public.sealing, public.signing
        given = await operator.one(MANUFACTURING, Admit(kind, name, *keys))
        masters = module if held_by(kind) else None
        shown = admit(folder, operator.manufacturing, given.shown, given.masters, masters)
        if kind == Kind.FUNCTION:
            write_settings(folder, read_told(_open(operator, _local_of(operator, Kind.FUNCTION)[0])))
        if kind == Kind.STEEL:
            await _give_all(operator, folder, shown)
        entry = Entry(name, kind, socket_address(make_sockets(operator.centre), name), given.shown)
        write_entries(operator.centre, [*read_entries(operator.centre / DIRECTORY), entry])
    return name


async def remove_box(operator: Operator, name: str) -> None:
    """It ends, and its keys are erased. Raises OperatorError, BusRefusedError, AwayError, OSError."""
    with changing_alone(operator.centre):
        entries = read_entries(operator.centre / DIRECTORY)
        entry = next((one for one in entries if one.name == name), None)
        if entry is None:
            raise NotFoundError("nothing was removed", f"there is no {name}", _STATUS)
        if entry.kind not in ADDED:
            why = f"{name} stays for ever: what a {entry.kind.word} process knows, no other one does"
            raise OperatorError("nothing was removed", why, _STATUS)
        if len([one for one in entries if one.kind == entry.kind]) == 1:
            add = f"fob-office centre box add {entry.kind.word}    (and then the same command)"
            raise OperatorError("nothing was removed", f"{name} is the only one of its kind", add)
        if entry.kind == Kind.METER:
            await _check_slots(operator, name)
        if entry.kind == Kind.TRANSACTION:
            _keep_log_key(operator, name)
        write_entries(operator.centre, [one for one in entries if one.name != name])
        await until(operator.centre, lambda: pid_of(operator.centre, name) is None, f"{name} does not end")
        if (operator.centre / name).is_dir():
            erase(operator.centre / name, "removed by an operator")


async def begin_kind(operator: Operator, kind: NewKind, validation_key: bytes, keep: Path | None) -> None:
    """A value kind begins, or goes on with new keys and other rules for meters to come.

    Raises BusRefusedError, AwayError, OperatorError, OSError.
    """
    with changing_alone(operator.centre):
        settings = load_centre(operator.centre)
        known = settings.value_kinds.get(kind.name)
        now = kind.settings(known.version + 1 if known is not None else 1)
        # Before keys of this version are given to anybody: no version is ever made twice.
        save_centre(operator.centre, replace(settings, value_kinds=settings.value_kinds | {kind.name: now}))
        await _give(operator, kind.name, now, [], keep)
        for name in _local_of(operator, Kind.FUNCTION):
            folder = _open(operator, name)
            told = read_told(folder)
            others = tuple(one for one in told.admitted if one.value_kind != kind.name)
            write_settings(folder, replace(told, admitted=(*others, admitted(kind, validation_key))))
            await restart(operator.centre, name)


def terms(operator: Operator) -> Terms:
    """What devices are told. Raises OperatorError, OSError."""
    told = read_told(_open(operator, _local_of(operator, Kind.FUNCTION)[0]))
    return Terms(told.deposit, told.fee)


async def set_terms(operator: Operator, now: Terms) -> None:
    """For whoever signs up or loads from now on. Raises OperatorError, OSError."""
    with changing_alone(operator.centre):
        for name in _local_of(operator, Kind.FUNCTION):
            folder = _open(operator, name)
            write_settings(folder, replace(read_told(folder), deposit=now.deposit, fee=now.fee))
            await restart(operator.centre, name)


async def _give_all(operator: Operator, folder: BoxFolder, shown: Pass) -> None:
    """A new version of all keys, as nobody has the ones before; to the new box before it runs."""
    settings = load_centre(operator.centre)
    kinds = {name: replace(kind, version=kind.version + 1) for name, kind in settings.value_kinds.items()}
    save_centre(operator.centre, replace(settings, value_kinds=kinds))
    for name, kind in kinds.items():
        await _give(operator, name, kind, [(folder, shown)], None)


async def _give(
    operator: Operator, name: str, kind: KindSettings, new: list[tuple[BoxFolder, Pass]], keep: Path | None
) -> None:
    """Both keys and the rules, to all steel boxes: those that run by the bus."""
    directory = operator.links.directory
    running = [directory.pass_of(entry.name) for entry in directory.of_kind(Kind.STEEL)]
    owners = {}
    for folder, shown in new:
        owners[shown.name] = begin_in(folder, name, kind)
    passes = [*running, *(shown for _, shown in new)]
    for box in running:
        await operator.one(box.name, SetNewMeters(name, kind.freshness, kind.limits.octets(), kind.is_public))
    for gift in make_gifts(passes, name, kind.version, operator.surroundings.random, keep):
        if gift.box in owners:
            owners[gift.box].give(gift.owner, gift.value_kind, gift.version, gift.sealed)
        else:
            await operator.one(gift.box, GiveKey(gift.owner, gift.value_kind, gift.version, gift.sealed))


async def _check_slots(operator: Operator, name: str) -> None:
    """Raises OperatorError: what it owns, or knows better than the box beside it, would be lost with it."""
    view = ViewFile(operator.centre, operator.manufacturing).newest()
    complete: dict[str, tuple[int, ...]] = {}
    for number, slot in enumerate(view.slots):
        if slot.owner != name:
            continue
        if slot.second is not None and slot.second not in complete:
            complete[slot.second] = (await operator.one(slot.second, HeldView())).complete
        if slot.second is None or number not in complete[slot.second]:
            why = f"slot {number} is known to no other box yet"
            raise OperatorError("nothing was removed", why, f"{_STATUS}    (and wait until there is a second)")
    found = await put_back_beside(operator, name, view)
    if found is not None:
        raise OperatorError("nothing was removed", found.why, f"fob-office centre box remove {found.box}")


def _keep_log_key(operator: Operator, name: str) -> None:
    settings = load_centre(operator.centre)
    key = operator.links.directory.pass_of(name).signing
    if key is not None and key.hex() not in settings.former_log_keys:
        save_centre(operator.centre, replace(settings, former_log_keys=(*settings.former_log_keys, key.hex())))


def _local_of(operator: Operator, kind: Kind) -> list[str]:
    """Raises OperatorError: none is on this machine."""
    names = names_here(operator.centre, kind)
    if not names:
        raise OperatorError("the data centre was not changed", f"no {kind.word} server is here", _STATUS)
    return names


def _open(operator: Operator, name: str) -> BoxFolder:
    """Raises TamperedError."""
    return open_folder(operator.centre / name, name, operator.surroundings.random)


def _free_name(centre: Path, kind: Kind) -> str:
    """No name is given twice: folders of removed ones stay, without their keys."""
    found = (re.fullmatch(rf"{kind.word}-(\d+)", path.name) for path in centre.iterdir())
    return f"{kind.word}-{1 + max((int(one[1]) for one in found if one is not None), default=0)}"
