"""Counting wrong proofs: three in a row lock a code for a while, whether there is such a code or not (R19)."""

from typing import Final

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from fob_office.database.engine import POSTGRESQL
from fob_office.sessions.tables import ProofCount
from fob_protocol.office.limits import PROOF_LOCK, PROOFS_LIMIT

# A count that nobody has added to for a day is forgotten.
KEPT: Final = 86_400


def counted(session: Session, server: str, user_code: bytes, now: int) -> ProofCount:
    """The count of a code. Until the end of the transaction no other proof for it is looked at."""
    insert = postgresql.insert if session.get_bind().dialect.name == POSTGRESQL else sqlite.insert
    first = insert(ProofCount).values(server=server, user_code=user_code, wrong=0, locked_until=0, changed=now)
    # On conflict too something is written: that is what takes the row's lock.
    keys = [ProofCount.server, ProofCount.user_code]
    session.execute(first.on_conflict_do_update(index_elements=keys, set_={"changed": now}))
    return session.get_one(ProofCount, (server, user_code), populate_existing=True)


def count_wrong(count: ProofCount, now: int) -> bool:
    """One more; True when it locks."""
    count.wrong += 1
    if count.wrong < PROOFS_LIMIT:
        return False
    count.wrong, count.locked_until = 0, now + PROOF_LOCK
    return True
