"""An office of a test's own, in a folder, with a clock that the test sets and randomness that repeats itself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from fob_office.answering import Answering
from fob_office.database.engine import create_file, open_engine
from fob_office.database.migrating import migrate
from fob_office.database.session import Database
from fob_office.founding import FIRST_SERVERS, FirstServer, found_office
from fob_office.issuer.key_file import load_issuer_key
from fob_office.issuer.service import Issuing, issuer_public_key
from fob_office.office import Office
from fob_office.roles import ROLES
from fob_office.servers.service import newest_keys
from fob_office.settings import DATABASE_FILE, LimitSettings, Settings
from fob_office.surroundings import Surroundings
from fob_protocol.office import envelope
from fob_protocol.office.certificate import Certificate, read_certificate
from fob_protocol.office.envelope import Answer, Asked, Service
from fob_protocol.office.message import Message

# Some day in 2026.
NOW = 1_790_000_000


@dataclass(slots=True)
class Clock:
    """A clock that stands until it is set."""

    time: int = NOW
    ticks: float = 0.0

    def pass_by(self, seconds: int) -> None:
        """Let time pass."""
        self.time += seconds
        self.ticks += seconds


def seeded(seed: int) -> Surroundings:
    """Randomness that is the same in every run; the clock stands at NOW."""
    return surroundings(Clock(), seed)


def surroundings(clock: Clock, seed: int = 1) -> Surroundings:
    """With this clock."""
    return Surroundings(lambda: clock.time, Random(seed).randbytes, lambda: clock.ticks)


@dataclass
class OfficeScene:
    """An office and, beside it, somebody who asks as devices do."""

    office: Office
    clock: Clock
    answering: Answering
    random: Random = field(default_factory=lambda: Random(2))

    @property
    def issuer(self) -> bytes:
        """The public key that devices are made with."""
        with self.office.database.read() as session:
            return issuer_public_key(session)

    def issuing(self) -> Issuing:
        """The issuer at work."""
        state = self.office.settings.state
        return Issuing(self.office, load_issuer_key(state, self.office.sealer, None))

    def certificate(self, server: str) -> Certificate:
        """A server's newest, as a device reads it."""
        return read_certificate(self.issuer, self.signed_certificate(server))

    def signed_certificate(self, server: str) -> bytes:
        """A server's newest, as the issuer gave it out."""
        with self.office.database.read() as session:
            return newest_keys(session, server).certificate

    def question(self, service: Service, server: str | Certificate, body: Message | bytes) -> Asked:
        """A question under way; `sealed` of it may be damaged, sent twice or lost by the test."""
        certificate = server if isinstance(server, Certificate) else self.certificate(server)
        octets = body if isinstance(body, bytes) else body.octets()
        return envelope.ask(certificate, service, octets, self.random.randbytes)

    def ask(self, service: Service, server: str | Certificate, body: Message | bytes) -> Answer:
        """Ask and open the answer. Raises RefusedError, OfficeError, and UnreadableError where HTTP says 400."""
        asked = self.question(service, server, body)
        return asked.open(self.answering.answer(service, asked.sealed))


@cache
def tables_without_rows() -> bytes:
    """A database in SQLite as the migrations make it: once in a process, since they are most of a new office's time."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / DATABASE_FILE
        create_file(path)
        database = Database(open_engine(f"sqlite+pysqlite:///{path}"))
        migrate(database)
        database.close()
        return path.read_bytes()


@contextmanager
def office_scene(
    state: Path, database_url: str | None = None, seed: int = 1, limits: LimitSettings | None = None,
    *, servers: Sequence[FirstServer] = FIRST_SERVERS,
) -> Iterator[OfficeScene]:  # fmt: skip
    """A new office with all roles; without a URL its database is SQLite in the folder."""
    clock = Clock()
    settings = Settings(state=state, database=database_url, limits=limits or LimitSettings())
    if database_url is None:
        create_file(state / DATABASE_FILE)
        (state / DATABASE_FILE).write_bytes(tables_without_rows())
    office = found_office(settings, {}, surroundings(clock, seed), servers=servers)
    try:
        yield OfficeScene(office, clock, Answering(office, ROLES))
    finally:
        office.close()
