"""What stands in the journal is found by its place, which no other mailer can take, and no more by the request's id.

A transaction tells its request's id, and the meter record behind it H of the request. What no transaction tells of, a
sign-on or a scan, stays under its id, as the log has it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from fob_protocol.cose import cbor, mac0, sign1
from fob_protocol.cose.errors import CborError, CoseError
from fob_protocol.office.hashing import digest

revision = "meters_0003"
down_revision = "meters_0002"
branch_labels = None
depends_on = None

_AT_ONCE = 1000
_TRANSACTION, _METER = 1, 2
_CREATE = 1

_ENTRIES = sa.table("entries", sa.column("number"), sa.column("kind"), sa.column("content", sa.LargeBinary()))
_JOURNAL = sa.table("journal", sa.column("id", sa.LargeBinary()), sa.column("request", sa.LargeBinary()))
_MOVE = (
    sa.update(_JOURNAL)
    .where(_JOURNAL.c.id == sa.bindparam("its_id"), _JOURNAL.c.request == sa.bindparam("its_request"))
    .values(id=sa.bindparam("place"))
)


def upgrade() -> None:
    """Give each row its place, by the log."""
    connection = op.get_bind()
    moved: list[dict[str, Any]] = []
    signed: bytes | None = None
    for kind, content in _entries(connection):
        if kind == _METER and signed is not None:
            moved += _moved(signed, content)
        signed = content if kind == _TRANSACTION else None
        if len(moved) >= _AT_ONCE:
            connection.execute(_MOVE, moved)
            moved.clear()
    if moved:
        connection.execute(_MOVE, moved)


def _entries(connection: sa.Connection) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each."""
    after = -1
    looked = sa.select(_ENTRIES).where(_ENTRIES.c.number > sa.bindparam("after")).order_by(_ENTRIES.c.number)
    while page := connection.execute(looked.limit(_AT_ONCE), {"after": after}).all():
        for entry in page:
            yield entry.kind, entry.content
        after = page[-1].number


def _moved(signed: bytes, record: bytes) -> Sequence[dict[str, Any]]:
    """A row that stands under the request's id; none for what cannot be read, which the audit tells."""
    try:
        transaction = cbor.decode(sign1.unverified_payload(signed))
        meter = cbor.decode(mac0.unchecked_payload(record))
    except (CborError, CoseError):
        return ()
    match transaction, meter:
        case (
            [1, bytes() as its_id, str() as serial, int() as deed, _, _, _, _, _, _, _, _, _, _, bytes() as after, *_],
            [1, _, _, _, _, _, _, _, _, _, _, bytes() as request, *_],
        ) if after == digest(record):
            return ({"its_id": its_id, "its_request": request, "place": _place(deed, serial, its_id, request)},)
    return ()


def _place(deed: int, serial: str, its_id: bytes, request: bytes) -> bytes:
    """As it was when this was written."""
    if deed == _CREATE:
        return digest(cbor.encode(["fob/1 sign-up", "", its_id]))[:16]
    domain = "fob/1 derived request" if its_id == request[:16] else "fob/1 request"
    return digest(cbor.encode([domain, serial, its_id]))[:16]
