"""The rules of distribution: each holder has one copy of a program, and hears its identifier until it has used it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fob_office.devices.service import is_disabled
from fob_office.distribution.asking import Asker, admitted, asker_of
from fob_office.distribution.barring import barring_one
from fob_office.distribution.giving import Giving, current_copies, validation_server
from fob_office.distribution.keeping import identifier_of, letter_identifier, record_of
from fob_office.distribution.tables import Copy, Holder, Letter
from fob_office.distribution.unknown import tell_of_unknown
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.programs.programs import Program, find_program, find_programs
from fob_office.programs.settings import Setting, setting_of
from fob_office.refusing import RuleBrokenError
from fob_office.servers.identity import Identity
from fob_office.servers.service import newest_keys
from fob_protocol.integrity.distribution import (
    Copies,
    CopyRequest,
    Enrolment,
    Holding,
    read_copy_request,
    read_enrolment,
)
from fob_protocol.integrity.distribution import Copy as GivenCopy
from fob_protocol.integrity.identifier import mark_of
from fob_protocol.integrity.limits import IDENTIFIER_SIZE
from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import MessageT
from fob_protocol.office.refusals import Refusal

# Of two requests that meet in the database one finds, at its second try, what the other one has done.
_TRIES: Final = 3
# What a proof is compared with when there is no letter of its name.
_NO_IDENTIFIER: Final = bytes(IDENTIFIER_SIZE)


@dataclass(frozen=True, slots=True)
class Distributing:
    """At one server; may be shared by threads."""

    office: Office
    server: Identity

    def copies(self, signed: bytes) -> Copies:
        """For a copy request. Raises RuleBrokenError, OfficeError MALFORMED."""
        request = _signed_by_its_holder(read_copy_request, signed)
        for _ in range(_TRIES):
            with self.office.database.read() as session:
                asker = _known(asker_of(session, request.holder))
                if asker.holder is not None and request.counter <= asker.holder.counter:
                    return self._again(session, asker, asker.holder, request, digest(signed))
            try:
                with self.office.database.write() as session:
                    return self._give(session, asker, request, digest(signed))
            except IntegrityError:
                # Somebody else was first with this holder: now it is there to be seen.
                continue
            except _AskedMeanwhileError:
                continue
        raise RuleBrokenError(Refusal.UNAVAILABLE, "V1", "its holder asks again and again", 1)

    def enrol(self, signed: bytes) -> Copies:
        """A letter's copy becomes its holder's. Raises RuleBrokenError, OfficeError MALFORMED."""
        enrolment = _signed_by_its_holder(read_enrolment, signed)
        for _ in range(_TRIES):
            with self.office.database.read() as session:
                letter, program = self._letter(session, enrolment)
                if letter.copy is not None:
                    return self._enrolled_before(session, letter, enrolment)
            try:
                with self.office.database.write() as session:
                    return self._enrol(session, enrolment, program)
            except IntegrityError:
                continue
            except _AskedMeanwhileError:
                continue
        raise RuleBrokenError(Refusal.UNAVAILABLE, "V6", "others enrol with the same letter again and again", 1)

    def _again(self, session: Session, asker: Asker, holder: Holder, request: CopyRequest, said: bytes) -> Copies:
        """To the same request the same copies. Raises RuleBrokenError DENIED for all others."""
        if holder.request != said:
            raise RuleBrokenError(Refusal.DENIED, "V14", "the counter is not higher")
        holdings = admitted(session, asker, request.holdings)
        held = current_copies(session, holder, [(one.program, one.version) for one in holdings])
        rows = [held[key] for one in holdings if (key := (one.program, one.version)) in held]
        return self._answer(session, [*rows, *_barring(session, holder, holdings, rows)])

    def _give(self, session: Session, asker: Asker, request: CopyRequest, said: bytes) -> Copies:
        """Raises IntegrityError, _AskedMeanwhileError, RuleBrokenError."""
        holder = _spend(session, request, said) if asker.holder else _enter(session, self.office, request.holder)
        holder.counter, holder.request = request.counter, said
        holdings = admitted(session, asker, request.holdings)
        known = find_programs(session, [(one.program, one.version) for one in holdings])
        tell_of_unknown(session, self.office, holder, {(one.program, one.version) for one in holdings} - known.keys())
        programs = list(dict.fromkeys(known[key] for one in holdings if (key := (one.program, one.version)) in known))
        giving = Giving(session, self.office, holder, validation_server(session, self.server))
        rows = giving.copies(programs, request.replaced)
        return self._answer(session, [*rows, *_barring(session, holder, holdings, rows)])

    def _answer(self, session: Session, rows: Sequence[Copy]) -> Copies:
        servers = {record_of(row).validation_server for row in rows}
        certificates = {server: newest_keys(session, server).certificate for server in servers}
        return Copies(tuple(self._given(row, certificates[record_of(row).validation_server]) for row in rows))

    def _given(self, row: Copy, certificate: bytes) -> GivenCopy:
        """An identifier is given until it was used for the first time."""
        told = record_of(row)
        is_marked = told.method.embedder is Embedder.DISTRIBUTOR and row.validated is None
        mark = mark_of(identifier_of(self.office.sealer, row)) if is_marked else None
        return GivenCopy(told.signed(self.server.signing_key), mark, certificate)

    def _letter(self, session: Session, enrolment: Enrolment) -> tuple[Letter, Program]:
        """With what it is for.

        Raises RuleBrokenError DENIED: there is none, it is another program's, over, or not known to who enrols.
        """
        letter = session.get(Letter, enrolment.identifier_name)
        holding = enrolment.holding
        is_unused = letter is not None and letter.copy is None
        identifier = letter_identifier(self.office.sealer, letter) if letter is not None and is_unused else None
        is_proved = enrolment.proves(identifier or _NO_IDENTIFIER)
        disabled = is_disabled(session, enrolment.holder)
        if letter is None or disabled or (is_unused and (not is_proved or letter.until < self.office.now())):
            raise RuleBrokenError(Refusal.DENIED, "V6", "no such letter, or it is over, or the device is disabled")
        program = find_program(session, holding.program, holding.version)
        if program is None or (program.release, program.installation) != (letter.release, letter.installation):
            raise RuleBrokenError(Refusal.DENIED, "V6", "the letter is for another program")
        return letter, program

    def _enrolled_before(self, session: Session, letter: Letter, enrolment: Enrolment) -> Copies:
        """Raises RuleBrokenError LETTER_USED: by somebody else."""
        row = session.get_one(Copy, letter.copy)
        if session.get_one(Holder, row.holder).key != enrolment.holder:
            raise RuleBrokenError(Refusal.LETTER_USED, "V6", f"it has become {row.number.hex()}")
        return self._answer(session, [row])

    def _enrol(self, session: Session, enrolment: Enrolment, program: Program) -> Copies:
        """Raises IntegrityError, _AskedMeanwhileError, RuleBrokenError."""
        # The letter's row is taken first: of two who use it at the same time one goes on.
        letter = session.get_one(Letter, enrolment.identifier_name, with_for_update=True)
        if letter.identifier is None:
            raise _AskedMeanwhileError
        holder = session.scalars(select(Holder).where(Holder.key == enrolment.holder)).one_or_none()
        giving = Giving(
            session, self.office, holder or _enter(session, self.office, enrolment.holder),
            validation_server(session, self.server),
        )  # fmt: skip
        setting = Setting(_method(letter), setting_of(session, program).policy)
        row = giving.by_letter(program, setting, letter_identifier(self.office.sealer, letter))
        letter.copy, letter.identifier = row.id, None
        record(session, self.office.now(), "office", f"enrolled: {program.called}", row.number.hex())
        return self._answer(session, [row])


class _AskedMeanwhileError(Exception):
    """The same holder, or with the same letter, has just been answered."""


def _barring(session: Session, holder: Holder, holdings: Sequence[Holding], given: Sequence[Copy]) -> list[Copy]:
    """For versions that are not known here, of which there is no copy: those that bar their holder from the program."""
    names = {one.program for one in holdings} - {row.program for row in given}
    return list(barring_one(session, holder.id, names).values())


def _signed_by_its_holder(read: Callable[[bytes], MessageT], signed: bytes) -> MessageT:
    """Raises RuleBrokenError DENIED, OfficeError MALFORMED."""
    try:
        return read(signed)
    except OfficeError as error:
        if error.fault is Fault.MALFORMED:
            raise
        raise RuleBrokenError(Refusal.DENIED, "V23", error.why) from None


def _known(asker: Asker) -> Asker:
    if asker.why is not None:
        raise RuleBrokenError(Refusal.DENIED, "V1", asker.why)
    return asker


def _spend(session: Session, request: CopyRequest, said: bytes) -> Holder:
    """Of two who come with one counter at the same time, one goes on. Raises _AskedMeanwhileError."""
    change = update(Holder).where(Holder.key == request.holder, Holder.counter < request.counter)
    spent = change.values(counter=request.counter, request=said).returning(Holder)
    if (holder := session.scalars(spent).one_or_none()) is None:
        raise _AskedMeanwhileError
    return holder


def _enter(session: Session, office: Office, key: bytes) -> Holder:
    """Raises IntegrityError: somebody else was first."""
    holder = Holder(key=key, counter=0, request=None, added=office.now())
    session.add(holder)
    session.flush()
    return holder


def _method(letter: Letter) -> Method:
    return Method(Technique(letter.technique), Embedder(letter.embedder), Variant(letter.variant))
