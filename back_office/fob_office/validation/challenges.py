"""Challenges: recorded, for one copy, for CHALLENGE_TIME, one at a time and for one request (V7)."""

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from fob_office.database.engine import POSTGRESQL
from fob_office.database.erasing import erase_some
from fob_office.office import Office
from fob_office.validation.tables import GivenChallenge
from fob_protocol.integrity.limits import CHALLENGE_SIZE, CHALLENGE_TIME
from fob_protocol.office.hashing import is_same


def give_challenge(office: Office, copy: bytes) -> bytes:
    """In the place of the one before, whether there is such a copy or not."""
    challenge, now = office.surroundings.random(CHALLENGE_SIZE), office.now()
    values = {"challenge": challenge, "time": now}
    with office.database.write() as session:
        insert = postgresql.insert if session.get_bind().dialect.name == POSTGRESQL else sqlite.insert
        given = insert(GivenChallenge).values(copy=copy, **values)
        session.execute(given.on_conflict_do_update(index_elements=[GivenChallenge.copy], set_=values))
        erase_some(session, GivenChallenge, GivenChallenge.time, now - CHALLENGE_TIME)
    return challenge


def is_good(given: GivenChallenge | None, told: bytes | None, now: int) -> bool:
    """Whether it is the newest one of its copy, and not over."""
    if given is None or told is None:
        return False
    return is_same(given.challenge, told) and now - given.time <= CHALLENGE_TIME


def spend_challenge(session: Session, copy: bytes, challenge: bytes) -> None:
    """No other request is good with it. A newer one that was given meanwhile stays."""
    session.execute(delete(GivenChallenge).where(GivenChallenge.copy == copy, GivenChallenge.challenge == challenge))
