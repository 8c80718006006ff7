"""The manufacturing box: makes all masters, and says who is a process of this data centre. There is one.

It is asked when a process is added or replaced, and for newer passes; the others go on without it.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from msgspec.structs import replace

from fob_office.centre.boxes.box import Box
from fob_office.centre.boxes.folder import BoxFolder
from fob_office.centre.boxes.identity import (
    SIGNING_KINDS,
    Identity,
    Master,
    Masters,
    Public,
    admit,
    make_identity,
    public_of_pass,
    read_identity,
    seal_masters,
    signing_key,
)
from fob_office.centre.boxes.separation import Purpose, held_by
from fob_office.centre.boxes.vault import MASTER_SIZE
from fob_office.centre.boxes.views import Slot, View, read_view
from fob_office.centre.bus.answering import Table, row
from fob_office.centre.bus.errors import BusRefusedError, PassError
from fob_office.centre.bus.passes import Kind, Pass, read_pass
from fob_office.centre.commands.manufacturing import Admit, Admitted, NextView, Viewed
from fob_office.centre.limits import ADMITTED_LIMIT, PASS_TIME
from fob_office.centre.words import Word
from fob_office.surroundings import Surroundings
from fob_protocol.cose.errors import SealError
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import Count, Message, read

log = structlog.get_logger(__name__)

BOOK: Final = "book"


class _Book(Message, tag=1, frozen=True):
    """All that the box remembers: the number of the last pass, the last view, the masters, and whom it admitted."""

    passes: Count
    views: Count
    # As it was signed; none before the first.
    view: bytes
    masters: Masters
    admitted: tuple[Public, ...]

    def __repr__(self) -> str:
        return "_Book(...)"


@dataclass(frozen=True, slots=True)
class Founded:
    """What the first operator needs for everything else. `manufacturing` is the public key (raw)."""

    manufacturing: bytes
    shown: bytes
    operator: Admitted


class ManufacturingBox:
    """Answers operators, one command at a time."""

    def __init__(self, folder: BoxFolder, surroundings: Surroundings) -> None:
        """Raises TamperedError, OperatorError."""
        self._folder = folder
        self._surroundings = surroundings
        self._identity: Identity = read_identity(folder)
        self._key = signing_key(self._identity)
        self._book = self._read() if folder.has(BOOK) else self._start()
        self._admitted = {public.name: public for public in self._book.admitted}

    @property
    def table(self) -> Table:
        """Who may ask what."""
        return {Admit: row([Kind.OPERATOR], self._admit), NextView: row([Kind.OPERATOR], self._next_view)}

    @property
    def public_key(self) -> bytes:
        """Of passes and views, raw."""
        return self._key.public_key().public_bytes_raw()

    @property
    def passes(self) -> int:
        """How many it has given out: the number of the last one."""
        return self._book.passes

    def admit(self, public: Public) -> Admitted:
        """Raises BusRefusedError, TamperedError, OSError."""
        self._check(public)
        masters = Masters(tuple(m for m in self._book.masters.masters if m.purpose in held_by(public.kind)))
        try:
            sealed = seal_masters(public, masters)
        except SealError as error:
            raise BusRefusedError(Word.MALFORMED, str(error)) from None
        admitted = self._admitted | {public.name: public}
        self._keep(replace(self._book, passes=self._book.passes + 1, admitted=tuple(admitted.values())))
        until = self._surroundings.clock() + PASS_TIME
        keys = (public.static, public.sealing, public.signing)
        shown = Pass(public.kind, public.name, *keys, self._book.passes, until)
        return Admitted(shown.signed(self._key), sealed)

    def next_view(self, slots: tuple[Slot, ...], after: int) -> bytes:
        """As NextView says. Raises BusRefusedError, TamperedError, OSError."""
        if after > self._book.views:
            raise BusRefusedError(Word.OLDER_VIEW, f"this box has made {self._book.views} views, and not {after}")
        if after < self._book.views:
            return self._book.view
        for name in {name for slot in slots for name in (slot.owner, slot.second) if name is not None}:
            known = self._admitted.get(name)
            if known is None or known.kind != Kind.METER:
                raise BusRefusedError(Word.NO_METER_BOX, f"{name} is no meter box of this data centre")
        if any(slot.owner == slot.second for slot in slots):
            raise BusRefusedError(Word.MALFORMED, "a slot whose owner is its own second")
        signed = View(after + 1, slots).signed(self._key)
        # Kept before it is given out: no number is ever used twice.
        self._keep(replace(self._book, views=after + 1, view=signed))
        return signed

    def remember(self, newest: bytes | None, passes: Iterable[bytes]) -> str:
        """What this box signed and does not know any more, as its folder was put back: it goes on from there.

        Its signature proves that: so no number has two views, and no pass a number that its holder had before. In
        words, empty where it knew all of it. Raises BusRefusedError TAMPERING: another key signed it; TamperedError,
        OSError.
        """
        book, why = self._book, []
        if newest is not None and (number := self._number_of(newest)) > book.views:
            why.append(f"of the views that it made it knew {book.views} and not {number}")
            book = replace(book, views=number, view=newest)
        shown = [self._own(signed) for signed in passes]
        if (last := max((one.number for one in shown), default=0)) > book.passes:
            why.append(f"of the passes that it gave out it knew {book.passes} and not {last}")
            book = replace(book, passes=last)
        unknown = {one.name: public_of_pass(one) for one in shown if one.name not in self._admitted}
        if unknown and len(self._admitted) + len(unknown) <= ADMITTED_LIMIT:
            why.append(f"it did not know {', '.join(sorted(unknown))}")
            book = replace(book, admitted=(*book.admitted, *unknown.values()))
        if not why:
            return ""
        self._keep(book)
        told = "; ".join(why)
        log.warning("this box was put back to an older folder", why=told)
        return told

    def _number_of(self, newest: bytes) -> int:
        try:
            return read_view(self.public_key, newest).number
        except OfficeError as error:
            raise BusRefusedError(Word.TAMPERING, f"no view of this box: {error}") from None

    def _own(self, signed: bytes) -> Pass:
        try:
            return read_pass(self.public_key, signed)
        except PassError as error:
            raise BusRefusedError(Word.TAMPERING, str(error)) from None

    async def _admit(self, peer: Pass, command: Admit) -> Admitted:
        if command.kind == Kind.MANUFACTURING and command.name not in self._admitted:
            raise BusRefusedError(Word.ONLY_ONE, "a data centre has one manufacturing box")
        forgotten = self.remember(None, () if command.newest is None else (command.newest,))
        public = Public(command.kind, command.name, command.static, command.sealing, command.signing)
        return replace(self.admit(public), forgotten=forgotten)

    async def _next_view(self, peer: Pass, command: NextView) -> Viewed:
        forgotten = self.remember(command.newest, command.passes)
        slots = tuple(Slot(owner, second) for owner, second in command.slots)
        return Viewed(self.next_view(slots, command.after), forgotten)

    def _check(self, public: Public) -> None:
        known = self._admitted.get(public.name)
        if known is not None and known != public:
            raise BusRefusedError(Word.NAME_IN_USE, f"{public.name} was admitted with other keys, or as another kind")
        if known is None and len(self._admitted) >= ADMITTED_LIMIT:
            raise BusRefusedError(Word.FULL, f"{ADMITTED_LIMIT} processes are admitted")
        if (public.signing is not None) != (public.kind in SIGNING_KINDS):
            raise BusRefusedError(Word.MALFORMED, f"a signing key is for other kinds than {public.kind.word}")

    def _start(self) -> _Book:
        masters = tuple(Master(purpose, self._surroundings.random(MASTER_SIZE)) for purpose in Purpose)
        book = _Book(0, 0, b"", Masters(masters), ())
        self._folder.write(BOOK, book.octets())
        return book

    def _read(self) -> _Book:
        return read(_Book, self._folder.read(BOOK))

    def _keep(self, book: _Book) -> None:
        self._folder.write(BOOK, book.octets())
        self._book = book
        self._admitted = {public.name: public for public in book.admitted}


def found(folder: BoxFolder, operator: Public, surroundings: Surroundings) -> Founded:
    """Make the manufacturing box in a new folder, with the first operator, who is admitted by hand.

    Raises BusRefusedError, OSError.
    """
    public = make_identity(folder, Kind.MANUFACTURING, surroundings.random)
    box = ManufacturingBox(folder, surroundings)
    mine = box.admit(public)
    admit(folder, box.public_key, mine.shown, mine.masters)
    return Founded(box.public_key, mine.shown, box.admit(operator))


@asynccontextmanager
async def manufacturing_box(box: Box) -> AsyncIterator[Table]:
    """Its Factory."""
    yield ManufacturingBox(box.folder, box.surroundings).table
