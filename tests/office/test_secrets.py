"""Secrets at rest: nothing in the database, a log or a text of the office gives one away."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from fob_office.errors import OperatorError
from fob_office.issuer.key_file import load_issuer_key
from fob_office.office import open_office
from fob_office.operators.service import make_token
from fob_office.secrets.master_key import CREDENTIAL, MasterKey, create_master_key, load_master_key
from fob_office.secrets.private_file import write_new
from fob_office.secrets.sealing import Place, Sealer, UnsealError
from fob_office.servers.identity import opened
from fob_office.servers.tables import ServerKeys
from fob_office.settings import Settings
from support.octets import bit_flips
from support.office import OfficeScene, office_scene, seeded
from support.postgresql import Cluster

KEY = MasterKey(bytes(range(32)), Path("nowhere"))
PLACE = Place("servers", "signing_key", ["bank", 1])


def sealer(key: MasterKey = KEY) -> Sealer:
    return Sealer(key, seeded(1))


def test_what_is_sealed_opens_where_it_stands() -> None:
    sealing = sealer()
    one, two = sealing.seal(PLACE, b"secret"), sealing.seal(PLACE, b"secret")
    assert one != two
    assert len(one) == len(b"secret") + 29
    assert sealer().unseal(PLACE, one) == sealer().unseal(PLACE, two) == b"secret"


@pytest.mark.parametrize(
    "place",
    [
        PLACE._replace(table="clients"),
        PLACE._replace(column="sealing_key"),
        PLACE._replace(row=["bank", 2]),
        PLACE._replace(row=["bank", "1"]),
    ],
)
def test_it_opens_in_no_other_row(place: Place) -> None:
    with pytest.raises(UnsealError) as caught:
        sealer().unseal(place, sealer().seal(PLACE, b"secret"))
    assert str(caught.value) == f"{place.table}.{place.column} does not open with this master key"


def test_no_changed_bit_and_no_other_key_opens_it() -> None:
    sealed = sealer().seal(PLACE, b"secret")
    other = sealer(MasterKey(bytes(32), Path()))
    for octets in (*bit_flips(sealed), b"", sealed[:-1], sealed[:12]):
        with pytest.raises(UnsealError):
            sealer().unseal(PLACE, octets)
    with pytest.raises(UnsealError):
        other.unseal(PLACE, sealed)


def secrets_of(scene: OfficeScene) -> Iterator[bytes]:
    """Every private key that this office has, in clear."""
    office = scene.office
    yield load_master_key(office.settings.state, {}).octets
    yield load_issuer_key(office.settings.state, office.sealer, None).private_bytes_raw()
    with office.database.read() as session:
        for row in session.scalars(select(ServerKeys)):
            found = opened(office.sealer, row)
            assert found is not None
            yield found.signing_key.private_bytes_raw()
            yield found.sealing_key.private_bytes_raw()


def assert_without(text: bytes, secrets: list[bytes]) -> None:
    for secret in secrets:
        assert secret not in text
        assert secret.hex().encode() not in text.lower()


@pytest.mark.clause("R5")
def test_no_file_of_the_database_holds_a_secret(sqlite_scene: OfficeScene) -> None:
    token = make_token(sqlite_scene.office, "test", may_change=True)
    secrets = [*secrets_of(sqlite_scene), token.encode(), token.removeprefix("fob_office_").encode()]
    state = sqlite_scene.office.settings.state
    files = list(state.glob("office.db*"))
    assert {file.name for file in files} >= {"office.db", "office.db-wal"}
    for file in files:
        assert_without(file.read_bytes(), secrets)
    with closing(sqlite3.connect(state / "office.db")) as connection:
        dump = "\n".join(connection.iterdump())
    assert "server_keys" in dump
    assert_without(dump.encode(), secrets)
    assert_without((state / "issuer.key").read_bytes(), secrets)


@pytest.mark.clause("R5")
def test_no_dump_of_postgresql_holds_a_secret(state: Path, cluster: Cluster) -> None:
    with cluster.database() as url, office_scene(state, url) as scene:
        token = make_token(scene.office, "test", may_change=True)
        dump = cluster.dump(url.partition("@/")[2].partition("?")[0])
        assert "COPY public.server_keys" in dump
        assert_without(dump.encode(), [*secrets_of(scene), token.encode()])


def test_erased_keys_are_gone_from_the_file(sqlite_scene: OfficeScene) -> None:
    """Also sealed ones: who gets the master key later finds nothing to open."""
    with sqlite_scene.office.database.read() as session:
        sealed = session.scalars(select(ServerKeys.signing_key).where(ServerKeys.server == "release")).one()
    assert sealed is not None
    sqlite_scene.issuing().revoke("release", everything=True)
    state = sqlite_scene.office.settings.state
    sqlite_scene.office.close()
    with closing(sqlite3.connect(state / "office.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert all(sealed not in file.read_bytes() for file in state.glob("office.db*"))


def test_no_text_of_the_office_shows_a_secret(sqlite_scene: OfficeScene) -> None:
    office = sqlite_scene.office
    with office.database.read() as session:
        row = session.scalars(select(ServerKeys).limit(1)).one()
        found = opened(office.sealer, row)
        assert found is not None
        shown = repr([office, office.settings, office.sealer, row, found, found.signing_key, KEY])
    assert_without(shown.encode(), [*secrets_of(sqlite_scene), KEY.octets])
    assert repr(KEY.octets) not in shown


def test_a_database_s_password_is_not_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    url = "postgresql+psycopg://fob:hunter2@127.0.0.1:1/fob"
    settings = Settings(state=tmp_path, database=url)
    write_new(tmp_path / "master.key", bytes(32))
    caplog.set_level(logging.DEBUG)
    with pytest.raises(OperatorError) as caught:
        open_office(settings, {}, seeded(1))
    assert caught.value.what == "no connection to postgresql+psycopg://fob:***@127.0.0.1:1/fob"
    assert "hunter2" not in f"{caught.value.lines}{settings!r}{caplog.text}"


def test_files_are_their_owner_s_alone(sqlite_scene: OfficeScene) -> None:
    state = sqlite_scene.office.settings.state
    modes = {file.name: file.stat().st_mode & 0o777 for file in state.iterdir()}
    assert modes.keys() >= {"office.db", "office.db-wal", "master.key", "issuer.key"}
    assert set(modes.values()) == {0o600}


def test_the_master_key_is_systemd_s_where_there_is_one(tmp_path: Path) -> None:
    state, credentials = tmp_path / "state", tmp_path / "credentials"
    state.mkdir()
    credentials.mkdir()
    environment = {"CREDENTIALS_DIRECTORY": str(credentials)}
    # systemd passed others, but not this one.
    assert create_master_key(state, environment, seeded(7)).source == state / "master.key"
    write_new(credentials / CREDENTIAL, bytes(range(32)))
    assert load_master_key(state, environment).octets == bytes(range(32))
    assert load_master_key(state, {}).octets == Random(7).randbytes(32)


@pytest.mark.parametrize(
    ("octets", "mode", "what"),
    [
        (bytes(31), 0o600, "the master key is damaged"),
        (bytes(33), 0o600, "the master key is damaged"),
        (bytes(32), 0o640, "the master key is no secret"),
        (bytes(32), 0o604, "the master key is no secret"),
        (None, 0, "the master key cannot be read"),
    ],
)
def test_a_master_key_that_is_none_is_named(tmp_path: Path, octets: bytes | None, mode: int, what: str) -> None:
    if octets is not None:
        (tmp_path / "master.key").write_bytes(octets)
        (tmp_path / "master.key").chmod(mode)
    with pytest.raises(OperatorError) as caught:
        load_master_key(tmp_path, {})
    assert caught.value.what == what


def test_another_office_s_master_key_is_found_out_at_once(scene: OfficeScene) -> None:
    state = scene.office.settings.state
    (state / "master.key").write_bytes(bytes(32))
    with pytest.raises(OperatorError, match="this database's secrets do not open"):
        open_office(scene.office.settings, {}, seeded(1))


def test_a_master_key_is_never_written_over(tmp_path: Path) -> None:
    first = create_master_key(tmp_path, {}, seeded(1))
    assert create_master_key(tmp_path, {}, seeded(2)) == first


def test_half_a_master_key_is_none(tmp_path: Path) -> None:
    """Of an `init` that was killed while it was written: nothing was sealed under it."""
    write_new(tmp_path / "master.key", bytes(16))
    assert create_master_key(tmp_path, {}, seeded(1)).octets == Random(1).randbytes(32)
