"""A meters' database of the tests: records that look as boxes make them, and Stores of a few meters."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace
from sqlalchemy import func, select, text

from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.database import Fetch, Fetched, NewRecord, Payout, Store, Stored
from fob_office.centre.database.keeping import Keeper, migrate_meters, open_keeper
from fob_office.centre.database.server import DatabaseServer
from fob_office.centre.database.tables import metadata
from fob_office.database.engine import create_file
from fob_protocol.cose import mac0
from fob_protocol.cose.labels import Label
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.kinds import Deed, Freshness, MeterState, Payment
from fob_protocol.metering.records import Fresh, Limits, MeterRecord, UserRecord
from fob_protocol.metering.transaction import TransactionRecord
from fob_protocol.metering.values import Indicated, Registers
from fob_protocol.metering.vouchers import Receipt
from support.centre import NOW
from support.postgresql import Cluster

METERS: Final = "meters"
# Meter boxes would know that these are not theirs; the database does not look.
KEY: Final = bytes(range(32))
BOX: Final = Ed25519PrivateKey.from_private_bytes(KEY)
PROVIDER: Final = Ed25519PrivateKey.from_private_bytes(bytes(reversed(KEY)))
LOAD: Final = 10_000

# Empties it but for its versions; the log begins anew.
_CLEAR: Final = (
    "DELETE FROM mailers", "DELETE FROM meters", "DELETE FROM journal", "DELETE FROM entries",
    "DELETE FROM transactions", "DELETE FROM indicia", "DELETE FROM checkpoints", "DELETE FROM warnings",
    "DELETE FROM payouts", "DELETE FROM reservations", "DELETE FROM log_heads",
    "INSERT INTO log_heads VALUES (1, 0, '')",
)  # fmt: skip


def signer(named: bytes) -> bytes:
    """The key of the one transaction box, whichever was named."""
    return BOX.public_key().public_bytes_raw()


def provider(named: bytes) -> bytes:
    """The key of the one payment provider, whichever was named."""
    return PROVIDER.public_key().public_bytes_raw()


def receipt_of(payout: Payout, **changes: Any) -> bytes:
    """That the provider has paid it back."""
    request, serial, number, amount = payout.request_digest, payout.serial, payout.number, -payout.amount
    receipt = Receipt(request, serial, number, amount, False, bytes(16), NOW, payout.account)
    return replace(receipt, **changes).signed(PROVIDER)


def hash_of(octets: bytes) -> bytes:
    """H."""
    return sha256(octets).digest()


def account_of(serial: str) -> bytes:
    """Of the meter's mailer."""
    return hash_of(b"account" + serial.encode())[:16]


def request_id(serial: str, counter: int) -> bytes:
    """Of what made the record with this counter."""
    return hash_of(f"{serial} {counter}".encode())[:16]


def meter_record(serial: str, counter: int) -> bytes:
    """Each cent of a frank is one of the counter's."""
    registers = Registers(counter, counter, LOAD - counter, counter, LOAD, 0)
    fresh, limits = Fresh(Freshness.COUNTER, None, None), Limits(500, 5_000, 0, 0, 0)
    last = hash_of(request_id(serial, counter))
    record = MeterRecord(
        serial,
        account_of(serial),
        "eur-cent",
        MeterState.ACTIVE,
        registers,
        fresh,
        1,
        limits,
        1,
        KEY,
        last,
        NOW,
        24_300,
    )
    return mac0.authenticate(KEY, Label.METER_RECORD, [], record.octets())


def user_record(serial: str, name: str, counter: int = 1) -> bytes:
    """Of the meter's mailer."""
    record = UserRecord(
        account_of(serial),
        name,
        "$argon2id$",
        KEY,
        KEY,
        True,
        counter,
        Payment.PREPAID,
        None,
        ("1010",),
        KEY,
        NOW,
        24_300,
    )
    return mac0.authenticate(KEY, Label.USER_RECORD, [], record.octets())


