"""A process more: a box or a server with keys of its own, also in the place of one that was tampered with."""

import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fob_office.backup import copy_sqlite
from fob_office.centre.boxes.errors import TamperedError
from fob_office.centre.boxes.folder import BoxFolder, create_folder, open_folder, was_tampered_with
from fob_office.centre.boxes.identity import admit, make_identity
from fob_office.centre.boxes.pkcs11_vault import ModulePlace, destroy_masters
from fob_office.centre.boxes.separation import held_by
from fob_office.centre.boxes.steel.serials import box_number
from fob_office.centre.bus.directory import FILE as DIRECTORY
from fob_office.centre.bus.directory import Entry, read_entries, write_entries
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.manufacturing import Admit
from fob_office.centre.database.process import FILE as METERS
from fob_office.centre.function.settings import Told, read_told, write_settings
from fob_office.centre.next_step import STATUS
from fob_office.centre.operating.here import next_number
from fob_office.centre.operating.operator import Operator
from fob_office.centre.operating.owners import Receivers, give_all, receivers
from fob_office.centre.operating.restarting import changing_alone, pid_of, until
from fob_office.centre.operating.standing import whole_here
from fob_office.centre.places import MANUFACTURING, CentreSettings, socket_address, sockets_folder
from fob_office.centre.words import Word
from fob_office.database.engine import SQLITE, parse_url
from fob_office.errors import OperatorError
from fob_protocol.metering.limits import BOXES_LIMIT

# Of which there may be several, and none is the only one of its name.
ADDED: Final = (
    Kind.STEEL, Kind.METER, Kind.AUTHENTICATION, Kind.TRANSACTION, Kind.FUNCTION, Kind.DATABASE, Kind.COMMUNICATION,
)  # fmt: skip
# Whose passes devices are given; they keep at most BOXES_LIMIT.
NAMED: Final = (Kind.AUTHENTICATION, Kind.TRANSACTION)


@dataclass(frozen=True, slots=True)
class Wanted:
    """`module`: masters go there. `keep`: a folder for the owners' keys, of a steel box.

    `told`: of a function server, where none is left here that knows it.
    """

    kind: Kind
    module: ModulePlace | None = None
    keep: Path | None = None
    told: Told | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """`replaced`: it was tampered with, and its tables are the new one's. `passed_over`: they did not answer."""

    name: str
    replaced: str | None = None
    passed_over: tuple[str, ...] = ()


async def add_box(operator: Operator, wanted: Wanted) -> Added:
    """A process more, on this machine; what cannot be made leaves nothing.

    Raises BusRefusedError, AwayError, OperatorError, OSError.
    """
    kind = wanted.kind
    with changing_alone(operator.centre):
        if was_tampered_with(operator.centre / MANUFACTURING):
            # Before anything is begun, and with what helps.
            raise TamperedError(MANUFACTURING)
        _check_room(operator, kind)
        told = wanted.told or _told(operator) if kind == Kind.FUNCTION else None
        others = await _receivers(operator) if kind == Kind.STEEL else Receivers(())
        replaced = _replaced(operator) if kind == Kind.DATABASE else None
        async with _new(operator, wanted) as (folder, shown, signed):
            if told is not None:
                write_settings(folder, told)
            if kind == Kind.STEEL:
                await give_all(operator, folder, shown, others, wanted.keep)
            if replaced is not None:
                await _take_tables(operator, replaced, folder)
            entry = Entry(folder.name, kind, socket_address(sockets_folder(operator.centre), folder.name), signed)
            before = [one for one in read_entries(operator.centre / DIRECTORY) if one.name != replaced]
            write_entries(operator.centre, [*before, entry])
    return Added(entry.name, replaced, others.passed_over)


