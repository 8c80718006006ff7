"""An office with as many devices as wanted: rows as its services make them, put in at once.

Each has a record, an order, what it reported last, a registration with a session under way, and its lines in the log.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from fob_office.components.candidates import release_of
from fob_office.components.service import releases_of
from fob_office.configuration.tables import Contents, KeptAnswer, OfferedSet
from fob_office.database.base import Base
from fob_office.database.engine import POSTGRESQL
from fob_office.devices.memory import MemoryMap
from fob_office.devices.tables import Device, DeviceState, Installed, Inventory
from fob_office.entitlements.tables import Entitlement
from fob_office.events.tables import Event
from fob_office.office import Office
from fob_office.orders.tables import ORDERED, Option, Order
from fob_office.registration.keeping import seal_fields, seal_key
from fob_office.registration.tables import Registration, Standing
from fob_office.rollout.states import ACTIVE, MemberState
from fob_office.rollout.tables import Rollout, RolloutMember
from fob_office.secrets.sealing import Place
from fob_office.sessions.tables import OpenSession, Phase, ProofCount
from fob_protocol.office.configuration import Current
from fob_protocol.office.entitlements import State
from support.office_device import HARDWARE, REGIONS

SERVER: Final = "registration"
# Rows of a few octets are made faster than they are kept in hand.
BATCH: Final = 10_000
# After all that is measured: how many end by themselves is no matter of how many there are.
LATER: Final = 1 << 40

Row = tuple[Any, ...]


@dataclass
class Fleet:
    """Devices F-000001 and on, which hold the newest release of `option`; their orders name it.

    Whatever rollout is under way has offered them its release.
    """

    office: Office
    option: str
    count: int = 0
    random: Random = field(default_factory=lambda: Random(5))

    def grow(self, count: int) -> None:
        """To so many."""
        while self.count < count:
            batch = range(self.count + 1, min(self.count + BATCH, count) + 1)
            with self.office.database.write() as session:
                _Batch(session, self, batch).put()
            self.count += len(batch)
        engine = self.office.database.engine
        if engine.dialect.name == POSTGRESQL:
            # What it does by itself within a minute or two, and while it is measured.
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))


@dataclass
class _Member:
    serial: str
    signing_key: bytes
    user_code: bytes


class _Batch:
    """Some of them, in one transaction."""

    def __init__(self, session: Session, fleet: Fleet, numbers: range) -> None:
        self._session = session
        self._sealer = fleet.office.sealer
        self._now = fleet.office.now()
        self._random = fleet.random.randbytes
        self._release = releases_of(session, fleet.option)[-1]
        self._members = [_Member(f"F-{one:06}", self._random(32), self._random(16)) for one in numbers]

    def put(self) -> None:
        """All rows."""
        self._put(Device, self._devices(), skipped="id")
        first, last = self._members[0].serial, self._members[-1].serial
        query = select(Device.id).where(Device.serial.between(first, last)).order_by(Device.serial)
        self._put_configured(self._session.scalars(query).all())
        self._put_registered()
        self._put(Event, self._events(), skipped="id")

    def _put_configured(self, ids: Sequence[int]) -> None:
        row, now = self._release, self._now
        digest, contents = release_of(row.signed).digest, Contents((row.id,)).octets()
        self._put(Inventory, ((one, 2, 2, 1, 0, now, 1, "") for one in ids))
        self._put(Installed, ((one, row.component, row.version, digest) for one in ids))
        self._put(Order, ((one, "", now, now) for one in ids))
        self._put(Option, ((one, ORDERED, row.component) for one in ids))
        self._put(OfferedSet, ((one, 1, 1, contents) for one in ids))
        self._put(KeptAnswer, ((one, self._random(32), Current(()).octets(), LATER) for one in ids))
        for rollout in self._session.scalars(select(Rollout.name).where(Rollout.state.in_(ACTIVE))).all():
            self._put(RolloutMember, ((rollout, one, 1, MemberState.OFFERED, None, None) for one in ids))

    def _put_registered(self) -> None:
        now, nothing = self._now, json.dumps([])
        self._put(Registration, map(self._registration, self._members))
        self._put(
            Entitlement,
            ((one.user_code, 1, now, State.ACTIVE, nothing, json.dumps({}), nothing) for one in self._members),
        )
        self._put(OpenSession, map(self._open_session, self._members))
        self._put(ProofCount, ((SERVER, one.user_code, 1, 0, LATER) for one in self._members))

    def _devices(self) -> Iterable[Row]:
        regions = MemoryMap(REGIONS).octets()
        for one in self._members:
            key = self._sealer.seal(Place(Device.__tablename__, "authorisation_key", one.serial), self._random(32))
            yield (
                one.serial, HARDWARE, "A meter", one.signing_key, self._random(32), key, regions, DeviceState.ACTIVE, 2,
                self._now,
            )  # fmt: skip

    def _registration(self, one: _Member) -> Row:
        name = f"Person of {one.serial}"
        return (
            one.user_code, SERVER, name, name.casefold(), one.signing_key, self._random(32), Standing.CONFIRMED,
            self._now, None, seal_fields(self._sealer, one.user_code, {"name": name}),
            seal_key(self._sealer, one.user_code, self._random(32)), None,
        )  # fmt: skip

    def _open_session(self, one: _Member) -> Row:
        own_id = self._random(16)
        keys = self._sealer.seal(Place(OpenSession.__tablename__, "keys", own_id), self._random(64))
        return (
            own_id, SERVER, one.user_code, self._random(32), self._random(32), self._random(32), self._random(16),
            self._now, LATER, Phase.PROVED, None, keys, 0, self._random(32), self._random(96), None,
        )  # fmt: skip

    def _events(self) -> Iterable[Row]:
        for one in self._members:
            yield self._now, "operator", "device added", one.serial
            yield self._now, "operator", f"ordered: {self._release.component}", one.serial
            yield self._now, "device", f"registered at {SERVER}", one.user_code.hex()

    def _put(self, kind: type[Base], rows: Iterable[Row], skipped: str = "") -> None:
        """Rows of all columns in their order, but for one that the database fills in."""
        columns = [column.name for column in kind.__table__.columns if column.name != skipped]
        into = f"{kind.__tablename__} ({', '.join(columns)})"
        cursor = self._session.connection().connection.cursor()
        if self._session.get_bind().dialect.name == POSTGRESQL:
            with cursor.copy(f"COPY {into} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            places = ", ".join("?" * len(columns))
            cursor.executemany(f"INSERT INTO {into} VALUES ({places})", list(rows))  # noqa: S608 - our own names
