"""Contents, chunk by chunk, for whoever has the ticket of a set that they belong to (C6, C23)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.components.tables import Chunk, SignedRelease
from fob_office.configuration.cookies import Ticket, read_ticket
from fob_office.configuration.tables import Contents, OfferedSet
from fob_office.devices.tables import Device, DeviceState
from fob_office.office import Office
from fob_office.refusing import RuleBrokenError
from fob_protocol.office.configuration import GetChunk
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal


def chunk_for(office: Office, asked: GetChunk) -> bytes:
    """Raises RuleBrokenError NO_CONTENT: the ticket is not ours, over, another's, or of an earlier set."""
    ticket = read_ticket(office, asked.ticket)
    if ticket is not None:
        with office.database.read() as session:
            data = _chunk(session, ticket, asked)
        if data is not None:
            return data
    raise RuleBrokenError(Refusal.NO_CONTENT, "C23", "the ticket does not open this content")


def _chunk(session: Session, ticket: Ticket, asked: GetChunk) -> bytes | None:
    query = select(OfferedSet.contents).join(Device).where(
        OfferedSet.device == ticket.device, OfferedSet.counter == ticket.counter, Device.state == DeviceState.ACTIVE
    )  # fmt: skip
    contents = session.scalars(query).one_or_none()
    if contents is None:
        return None
    return session.scalars(
        select(Chunk.data)
        .join(SignedRelease)
        .where(
            SignedRelease.digest == asked.release,
            SignedRelease.id.in_(read(Contents, contents).releases),
            Chunk.position == asked.index,
        )
    ).one_or_none()
