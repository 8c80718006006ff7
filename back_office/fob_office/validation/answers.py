"""VAL_OK, verdicts and refusals, as they are stored and said (V12, V15)."""

from dataclasses import dataclass, field
from typing import Final

from fob_office.office import Office
from fob_office.refusing import RuleBrokenError
from fob_office.servers.identity import Identity
from fob_office.validation.asking import Held
from fob_office.validation.challenges import challenge_behind
from fob_office.validation.rules import Case
from fob_office.validation.tables import Result
from fob_protocol.integrity.identifier import identifier_name, next_identifier
from fob_protocol.integrity.ticket import Ticket
from fob_protocol.integrity.validation import NotValidated, State, Validated, Verdict
from fob_protocol.office.envelope import Refused
from fob_protocol.office.hashing import digest
from fob_protocol.office.refusals import Refusal

VERDICTS: Final = {Result.INVALID: State.INVALID, Result.CLONED: State.CLONED, Result.DISABLED: State.DISABLED}
_REFUSALS: Final = {
    Result.OTHER_VERIFIER: (Refusal.OTHER_VERIFIER, "V11"),
    Result.OUT_OF_SEQUENCE: (Refusal.OUT_OF_SEQUENCE, "V14"),
    Result.STALE_CHALLENGE: (Refusal.STALE_CHALLENGE, "V7"),
    Result.LATE: (Refusal.LATE, "V14"),
    Result.IV_USED: (Refusal.IV_USED, "V10"),
}


@dataclass(frozen=True, slots=True)
class Granted:
    """A VAL_OK's octets, its VSSI, and the identifier that the next request has to know."""

    body: bytes = field(repr=False)
    server_number: int
    identifier: bytes = field(repr=False)


def grant(office: Office, server: Identity, held: Held, case: Case) -> Granted:
    """The ticket; where the identifier rolls, the seed of the next one (V21); the next request's challenge (V7).

    The seed is one of this very request: an office that was put back, and accepts it again, rolls as it did before.
    """
    evidence, record, told = case.asked.evidence, case.record, case.asked.secret.identifier
    number = evidence.server_number + 1
    ticket = Ticket(
        server.name, case.now, case.now + record.policy.lifetime, held.key, digest(case.asked.signed), record.copy,
        record.program, record.version, identifier_name(told), evidence.program_number, number, evidence.iv,
    ).signed(server.signing_key)  # fmt: skip
    challenge = None
    if record.method.technique.is_challenged:
        challenge = challenge_behind(office, server.name, record.copy, evidence.program_number)
    if not record.policy.rolls:
        return Granted(Validated(ticket, None, challenge).octets(), number, told)
    seed = office.sealer.cookie("seed", [record.copy, case.asked.request, number])
    rolled = Validated(ticket, seed, challenge)
    return Granted(rolled.octets(), number, next_identifier(told, seed, record.copy, number))


def say_no(server: Identity, case: Case, result: Result) -> bytes:
    """A verdict, or a refusal that is stored as it is."""
    if result not in VERDICTS:
        return Refused(_REFUSALS[result][0], None).octets()
    evidence = case.asked.evidence
    verdict = Verdict(evidence.copy, evidence.program_number, VERDICTS[result], case.now, digest(case.asked.signed))
    return NotValidated(verdict.signed(server.signing_key)).octets()


def refuse(result: Result) -> RuleBrokenError:
    """What to raise for a result that is a refusal."""
    refusal, clause = _REFUSALS[result]
    return RuleBrokenError(refusal, clause, "what its holder says does not hold")


def is_refusal(result: Result) -> bool:
    """And neither ticket nor verdict."""
    return result in _REFUSALS