def indicium(serial: str, counter: int, piece: int = 0) -> bytes:
    """One cent's."""
    made = Indicium(serial, counter, piece, 1, "eur-cent", 20270115, "1010", "20095", KEY[:16], "letter", counter, 1)
    return made.octets()


def transaction(serial: str, counter: int, deed: Deed = Deed.FRANK, indicia: tuple[bytes, ...] | None = None) -> bytes:
    """As a transaction box signs it."""
    made = (indicium(serial, counter),) if indicia is None else indicia
    record = TransactionRecord(
        request_id(serial, counter), serial, deed, counter, 1, counter, LOAD - counter, LOAD, counter,
        tuple(Indicated(octets, bytes(16)) for octets in made), None, NOW, None, hash_of(meter_record(serial, counter)),
    )  # fmt: skip
    return record.signed(BOX)


def sign_up(serial: str, name: str) -> Store:
    """A new mailer with a meter."""
    return Store(
        request_id(serial, 1), hash_of(request_id(serial, 1)), b"welcome",
        NewRecord(serial.encode(), None, meter_record(serial, 1)),
        NewRecord(account_of(serial), None, user_record(serial, name)),
        name, serial, transaction(serial, 1, Deed.CREATE, ()), None,
    )  # fmt: skip


def frank(serial: str, counter: int, *, request: bytes | None = None) -> Store:
    """The frank that makes the record with this counter; `request` is another request's id."""
    asked = request or request_id(serial, counter)
    return Store(
        asked, hash_of(asked), b"answer %d" % counter,
        NewRecord(serial.encode(), counter - 1, meter_record(serial, counter)),
        None, None, serial, transaction(serial, counter), None,
    )  # fmt: skip


def peer(kind: Kind = Kind.FUNCTION) -> Pass:
    """Who asks."""
    return Pass(kind, "asker", KEY, KEY, None, 1, NOW)


@dataclass
class MeterBase:
    """A database server without a bus, and its database."""

    url: str
    keeper: Keeper
    now: int = NOW
    grown: list[int] = field(default_factory=list)
    server: DatabaseServer = field(init=False)

    def __post_init__(self) -> None:
        self.server = DatabaseServer(self.keeper, lambda: self.now, self.grown.append, signer, provider)

    async def store(self, store: Store) -> Stored:
        """As a function server asks."""
        return await self.server.store(peer(), store)

    async def fetch(self, serial: str, asked: bytes = bytes(16)) -> Fetched:
        """As a function server asks."""
        return await self.server.fetch(peer(), Fetch(asked, serial))

    def run(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        """What staff do to the tables by hand."""
        with self.keeper.database.write() as session:
            done = session.connection().execute(text(statement), values)
            return [tuple(row) for row in done] if done.returns_rows else []

    def count(self, table: str) -> int:
        """Rows."""
        with self.keeper.database.read() as session:
            return session.connection().scalar(select(func.count()).select_from(metadata.tables[table])) or 0


@contextmanager
def meter_base(url: str) -> Iterator[MeterBase]:
    """Open until the end of a test."""
    with open_keeper(url) as keeper:
        yield MeterBase(url, keeper)


def sqlite_url(folder: Path) -> str:
    """A new database in a file."""
    path = folder / "meters.db"
    make_meters(path)
    return f"sqlite:///{path}"


def make_meters(path: Path) -> None:
    """A new database in this file, as `migrate_meters` makes it: it is copied, which takes a tenth of the time."""
    create_file(path)
    path.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    with TemporaryDirectory(prefix="fob-") as folder:
        path = Path(folder, "meters.db")
        migrate_meters(f"sqlite:///{path}")
        assert [file.name for file in path.parent.iterdir()] == [path.name], "part of it is in another file"
        return path.read_bytes()


def shared_url(cluster: Cluster) -> str:
    """One database of PostgreSQL for all tests, without rows."""
    url = cluster.url(METERS)
    if not cluster.run("SELECT 1 FROM pg_database WHERE datname = 'meters'"):
        cluster.run("CREATE DATABASE meters TEMPLATE template0")
        migrate_meters(url)
    for statement in _CLEAR:
        cluster.run(statement, METERS)
    return url
