"""Appraisal: a request is looked at rule by rule, answered once, and told the same whenever it comes again.

What has to be measured is measured first, outside the transaction: it depends on nothing but the request and what never
changes of its copy. The transaction then takes the copy's row and looks at every rule anew.
"""

from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.database.erasing import erase_some
from fob_office.distribution.barring import bar_others
from fob_office.distribution.keeping import answer_of, identifier_of, record_of, seal_answer, seal_identifier
from fob_office.distribution.tables import Copy
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.programs.programs import reference
from fob_office.refusing import RuleBrokenError
from fob_office.servers.identity import Identity
from fob_office.validation.answers import VERDICTS, Granted, grant, is_refusal, refuse, say_no
from fob_office.validation.asking import Asked, Held, asked_of, held_by_asker
from fob_office.validation.challenges import is_good
from fob_office.validation.log import enter_line
from fob_office.validation.proofs import keep_proof
from fob_office.validation.rules import Case, broken
from fob_office.validation.tables import Result, Validation
from fob_office.watching.lines import watch_line
from fob_protocol.cose.headers import key_id
from fob_protocol.integrity.identifier import mark_of, marked
from fob_protocol.integrity.measure import integrity_value
from fob_protocol.integrity.validation import State, Validate
from fob_protocol.office.envelope import Refused
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.hashing import is_same
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal

log = structlog.get_logger(__name__)

# Of evidence, and so of the usage log: longer than a year.
EVIDENCE_TIME: Final = 400 * 86_400
# Between measuring and deciding an operator may come, and does not all the time.
_TRIES: Final = 3
# How a refusal's octets begin.
_REFUSED: Final = b"\x83\x00"


@dataclass(frozen=True, slots=True)
class Decided:
    """`result` is None when it was decided before and `body` is said again."""

    result: Result | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Validating:
    """At one server; may be shared by threads."""

    office: Office
    server: Identity

    def validate(self, message: Validate) -> bytes:
        """The body for a VAL_REQ: a ticket or a verdict. Raises RefusedError, OfficeError MALFORMED."""
        asked = asked_of(message)
        for _ in range(_TRIES):
            with self.office.database.read() as session:
                case = self._case(session, held_by_asker(session, asked), asked)
                if (before := self._before(case)) is not None:
                    return _said(before)
                expected = self._measured(session, case) if broken(case) is None else None
            with self.office.database.write() as session:
                decided = self._decide(session, asked, expected)
            if decided is not None:
                return _said(decided)
        raise RuleBrokenError(Refusal.UNAVAILABLE, "V14", "its copy changes too fast", 1)

    def _case(self, session: Session, held: Held, asked: Asked) -> Case:
        evidence = asked.evidence
        used = select(Validation).where(
            Validation.copy == held.copy.id, Validation.program_number == evidence.program_number, Validation.is_used
        )
        return Case(
            asked, held.copy, record_of(held.copy), self.server.name, self.office.now(),
            session.scalars(used).one_or_none(),
            is_good(self.office, self.server.name, held.copy, asked.secret.challenge),
            identifier_of(self.office.sealer, held.copy),
        )  # fmt: skip

    def _before(self, case: Case) -> Decided | None:
        """Line 2: what it was answered; None when it is new. Raises RuleBrokenError REPLAYED."""
        if case.is_last:
            return Decided(None, answer_of(self.office.sealer, case.copy))
        if case.is_replayed:
            raise RuleBrokenError(Refusal.REPLAYED, "V14", "it was answered before")
        return None

    def _measured(self, session: Session, case: Case) -> bytes:
        """The ICV that a copy of the reference value has for what the request says."""
        secret = case.asked.secret
        program = reference(session, self.office, case.copy.release, case.copy.installation)
        copy = marked(program, mark_of(secret.identifier))
        return integrity_value(case.record.method, secret.identifier, case.asked.evidence.iv, secret.challenge, copy)

    def _decide(self, session: Session, asked: Asked, expected: bytes | None) -> Decided | None:
        """In the transaction that has the copy's row. None: it has to be measured first."""
        held = held_by_asker(session, asked, lock=True)
        case = self._case(session, held, asked)
        if (before := self._before(case)) is not None:
            return before
        result = broken(case)
        if result is None:
            if expected is None:
                return None
            is_right = is_same(expected, asked.secret.integrity_value)
            result = Result.VALID if is_right else Result.INVALID
        return Decided(result, self._settle(session, held, case, result))

    def _settle(self, session: Session, held: Held, case: Case, result: Result) -> bytes:
        """Store what came of it, before it is said."""
        is_used = case.is_in_sequence and case.used is None and result is not Result.OUT_OF_SEQUENCE
        if enter_line(session, self.office, case, result, is_used=is_used):
            watch_line(session, case.copy, case.now, case.asked.evidence.time, result)
            _warn(held, case, result)
        copy = case.copy
        if is_used:
            copy.program_number = case.asked.evidence.program_number
        if result is Result.VALID:
            body = self._admit(copy, grant(self.office, self.server, held, case), case.now)
        else:
            self._flag(session, held, case, result)
            body = say_no(self.server, case, result)
        if is_used or result in VERDICTS:
            copy.request, copy.answer = case.asked.request, seal_answer(self.office.sealer, copy.number, body)
        erase_some(session, Validation, Validation.time, case.now - EVIDENCE_TIME)
        return body

    def _admit(self, copy: Copy, granted: Granted, now: int) -> bytes:
        copy.server_number, copy.validated, copy.is_resynchronised = granted.server_number, now, False
        copy.identifier = seal_identifier(self.office.sealer, copy.number, granted.identifier)
        return granted.body

    def _flag(self, session: Session, held: Held, case: Case, result: Result) -> None:
        """A good copy that turns out to be invalid or cloned (V15, V21). What an operator said before is over."""
        if case.copy.state != State.VALID or result not in VERDICTS:
            return
        case.copy.state, case.copy.is_reissued = VERDICTS[result], False
        if result is Result.CLONED:
            bar_others(session, case.copy)
        if case.used is not None:
            keep_proof(session, self.server, held, case, case.used)
        number = case.copy.number.hex()
        record(session, case.now, "office", f"copy {result}", number)
        log.warning("copy flagged", copy=number, program=case.record.program, result=result, clause="V15")


def _warn(held: Held, case: Case, result: Result) -> None:
    """Of each such request once: whose copy it is, for `copy resynchronise`."""
    if result is Result.OUT_OF_SEQUENCE:
        copy, holder = case.record.copy.hex(), key_id(held.key).hex()
        log.warning("copy out of sequence", copy=copy, holder=holder, program=case.record.program, clause="V14")


def _said(decided: Decided) -> bytes:
    """Raises RefusedError when that is what comes of it."""
    if decided.result is not None and is_refusal(decided.result):
        raise refuse(decided.result)
    if decided.body.startswith(_REFUSED):
        raise RefusedError(read(Refused, decided.body).code)
    return decided.body
