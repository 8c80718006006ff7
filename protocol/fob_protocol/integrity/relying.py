"""What somebody else's server calls to admit only software that was validated (V12, V18); offline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

from fob_protocol.integrity.limits import CLOCK_SKEW, REMEMBERED
from fob_protocol.integrity.presentation import check_request, is_by, unverified_presentation
from fob_protocol.integrity.ticket import Ticket, read_ticket
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import Version

# A program shows its ticket all day, and its octets never mean anything else; only right ones are remembered.
_read_ticket: Final = lru_cache(REMEMBERED)(read_ticket)


class NotAdmitted(StrEnum):
    """Why not (docs/integrity-protocol.md, section 4)."""

    MALFORMED = "malformed"
    TOO_LARGE = "too-large"
    WRONG_SIGNATURE = "wrong-signature"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    TOO_OLD = "too-old"
    OTHER_PROGRAM = "other-program"
    WRONG_HOLDER = "wrong-holder"


class NotAdmittedError(Exception):
    """`code` for programs, `why` for people."""

    def __init__(self, code: NotAdmitted, why: str) -> None:
        self.code = code
        self.why = why
        super().__init__(f"{code}: {why}")


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """What one admits: tickets of one validation server (raw public key), not older than `greatest_age` seconds.

    `programs`: least versions by name; empty is any program.
    """

    server: bytes
    greatest_age: int
    programs: Mapping[str, Version] = field(default_factory=dict)

    def admit(self, presentation: bytes, audience: str, nonce: bytes, now: int) -> Ticket:
        """The ticket of whoever signed this presentation for this audience and nonce, which the caller gave once.

        Raises NotAdmittedError; ValueError for an audience or nonce that is none.
        """
        check_request(audience, nonce)
        try:
            token = unverified_presentation(presentation).ticket
        except OfficeError as error:
            raise NotAdmittedError(NotAdmitted(error.fault), error.why) from None
        ticket = self.verify(token, now)
        if not is_by(ticket.holder, presentation, audience, nonce):
            raise NotAdmittedError(NotAdmitted.WRONG_HOLDER, "not signed by the ticket's holder for this request")
        return ticket

    def verify(self, token: bytes, now: int) -> Ticket:
        """A ticket alone: that the copy was valid then, not who shows it. Raises NotAdmittedError."""
        try:
            ticket = _read_ticket(self.server, token)
        except OfficeError as error:
            raise NotAdmittedError(NotAdmitted(error.fault), error.why) from None
        if ticket.time > now + CLOCK_SKEW:
            raise NotAdmittedError(NotAdmitted.NOT_YET_VALID, f"it begins in {ticket.time - now} s")
        if ticket.until < now - CLOCK_SKEW:
            raise NotAdmittedError(NotAdmitted.EXPIRED, f"it was over {now - ticket.until} s ago")
        if now - ticket.time > self.greatest_age:
            raise NotAdmittedError(NotAdmitted.TOO_OLD, f"validated {now - ticket.time} s ago")
        self._check_program(ticket)
        return ticket

    def _check_program(self, ticket: Ticket) -> None:
        if not self.programs:
            return
        least = self.programs.get(ticket.program)
        if least is None or ticket.version < least:
            shown = f"{ticket.program} {'.'.join(map(str, ticket.version))}"
            raise NotAdmittedError(NotAdmitted.OTHER_PROGRAM, f"{shown} is not admitted")
