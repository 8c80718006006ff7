"""The rules of sessions: which number is next, what is said again, and when it is over.

A refusal may change what is kept (a wrong proof counts, another number ends the session), so it is not raised before
that is committed.
"""

from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fob_office.database.erasing import erase_some
from fob_office.office import Office
from fob_office.refusing import RuleBrokenError
from fob_office.role import Body
from fob_office.sessions.keeping import end, seal_shared
from fob_office.sessions.proofs import KEPT
from fob_office.sessions.proving import Proving
from fob_office.sessions.speaking import Speaking
from fob_office.sessions.tables import OpenSession, Phase, ProofCount
from fob_protocol.office.hashing import digest
from fob_protocol.office.limits import CHALLENGE_TIME
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.session import Open, Opened, Prove, Say, agree

_NONCE_SIZE: Final = 16
_KEY_SIZE: Final = 32
# Two that send the same question at the same time meet once.
_TRIES: Final = 2

# What a message is answered, or why it is refused. Both are said again.
Outcome = bytes | RuleBrokenError
Act = Callable[[Session, OpenSession], Outcome]


class Sessions:
    """What devices ask for; may be shared by threads."""

    def __init__(self, office: Office, proving: Proving, speaking: Speaking) -> None:
        self._office = office
        self._proving = proving
        self._speaking = speaking

    def open(self, body: Body, message: Open) -> Opened:
        """A challenge, also for a code that nobody has. The same question again is given the same one.

        Raises OfficeError MALFORMED for a key that gives no secret, RuleBrokenError.
        """
        private = X25519PrivateKey.from_private_bytes(self._office.surroundings.random(_KEY_SIZE))
        shared = agree(private, message.key)
        for _ in range(_TRIES):
            try:
                return self._open(body, message, private.public_key().public_bytes_raw(), shared)
            except IntegrityError:
                continue
        raise RuleBrokenError(Refusal.UNAVAILABLE, "R20", "the same question again and again", 1)

    def prove(self, body: Body, message: Prove) -> bytes:
        """The server's proof, if the device's is right. Raises RefusedError."""
        return self._answer(body, message.session, 0, lambda session, row: self._proving.answer(session, row, message))

    def say(self, body: Body, message: Say) -> bytes:
        """The answer to a session message. Raises RefusedError."""

        def act(session: Session, row: OpenSession) -> Outcome:
            return self._speaking.answer(session, row, body.server, message)

        return self._answer(body, message.session, message.number, act)

    def _open(self, body: Body, message: Open, server_key: bytes, shared: bytes) -> Opened:
        now, random = self._office.now(), self._office.surroundings.random
        with self._office.database.write() as session:
            row = session.scalars(select(OpenSession).where(OpenSession.question == body.question)).one_or_none()
            if row is None:
                own_id = random(_NONCE_SIZE)
                row = OpenSession(
                    id=own_id, server=body.server.name, user_code=message.user_code, question=body.question,
                    device_key=message.key, server_key=server_key, challenge=random(_NONCE_SIZE), opened=now,
                    until=now + CHALLENGE_TIME, phase=Phase.OPENED,
                    shared=seal_shared(self._office.sealer, own_id, shared),
                )  # fmt: skip
                session.add(row)
                session.flush()
                erase_some(session, OpenSession, OpenSession.until, now)
                erase_some(session, ProofCount, ProofCount.changed, now - KEPT)
            return Opened(row.id, row.challenge, row.server_key)

    def _answer(self, body: Body, own_id: bytes, number: int, act: Act) -> bytes:
        said = digest(body.octets)
        with self._office.database.write() as session:
            row = self._find(session, body, own_id)
            outcome = _again(row) if row.said == said else self._first(session, row, number, act, said)
        if isinstance(outcome, RuleBrokenError):
            raise outcome
        return outcome

    def _find(self, session: Session, body: Body, own_id: bytes) -> OpenSession:
        """Nobody else speaks in it meanwhile. Raises RuleBrokenError."""
        row = session.get(OpenSession, own_id, with_for_update=True)
        if row is None or row.server != body.server.name or row.until < self._office.now():
            raise RuleBrokenError(Refusal.NO_SESSION, "R20", "there is no such session, or it is over")
        return row

    def _first(self, session: Session, row: OpenSession, number: int, act: Act, said: bytes) -> Outcome:
        """Answers what was not said before, and remembers it. Raises RefusedError, and then nothing has changed."""
        if row.phase == Phase.ENDED:
            raise RuleBrokenError(Refusal.NO_SESSION, "R20", "it has ended")
        expected = 0 if row.phase == Phase.OPENED else row.number + 1
        if number == expected:
            outcome = act(session, row)
        else:
            end(row)
            outcome = RuleBrokenError(Refusal.OUT_OF_ORDER, "R20", f"message {number} where {expected} comes next")
        row.number, row.said = number, said
        row.answer, row.refusal = (outcome, None) if isinstance(outcome, bytes) else (None, outcome.refusal.value)
        return outcome


def _again(row: OpenSession) -> Outcome:
    if row.refusal is not None:
        return RuleBrokenError(Refusal(row.refusal), "R20", "as before")
    return row.answer or b""
