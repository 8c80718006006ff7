"""Making an office: all that a first start needs, in one go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from fob_office.beginning import NOT_MADE
from fob_office.database.engine import SQLITE, create_file, open_engine, parse_url
from fob_office.database.migrating import migrate
from fob_office.database.session import Database
from fob_office.errors import OperatorError
from fob_office.issuer.key_file import create_issuer_key, forget_issuer_key, read_pem_key
from fob_office.issuer.service import Issuing
from fob_office.issuer.tables import Issuer, SignedList
from fob_office.office import Office, check_reachable
from fob_office.secrets.master_key import MasterKey, create_master_key
from fob_office.secrets.sealing import Sealer
from fob_office.secrets.tables import MasterKeyMark
from fob_office.servers.tables import Server
from fob_office.settings import Settings
from fob_office.surroundings import Surroundings
from fob_protocol.office.certificate import Usage


@dataclass(frozen=True, slots=True)
class FirstServer:
    """A server that a new office has."""

    name: str
    title: str
    usages: tuple[Usage, ...]


FIRST_SERVERS: Final = (
    FirstServer("registration", "Registration", (Usage.REGISTRATION, Usage.ENTITLEMENT)),
    FirstServer("configuration", "Configuration", (Usage.CONFIGURATION,)),
    FirstServer("release", "Releases", (Usage.RELEASE,)),
    FirstServer("integrity", "Integrity", (Usage.DISTRIBUTION, Usage.VALIDATION)),
)
# With two servers, and two keys, in the place of the one that does both (V4).
SEPARATE_SERVERS: Final = (
    *FIRST_SERVERS[:-1],
    FirstServer("distribution", "Distribution", (Usage.DISTRIBUTION,)),
    FirstServer("validation", "Validation", (Usage.VALIDATION,)),
)


def found_office(
    settings: Settings, environment: Mapping[str, str], surroundings: Surroundings, issuer_pem: Path | None = None,
    *, servers: Sequence[FirstServer] = FIRST_SERVERS,
) -> Office:  # fmt: skip
    """Master key, database, issuer, servers and their first list. With `issuer_pem` the issuer's key is not kept here.

    What was made before it was cut off is made no second time.

    Raises OperatorError, OSError.
    """
    issuer_key = read_pem_key(issuer_pem) if issuer_pem is not None else None
    url = parse_url(settings.database_url)
    if url.get_backend_name() == SQLITE and url.database is not None:
        create_file(Path(url.database))
    database = Database(open_engine(settings.database_url))
    try:
        check_reachable(settings, database)
        migrate(database)
        master_key = create_master_key(settings.state, environment, surroundings)
        is_new = _check_ours(settings, database, master_key)
        office = Office(settings, database, Sealer(master_key, surroundings), surroundings)
        issuer_key = issuer_key or create_issuer_key(settings.state, office.sealer, surroundings)
        if is_new:
            _write_marks(office, master_key, issuer_key)
        _add_servers(office, issuer_key, servers)
        if issuer_pem is not None:
            # Of an `init` without it that was cut off.
            forget_issuer_key(settings.state)
    except BaseException:
        database.close()
        raise
    return office


def _check_ours(settings: Settings, database: Database, master_key: MasterKey) -> bool:
    """Whether nothing was written there; what was may be of this key only. Raises OperatorError."""
    with database.read() as session:
        marks = set(session.scalars(select(MasterKeyMark.fingerprint)))
        if marks - {master_key.fingerprint}:
            why = f"{settings.database_shown} is the database of another one"
            raise OperatorError(NOT_MADE, why, "fob-office init --database URL")
    return not marks


def _write_marks(office: Office, master_key: MasterKey, issuer_key: Ed25519PrivateKey) -> None:
    """By which the database knows its keys."""
    with office.database.write() as session:
        session.add(MasterKeyMark(fingerprint=master_key.fingerprint, created=office.now()))
        session.add(Issuer(id=1, public_key=issuer_key.public_key().public_bytes_raw()))


def _add_servers(office: Office, issuer_key: Ed25519PrivateKey, servers: Sequence[FirstServer]) -> None:
    """Those that are not there yet. Raises OperatorError: there are some, and for another issuer."""
    issuing = Issuing(office, issuer_key, who="init")
    with office.database.read() as session:
        there = set(session.scalars(select(Server.name)))
        has_list = session.scalars(select(SignedList.number)).first() is not None
    for server in servers:
        if server.name not in there:
            issuing.add_server(server.name, server.title, server.usages)
    if not has_list:
        issuing.renew_list()