def _check_room(operator: Operator, kind: Kind) -> None:
    """Raises OperatorError: devices would be told of no more."""
    names = [entry.name for entry in operator.links.directory.of_kind(kind)]
    if kind in NAMED and len(names) >= BOXES_LIMIT:
        why = f"a data centre has at most {BOXES_LIMIT} of this kind, of so many devices are told"
        spare = next((name for name in names if was_tampered_with(operator.centre / name)), names[0])
        command = f"fob-office centre box remove {spare}    (or another one, and then the same command)"
        raise OperatorError(f"no {kind.word} process was added", why, command)


async def _receivers(operator: Operator) -> Receivers:
    return await receivers(operator, "no steel process was added", is_one_more=True)


def _told(operator: Operator) -> Told:
    """What the other function servers were told. Raises OperatorError: none of them is left."""
    names = whole_here(operator.centre, Kind.FUNCTION)
    if not names:
        raise OperatorError("no function process was added", "no function server is here that knows its keys", STATUS)
    return read_told(open_folder(operator.centre / names[0], names[0], operator.surroundings.random))


def is_sqlite(settings: CentreSettings) -> bool:
    """Whether the meters' database is a file. Raises OperatorError."""
    return settings.database is None or parse_url(settings.database).get_backend_name() == SQLITE


def _replaced(operator: Operator) -> str | None:
    """Whose place a database server takes, where there is room for one. Raises OperatorError: it is there."""
    if not is_sqlite(operator.settings):
        return None
    names = [entry.name for entry in operator.links.directory.of_kind(Kind.DATABASE)]
    if len(names) == 1 and was_tampered_with(operator.centre / names[0]):
        return names[0]
    why = "SQLite has one database server, and several need PostgreSQL"
    raise OperatorError("no database process was added", why, STATUS)


async def _take_tables(operator: Operator, name: str, folder: BoxFolder) -> None:
    """They are no secret, and the audit holds them against the log. Raises OperatorError, OSError."""
    pid = pid_of(operator.centre, name)
    if pid is not None:
        # It answers nothing any more; started again it opens no database.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        await until(operator.centre, lambda: pid_of(operator.centre, name) is None, f"{name} does not end")
    source = operator.centre / name / METERS
    if operator.settings.database is not None:
        return
    if not source.is_file():
        command = "fob-office centre restore BACKUP    (while nothing runs)"
        raise OperatorError("no database process was added", f"{source} is missing", command)
    copy_sqlite(source, folder.path / METERS)


@asynccontextmanager
async def _new(operator: Operator, wanted: Wanted) -> AsyncIterator[tuple[BoxFolder, Pass, bytes]]:
    """A folder with keys and a pass, and that as it was signed. Where more of it fails, nothing of it is left."""
    number = next_number(operator.centre, wanted.kind)
    while (made := await _admitted(operator, wanted, f"{wanted.kind.word}-{number}")) is None:
        number += 1
    try:
        yield made
    except BaseException:
        _undo(made[0], wanted)
        raise


async def _admitted(operator: Operator, wanted: Wanted, name: str) -> tuple[BoxFolder, Pass, bytes] | None:
    """None: the name was given before, to one that came to nothing."""
    if wanted.kind == Kind.STEEL:
        box_number(name)
    folder = create_folder(operator.centre / name, name, operator.surroundings.random)
    try:
        public = make_identity(folder, wanted.kind, operator.surroundings.random)
        keys = public.static, public.sealing, public.signing
        given = await operator.one(MANUFACTURING, Admit(wanted.kind, name, *keys))
        masters = wanted.module if held_by(wanted.kind) else None
        return folder, admit(folder, operator.manufacturing, given.shown, given.masters, masters), given.shown
    except BaseException as error:
        _undo(folder, wanted)
        if isinstance(error, BusRefusedError) and error.word == Word.NAME_IN_USE:
            return None
        raise


def _undo(folder: BoxFolder, wanted: Wanted) -> None:
    shutil.rmtree(folder.path, ignore_errors=True)
    if wanted.module is not None and held_by(wanted.kind):
        # Where the module is what failed, there is nothing to be said of it besides.
        with suppress(OperatorError):
            destroy_masters(wanted.module, folder.name, held_by(wanted.kind))
