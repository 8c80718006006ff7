"""What is asked for, and what the database has for it."""

from dataclasses import dataclass, field
from functools import cached_property

from fob_office.centre.following import ID_SIZE
from fob_office.centre.journal import place_of
from fob_protocol.cose import mac0
from fob_protocol.metering.records import MeterRecord, UserRecord
from fob_protocol.office.message import read


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, once: `digest` is H of its octets."""

    id: bytes
    digest: bytes
    serial: str
    # When the mailer asked; None: it follows from a record.
    time: int | None = None

    @property
    def place(self) -> bytes:
        """In the journal."""
        return place_of(self.serial, self.id, self.digest)


def own_request(request_digest: bytes, serial: str) -> Request:
    """One that no device made, by H of what stands for it."""
    return Request(request_digest[:ID_SIZE], request_digest, serial)


@dataclass(frozen=True)
class Held:
    """What the database has of a meter and its mailer, as it was made; nothing of it is trusted."""

    meter: bytes = field(repr=False)
    user: bytes = field(repr=False)

    @cached_property
    def record(self) -> MeterRecord:
        """Unchecked: only boxes can."""
        return read(MeterRecord, mac0.unchecked_payload(self.meter))

    @cached_property
    def mailer(self) -> UserRecord:
        """Unchecked: an authentication box checks it when it is asked for permission."""
        return read(UserRecord, mac0.unchecked_payload(self.user))
