"""A backup works where it is put, is made while the office runs, and is as private as the office."""

import subprocess
from pathlib import Path

import pytest

from fob_office.answering import Answering
from fob_office.backup import back_up
from fob_office.errors import OperatorError
from fob_office.events.service import events_after, record
from fob_office.office import Office, open_office
from fob_office.roles import ROLES
from fob_office.secrets.private_file import write_new
from fob_office.settings import Settings, load_settings
from fob_office.tls import make_certificate
from fob_protocol.office.directory import ListServers
from fob_protocol.office.envelope import Service
from support.office import OfficeScene, office_scene, seeded
from support.postgresql import USER, Cluster
from support.required import program


@pytest.fixture
def whole(sqlite_scene: OfficeScene) -> OfficeScene:
    """With the files that `init` makes beside the office."""
    state = sqlite_scene.office.settings.state
    make_certificate(state, ["localhost"], sqlite_scene.clock.time)
    write_new(state / "office.toml", b"")
    return sqlite_scene


def opened(folder: Path) -> Office:
    return open_office(load_settings(folder, {}), {}, seeded(1))


def test_a_copy_answers_as_the_office_did(whole: OfficeScene, tmp_path: Path) -> None:
    asked = whole.question(Service.DIRECTORY, "configuration", ListServers())
    expected = asked.open(whole.answering.answer(Service.DIRECTORY, asked.sealed))
    assert back_up(whole.office.settings, tmp_path / "copy") is None
    office = opened(tmp_path / "copy")
    try:
        copied = OfficeScene(office, whole.clock, Answering(office, ROLES))
        assert copied.issuer == whole.issuer
        assert asked.open(copied.answering.answer(Service.DIRECTORY, asked.sealed)) == expected
        copied.issuing().renew_list()
    finally:
        office.close()


def test_it_holds_all_files_and_nobody_else_may_read_them(whole: OfficeScene, tmp_path: Path) -> None:
    back_up(whole.office.settings, tmp_path / "copy")
    files = {str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*") if path.is_file()}
    assert files == {
        "office.toml", "office.db", "master.key", "issuer.key", "tls/ca.pem", "tls/certificate.pem", "tls/key.pem",
    }  # fmt: skip
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "copy", *(tmp_path / "copy").rglob("*"))} == {0}


def test_it_is_one_state_of_the_office_while_somebody_writes(whole: OfficeScene, tmp_path: Path) -> None:
    office = whole.office
    with office.database.write() as session:
        record(session, 1, "me", "begun", "")
        session.flush()
        back_up(office.settings, tmp_path / "copy")
    copy = opened(tmp_path / "copy")
    with copy.database.read() as session:
        assert [event.what for event in events_after(session, 0)] == [*["server added"] * 4, "revocation list 1"]
    copy.close()


def test_a_folder_that_is_there_is_left_alone(whole: OfficeScene, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    with pytest.raises(OperatorError, match="is there already"):
        back_up(whole.office.settings, tmp_path / "copy")
    assert list((tmp_path / "copy").iterdir()) == []


def test_half_a_backup_is_none(whole: OfficeScene, tmp_path: Path) -> None:
    (whole.office.settings.state / "issuer.key").unlink()
    (whole.office.settings.state / "issuer.key").mkdir()
    with pytest.raises(OperatorError, match="Is a directory"):
        back_up(whole.office.settings, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_postgresql_is_copied_by_its_own_program(state: Path, cluster: Cluster, tmp_path: Path) -> None:
    with cluster.database() as url, office_scene(state, url) as scene, cluster.database() as restored:
        (state / "office.toml").write_text(f'database = "{url}"\n')
        command = back_up(scene.office.settings, tmp_path / "copy")
        assert command is not None
        assert command.startswith(
            f"pg_dump --format=custom --file={tmp_path / 'copy' / 'office.dump'} 'postgresql://{USER}@"
        )
        subprocess.run(command.replace("pg_dump", program("pg_dump"), 1), shell=True, check=True, timeout=60)  # noqa: S602
        name = restored.partition("@/")[2].partition("?")[0]
        dump = str(tmp_path / "copy" / "office.dump")
        restore = [program("pg_restore"), "-h", str(cluster.folder), "-U", USER, "-d", name, dump]
        subprocess.run(restore, check=True, timeout=60)
        copy = open_office(Settings(state=tmp_path / "copy", database=restored), {}, seeded(1))
        assert OfficeScene(copy, scene.clock, scene.answering).issuer == scene.issuer
        copy.close()


def test_its_command_does_not_show_the_password(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    settings = Settings(state=state, database="postgresql+psycopg://fob:hunter2@db/fob")
    command = back_up(settings, tmp_path / "copy")
    assert command == f"pg_dump --format=custom --file={tmp_path / 'copy' / 'office.dump'} 'postgresql://fob@db/fob'"
