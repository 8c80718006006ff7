"""The emulated provider's book: cards, and what was done for each number of a meter.

Each function works in the caller's transaction; a file of SQLite has one writer at a time.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Connection, case, func, or_, select, tuple_, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError

from fob_office.centre.payment.interface import PaymentRefusedError
from fob_office.centre.payment.tables import CARDS, PAYMENTS, VERSION, metadata
from fob_office.database.engine import create_file, open_engine
from fob_office.database.session import Database
from fob_office.database.troubles import check_file, why_and_command
from fob_office.errors import OperatorError

# Receipts in one answer.
OPEN_LIMIT: Final = 64

_NOT_USED: Final = "the payment provider's book cannot be used"


@dataclass(frozen=True, slots=True)
class Terms:
    """`balance`: what a card has that nothing was said of, in the value kind's least unit."""

    balance: int = 100_000_000


class Card(NamedTuple):
    """`taken`: what was charged and not paid back; all that goes in or out is refused where `is_refused`."""

    balance: int
    taken: int
    is_refused: bool


class Sums(NamedTuple):
    """Of amounts, both positive; `payments`: how many there are."""

    charged: int
    paid_back: int
    payments: int


class Wanted(NamedTuple):
    """A payment; `amount` is less than nothing when it goes back."""

    account: bytes
    serial: str
    number: int
    amount: int
    request_id: bytes
    time: int
    request: bytes


def open_ledger(path: Path) -> Database:
    """A new file where there is none. Raises OperatorError: it cannot be read, or is of another version."""
    if is_new := not path.exists():
        create_file(path)
    url = f"sqlite:///{path.absolute()}"
    database = Database(open_engine(url))
    try:
        check_file(url)
        _check_version(database, path, is_new=is_new)
    except (SQLAlchemyError, sqlite3.Error) as error:
        database.close()
        raise OperatorError(_NOT_USED, *why_and_command(error)) from None
    except OperatorError:
        database.close()
        raise
    return database


def pay(connection: Connection, wanted: Wanted, terms: Terms, receipt: Callable[[], bytes]) -> bytes:
    """The receipt of what was done under this number, now or before. Raises PaymentRefusedError."""
    if (done := paid(connection, wanted.serial, wanted.number, is_back=wanted.amount < 0)) is not None:
        return done
    found = card(connection, wanted.account, terms)
    _check(wanted, found)
    if wanted.amount < 0:
        _check_back(connection, wanted)
    else:
        _check_first(connection, wanted)
    _put(connection, wanted.account, Card(found.balance - wanted.amount, found.taken + wanted.amount, is_refused=False))
    signed = receipt()
    is_back = wanted.amount < 0
    values = {**wanted._asdict(), "receipt": signed, "is_back": is_back, "is_open": not is_back}
    connection.execute(insert(PAYMENTS).values(values))
    return signed


def paid(connection: Connection, serial: str, number: int, *, is_back: bool) -> bytes | None:
    """The receipt of what was done under this number, of one kind or the other; None: it is free."""
    is_it = (PAYMENTS.c.serial == serial, PAYMENTS.c.number == number, PAYMENTS.c.is_back == is_back)
    receipt: bytes | None = connection.scalar(select(PAYMENTS.c.receipt).where(*is_it))
    return receipt


def card(connection: Connection, account: bytes, terms: Terms) -> Card:
    """Of an account; the terms' own where nothing was said of it."""
    columns = (CARDS.c.balance, CARDS.c.taken, CARDS.c.is_refused)
    found = connection.execute(select(*columns).where(CARDS.c.account == account)).one_or_none()
    return Card(terms.balance, 0, is_refused=False) if found is None else Card(*found)


def set_card(
    connection: Connection, account: bytes, terms: Terms, *, balance: int | None = None, is_refused: bool | None = None
) -> None:
    """What the card has from now on, and whether all that goes in or out of it is refused; None: as before."""
    changed = card(connection, account, terms)
    if balance is not None:
        changed = changed._replace(balance=balance)
    if is_refused is not None:
        changed = changed._replace(is_refused=is_refused)
    _put(connection, account, changed)


