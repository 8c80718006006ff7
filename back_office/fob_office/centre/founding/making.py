"""A new data centre, in a folder beside its own that becomes it at the end.

Whoever is cut off before all of it stands there begins anew: nothing of it was given to anybody. From then on the same
command goes on: the issuer's certificates are entered in the office, and the folder gets its name.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from fob_office.centre.boxes.alone import locked
from fob_office.centre.boxes.folder import BoxFolder, create_folder
from fob_office.centre.boxes.identity import admit, make_identity, public_of, read_identity, signing_key
from fob_office.centre.boxes.manufacturing import ManufacturingBox, found
from fob_office.centre.boxes.separation import held_by
from fob_office.centre.boxes.views import Slot
from fob_office.centre.bus.directory import Entry, write_entries
from fob_office.centre.bus.passes import Kind, Pass, read_pass
from fob_office.centre.database.keeping import migrate_meters
from fob_office.centre.database.process import FILE as METERS_FILE
from fob_office.centre.founding.owners_keys import begin_in, make_gifts
from fob_office.centre.founding.plan import Plan
from fob_office.centre.founding.telling import BOXES, METERING, admitted, validation_key
from fob_office.centre.function.settings import Told, write_settings
from fob_office.centre.limits import SLOTS
from fob_office.centre.places import (
    MANUFACTURING,
    OPERATOR,
    CentreSettings,
    centre_folder,
    save_centre,
    socket_address,
    sockets_folder,
)
from fob_office.centre.supervising.history import History
from fob_office.errors import OperatorError
from fob_office.issuer.service import Issuing, PublicKeys
from fob_office.office import Office
from fob_office.secrets.private_file import flush_folder, owner_alone, write_new
from fob_office.servers.key_pair import KeyPair
from fob_protocol.office.certificate import Usage
from fob_protocol.office.message import Message, read

# Beside the centre's folder, until it is one.
BEGUN: Final = "centre.begun"
# There once nothing in it is made any more; the certificates that the office shall have.
_WHOLE: Final = "certificates"
# Until they are where the operator wants them.
_OWNERS_KEYS: Final = "owners-keys"
_NOT_MADE: Final = "no data centre was made"
_FIRST_VERSION: Final = 1


class _Certificates(Message, tag=1, frozen=True):
    """As the issuer signed them."""

    signed: Annotated[tuple[bytes, ...], Meta(max_length=4)]


def make_centre(office: Office, issuing: Issuing, plan: Plan) -> Path:
    """Its folder. Raises OperatorError, UsageError, OSError."""
    state = office.settings.state
    folder = centre_folder(state)
    with owner_alone(), _alone(folder.parent):
        if folder.exists():
            raise OperatorError(_NOT_MADE, f"there is one in {folder}", f"fob-office centre run --state {state}")
        part = folder.with_name(BEGUN)
        if not (part / _WHOLE).exists():
            with suppress(FileNotFoundError):
                shutil.rmtree(part)
            _Maker(office, issuing, plan, part, folder).make()
        if plan.keep_keys is not None:
            _hand_out(part / _OWNERS_KEYS, plan.keep_keys)
        with suppress(FileNotFoundError):
            shutil.rmtree(part / _OWNERS_KEYS)
        issuing.enter_elsewhere(read(_Certificates, (part / _WHOLE).read_bytes()).signed)
        part.rename(folder)
        flush_folder(folder.parent)
    return folder


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """One `init` at a time. Raises OperatorError, OSError."""
    descriptor = os.open(state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not locked(descriptor, patience=0):
            raise OperatorError(_NOT_MADE, f"another init is at work in {state}", "wait for its end")
        yield
    finally:
        os.close(descriptor)


def _hand_out(keys: Path, keep: Path) -> None:
    """What is there already is not written over. Raises OperatorError, OSError."""
    keep.mkdir(mode=0o700, parents=True, exist_ok=True)
    for key in keys.iterdir() if keys.exists() else ():
        kept = keep / key.name
        if not kept.exists():
            write_new(kept, key.read_bytes())
        elif kept.read_bytes() != key.read_bytes():
            raise OperatorError(_NOT_MADE, f"{kept} is another key", "the same command with another --keep-keys")


class _Maker:
    """Everything in `part`, which will be `folder`."""

    def __init__(self, office: Office, issuing: Issuing, plan: Plan, part: Path, folder: Path) -> None:
        self._office = office
        self._surroundings = office.surroundings
        self._issuing = issuing
        self._plan = plan
        self._part = part
        self._sockets = sockets_folder(folder)
        self._entries: list[Entry] = []
        self._passes: dict[str, Pass] = {}
        self._key = b""

    def make(self) -> None:
        """Raises OperatorError, OSError."""
        with self._office.database.read() as session:
            validation = validation_key(session)
        manufacturing, folder = self._found()
        folders = {
            name: self._add(manufacturing, kind, name) for kind in self._plan.counts for name in self._plan.names(kind)
        }
        write_entries(self._part, self._entries)
        History(self._part, self._key).add(manufacturing.next_view(first_slots(self._plan.names(Kind.METER)), 0))
        self._give_keys([folders[name] for name in self._plan.names(Kind.STEEL)])
        pair = KeyPair.made(self._surroundings)
        mine = self._certify(METERING, "Metering", Usage.METERING, PublicKeys.of(pair))
        boxes = self._certify(BOXES, "Boxes of the data centre", Usage.BOXES, _public_keys(folder))
        keys = pair.signing.private_bytes_raw(), pair.sealing.private_bytes_raw()
        kinds_told = (admitted(self._plan.value_kind, validation),)
        told = Told(mine, *keys, kinds_told, self._plan.deposit, fee=self._plan.fee)
        for name in self._plan.names(Kind.FUNCTION):
            write_settings(folders[name], told)
        self._make_database(folders)
        kinds = {self._plan.value_kind.name: self._plan.value_kind.settings(_FIRST_VERSION)}
        plan = self._plan
        settings = CentreSettings(
            database=plan.database, value_kinds=kinds, deposit=plan.deposit, fee=plan.fee, module=plan.kept_module
        )
        save_centre(self._part, settings)
        write_new(self._part / _WHOLE, _Certificates((mine, boxes)).octets())

    def _found(self) -> tuple[ManufacturingBox, BoxFolder]:
        """With the first operator, who is admitted by hand."""
        random = self._surroundings.random
        operator = create_folder(self._part / OPERATOR, OPERATOR, random)
        top = create_folder(self._part / MANUFACTURING, MANUFACTURING, random)
        founded = found(top, make_identity(operator, Kind.OPERATOR, random), self._surroundings)
        self._key = founded.manufacturing
        admit(operator, self._key, founded.operator.shown, founded.operator.masters)
        self._enter(founded.shown)
        self._enter(founded.operator.shown)
        return ManufacturingBox(top, self._surroundings), top

    def _add(self, manufacturing: ManufacturingBox, kind: Kind, name: str) -> BoxFolder:
        folder = create_folder(self._part / name, name, self._surroundings.random)
        given = manufacturing.admit(make_identity(folder, kind, self._surroundings.random))
        admit(folder, self._key, given.shown, given.masters, self._plan.module if held_by(kind) else None)
        self._enter(given.shown)
        return folder

    def _enter(self, signed: bytes) -> None:
        shown = read_pass(self._key, signed)
        self._passes[shown.name] = shown
        self._entries.append(Entry(shown.name, shown.kind, socket_address(self._sockets, shown.name), signed))

    def _give_keys(self, steel: Iterable[BoxFolder]) -> None:
        """What the steel boxes would be told on the bus, before they run."""
        kind = self._plan.value_kind
        owners = {}
        for folder in steel:
            owners[folder.name] = begin_in(folder, kind.name, kind.settings(_FIRST_VERSION))
        passes = [self._passes[name] for name in owners]
        random = self._surroundings.random
        kept = self._part / _OWNERS_KEYS if self._plan.keep_keys is not None else None
        for gift in make_gifts(passes, kind.name, _FIRST_VERSION, random, kept):
            owners[gift.box].give(gift.owner, gift.value_kind, gift.version, gift.sealed)

    def _certify(self, name: str, title: str, usage: Usage, keys: PublicKeys) -> bytes:
        return self._issuing.certify_elsewhere(name, title, (usage,), keys)

    def _make_database(self, folders: dict[str, BoxFolder]) -> None:
        for name in self._plan.names(Kind.DATABASE):
            migrate_meters(self._plan.database or f"sqlite:///{folders[name].path.absolute() / METERS_FILE}")


def first_slots(boxes: list[str]) -> tuple[Slot, ...]:
    """Each box owns as many slots as the others, and is second of as many."""
    count = len(boxes)
    return tuple(Slot(boxes[slot % count], boxes[(slot + 1) % count] if count > 1 else None) for slot in range(SLOTS))


def _public_keys(folder: BoxFolder) -> PublicKeys:
    """Those that stand in the pass of a box that signs."""
    identity = read_identity(folder)
    return PublicKeys(signing_key(identity).public_key().public_bytes_raw(), public_of(identity).sealing)
