"""No secret of a registration or a session stands in clear in the database, in a log, or in a repr."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from fob_office.entitlements.changing import Change, Entitling
from fob_office.registration.operating import Registrar
from fob_office.registration.tables import Registration
from fob_office.registration.templates import presets
from fob_office.sessions.tables import OpenSession
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.limits import SESSION_TIME
from support.office import OfficeScene
from support.office_client import ReferenceDevice, device_of, with_key
from support.postgresql import Cluster


def database_files(scene: OfficeScene) -> bytes:
    """SQLite's, with all that it has not overwritten."""
    return b"".join(path.read_bytes() for path in sorted(Path(scene.office.settings.state).glob("office.db*")))


def dump(scene: OfficeScene, request: pytest.FixtureRequest) -> bytes:
    """The database as whoever steals it reads it, octets in hexadecimal and as they are."""
    url = scene.office.settings.database
    if url is None:
        with closing(sqlite3.connect(scene.office.settings.state / "office.db")) as connection:
            text = "\n".join(connection.iterdump())
        return text.encode() + database_files(scene)
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.dump(make_url(url).database or "").encode()


def stands_in(octets: bytes, secret: bytes) -> bool:
    lower = octets.lower()
    return secret in octets or secret.hex().encode() in lower


def secrets_of_a_conversation(scene: OfficeScene, device: ReferenceDevice) -> Iterator[bytes]:
    """Each while it is in use, and after."""
    device.learn_servers()
    draft = device.draft(device.get_form("registration"), {"name": "Alice", "insurance": "insurance-4711"})
    reply = device.submit(draft)
    yield draft.ssk1
    yield reply.ssk2
    yield device.shared["registration"].key
    yield b"insurance-4711"
    session = device.session()
    assert session.keys is not None
    yield session.keys.to_server
    yield session.keys.to_device
    yield session.private.private_bytes_raw()
    Entitling(scene.office).change(reply.user_code, Change({"reports": 3}))
    assert session.use("reports", "file", b"title\nsecret text of a report").status == 201
    yield b"secret text of a report"


@pytest.mark.clause("R5", "R15", "R20")
def test_nothing_secret_stands_in_the_database(scene: OfficeScene, request: pytest.FixtureRequest) -> None:
    Registrar(scene.office).set_template("registration", presets()["health"])
    device = device_of(scene)
    said = []
    for secret in secrets_of_a_conversation(scene, device):
        said.append(secret)
        stolen = dump(scene, request)
        assert not any(stands_in(stolen, one) for one in said)
    assert stands_in(dump(scene, request), device.signing_key)
    assert len(said) == 8


@pytest.mark.clause("R5", "R20")
def test_nothing_secret_is_logged_or_shown(
    sqlite_scene: OfficeScene, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    Registrar(sqlite_scene.office).set_template("registration", presets()["health"])
    device = device_of(sqlite_scene)
    secrets = list(secrets_of_a_conversation(sqlite_scene, device))
    device.shared["registration"] = with_key(device.shared["registration"], bytes(32))
    for _ in range(4):
        with pytest.raises(RefusedError):
            device.session()
    out, err = capfd.readouterr()
    logged = (out + err + caplog.text).encode()
    assert b"not-proved" in logged
    assert b"locked" in logged
    assert not any(stands_in(logged, secret) or repr(secret)[2:-1].encode() in logged for secret in secrets)


@pytest.mark.clause("R15", "R28")
def test_sqlite_overwrites_what_is_erased(sqlite_scene: OfficeScene) -> None:
    """The sealed octets of a secret that is over are gone from the file, not only from its tables."""
    device = device_of(sqlite_scene)
    device.learn_servers()
    device.submit(device.draft(device.get_form("registration"), {"name": "Alice"}))
    with sqlite_scene.office.database.read() as session:
        ssk2 = session.scalars(select(Registration.ssk2)).one()
    device.session()
    with sqlite_scene.office.database.read() as session:
        keys = session.scalars(select(OpenSession.keys)).one()
    sqlite_scene.clock.pass_by(SESSION_TIME + 1)
    device.session()
    with closing(sqlite3.connect(sqlite_scene.office.settings.state / "office.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert ssk2 is not None
    assert keys is not None
    held = database_files(sqlite_scene)
    assert ssk2 not in held
    assert keys not in held