def sums(connection: Connection, account: bytes) -> Sums:
    """Of one account."""
    amount = PAYMENTS.c.amount
    looked = select(
        func.coalesce(func.sum(case((amount > 0, amount), else_=0)), 0),
        func.coalesce(func.sum(case((amount < 0, -amount), else_=0)), 0),
        func.count(),
    )
    return Sums(*connection.execute(looked.where(PAYMENTS.c.account == account)).one())


def open_receipts(connection: Connection, after: tuple[str, int], until: int) -> list[bytes]:
    """Of money that was taken until a time and has not come in, above a serial and number; OPEN_LIMIT at most."""
    place = tuple_(PAYMENTS.c.serial, PAYMENTS.c.number)
    looked = select(PAYMENTS.c.receipt).where(PAYMENTS.c.is_open, PAYMENTS.c.time <= until, place > tuple_(*after))
    return list(connection.scalars(looked.order_by(PAYMENTS.c.serial, PAYMENTS.c.number).limit(OPEN_LIMIT)))


def came_in(connection: Connection, serial: str, request_id: bytes, amount: int) -> bool:
    """It is on its meter; said again too. Whether there is such a payment."""
    of = (PAYMENTS.c.serial == serial, PAYMENTS.c.request_id == request_id, PAYMENTS.c.amount == amount)
    came = update(PAYMENTS).where(*of, PAYMENTS.c.is_back.is_(False)).values(is_open=False)
    return connection.execute(came).rowcount > 0


def _check(wanted: Wanted, found: Card) -> None:
    if found.is_refused:
        raise PaymentRefusedError("this account is refused")
    if wanted.amount > found.balance:
        raise PaymentRefusedError("the card does not cover it")
    if -wanted.amount > found.taken:
        raise PaymentRefusedError("more would go back than was taken")


def _check_first(connection: Connection, wanted: Wanted) -> None:
    """Who permits a charge permits one, and what came in is found by its id. Raises PaymentRefusedError."""
    is_same = or_(PAYMENTS.c.request == wanted.request, PAYMENTS.c.request_id == wanted.request_id)
    of_request = (PAYMENTS.c.serial == wanted.serial, is_same, PAYMENTS.c.amount > 0)
    if connection.scalar(select(PAYMENTS.c.number).where(*of_request)) is not None:
        raise PaymentRefusedError("it was taken before, under another number")


def _check_back(connection: Connection, wanted: Wanted) -> None:
    """Once for a request, and to who paid for this meter. Raises PaymentRefusedError."""
    paid = select(func.coalesce(func.sum(PAYMENTS.c.amount), 0)).where(PAYMENTS.c.serial == wanted.serial)
    if connection.execute(paid.where(PAYMENTS.c.account == wanted.account)).scalar_one() < -wanted.amount:
        raise PaymentRefusedError("more would go back than was taken for this meter of this account")
    of_request = (PAYMENTS.c.serial == wanted.serial, PAYMENTS.c.request_id == wanted.request_id, PAYMENTS.c.amount < 0)
    if connection.scalar(select(PAYMENTS.c.number).where(*of_request)) is not None:
        raise PaymentRefusedError("it went back before, under another number")


def _put(connection: Connection, account: bytes, new: Card) -> None:
    values = new._asdict()
    made = insert(CARDS).values(account=account, **values)
    connection.execute(made.on_conflict_do_update(index_elements=[CARDS.c.account], set_=values))


def _check_version(database: Database, path: Path, *, is_new: bool) -> None:
    with database.write() as session:
        connection = session.connection()
        if is_new:
            metadata.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
        held = connection.exec_driver_sql("PRAGMA user_version").scalar()
    if held != VERSION:
        why = f"{path} is of version {held}, and this program of {VERSION}"
        raise OperatorError(_NOT_USED, why, f"mv {path} {path}.old    (and begin a new one)")
