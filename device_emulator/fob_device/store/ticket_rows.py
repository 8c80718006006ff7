"""Login tickets: what lets a login go on after a restart of the device."""

import sqlite3
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TicketRow:
    """The master key wrapped under a ticket that only the computer holds; `created` in seconds of the wall clock."""

    login: int
    user: int
    created: float
    wrapped_master: bytes = field(repr=False)


def next_login(connection: sqlite3.Connection) -> int:
    """The number that the next login gets; never one that was given before."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'ticket'").fetchone()
    return int(row[0]) + 1 if row else 1


def write_ticket(connection: sqlite3.Connection, ticket: TicketRow) -> None:
    """Store a new ticket."""
    connection.execute(
        "INSERT INTO ticket (login, user, created, wrapped_master) VALUES (?, ?, ?, ?)",
        (ticket.login, ticket.user, ticket.created, ticket.wrapped_master),
    )


def read_ticket(connection: sqlite3.Connection, login: int) -> TicketRow | None:
    """The ticket of a login, None when there is none."""
    row = connection.execute(
        "SELECT login, user, created, wrapped_master FROM ticket WHERE login = ?", (login,)
    ).fetchone()
    return TicketRow(*row) if row else None


def keep_newest_tickets(connection: sqlite3.Connection, count: int) -> None:
    """Drop all but the `count` newest tickets."""
    connection.execute(
        "DELETE FROM ticket WHERE login NOT IN (SELECT login FROM ticket ORDER BY login DESC LIMIT ?)", (count,)
    )


def delete_ticket(connection: sqlite3.Connection, login: int) -> None:
    """Drop the ticket of a login, if there is one."""
    connection.execute("DELETE FROM ticket WHERE login = ?", (login,))


def delete_tickets_of(connection: sqlite3.Connection, user: int) -> None:
    """Drop every ticket of a user."""
    connection.execute("DELETE FROM ticket WHERE user = ?", (user,))
