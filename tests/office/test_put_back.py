"""An office that was put back to a backup takes up what its issuer has signed since, or no device would believe it."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import select

from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_office.devices.service import device_of
from fob_office.directory.role import servers
from fob_office.errors import OperatorError
from fob_office.issuer.ends import soon_over
from fob_office.issuer.key_file import load_issuer_key
from fob_office.issuer.tables import SignedList
from fob_office.orders.lacking import lacking_of
from fob_office.servers.tables import Server, ServerKeys
from fob_protocol.office.certificate import Usage
from fob_protocol.office.configuration import Purpose
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.known import Known
from fob_protocol.office.message import Version
from fob_protocol.office.trust import Trust
from support.octets import flipped
from support.office import NOW, OfficeScene, seeded
from support.office_shop import ordered_device, release, versions


class Shell:
    """Commands of one office's operator."""

    def __init__(self, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.state = state
        self._capsys = capsys
        self._surroundings = seeded(7)

    def __call__(self, line: str) -> str:
        """What is said. It has to work."""
        status, said = self.tried(line)
        assert status == 0, said
        return said

    def tried(self, line: str) -> tuple[int, str]:
        status = run([*line.split(), "--state", str(self.state)], Cli({}, self._surroundings))
        told = self._capsys.readouterr()
        return status, told.err


@pytest.fixture
def shell(sqlite_scene: OfficeScene, capsys: pytest.CaptureFixture[str]) -> Shell:
    state = sqlite_scene.office.settings.state
    (state / "office.toml").touch()
    return Shell(state, capsys)


def heard(scene: OfficeScene, known: Known | None = None) -> Known:
    """What a device knows that asks now. Raises OfficeError."""
    with scene.office.database.read() as session:
        told = servers(session)
    return (known or Known(Trust(scene.issuer))).with_directory(told, NOW)


def put_back(scene: OfficeScene, backup: Path) -> None:
    """Its database; all else of the folder stays."""
    scene.office.close()
    shutil.copy(backup / "office.db", scene.office.settings.state / "office.db")
    for name in ("office.db-wal", "office.db-shm"):
        (scene.office.settings.state / name).unlink(missing_ok=True)


def numbers(scene: OfficeScene) -> tuple[int, int, int]:
    """Of the newest list, and the epochs of the registration server."""
    with scene.office.database.read() as session:
        server = session.get_one(Server, "registration")
        return max(session.scalars(select(SignedList.number))), server.epoch, server.least_epoch


@pytest.mark.clause("R27")
def test_the_issuer_s_next_command_takes_up_what_it_had_signed(
    sqlite_scene: OfficeScene, shell: Shell, tmp_path: Path
) -> None:
    shell(f"backup {tmp_path / 'backup'}")
    shell("server change-keys registration")
    shell("server revoke registration --old")
    shell("issuer renew-list")
    known = heard(sqlite_scene)
    put_back(sqlite_scene, tmp_path / "backup")
    with pytest.raises(OfficeError) as refused:
        heard(sqlite_scene, known)
    assert refused.value.fault is Fault.LIST_ROLLBACK

    said = shell("issuer renew-list")
    assert "revocation list 3 and its certificates taken up" in said
    assert "next:  fob-office server change-keys registration " in said
    assert numbers(sqlite_scene) == (4, 2, 2)
    shell("server change-keys registration")
    known = heard(sqlite_scene, known)
    assert known.server("registration", Usage.REGISTRATION, NOW).epoch == 3
    # Nothing is taken up twice.
    assert "taken up" not in shell("issuer renew-list")


@pytest.mark.clause("R27")
def test_a_directory_that_somebody_has_kept_is_taken_up_without_the_issuer_s_key(
    sqlite_scene: OfficeScene, shell: Shell, tmp_path: Path
) -> None:
    """As it was written for the machine with the release server's keys; with the whole folder lost."""
    shell(f"backup {tmp_path / 'backup'}")
    shell("server add bank --usage registration --usage entitlement")
    shell("server revoke release --all")
    shell(f"server directory {tmp_path / 'kept'}")
    known = heard(sqlite_scene)
    put_back(sqlite_scene, tmp_path / "backup")
    (shell.state / "directory.signed").unlink()
    (shell.state / "issuer.key").rename(tmp_path / "issuer.key")
    assert "change-keys bank" in shell(f"issuer take-directory {tmp_path / 'kept'}")
    assert shell(f"issuer take-directory {tmp_path / 'kept'}") == "it says nothing that is not known here\n"
    assert heard(sqlite_scene, known) == known


@pytest.mark.clause("R27")
def test_without_anything_kept_the_same_is_revoked_again_under_a_higher_number(
    sqlite_scene: OfficeScene, shell: Shell, tmp_path: Path
) -> None:
    shell(f"backup {tmp_path / 'backup'}")
    for step in ("change-keys registration", "revoke registration --old"):
        shell(f"server {step}")
    known = heard(sqlite_scene)
    put_back(sqlite_scene, tmp_path / "backup")
    (shell.state / "directory.signed").unlink()
    for step in ("change-keys registration", "revoke registration --old"):
        shell(f"server {step}")
    assert "signed list 50," in shell("issuer renew-list --at-least 50")
    assert heard(sqlite_scene, known).server("registration", Usage.REGISTRATION, NOW).epoch == 2
    assert "signed list 51," in shell("issuer renew-list --at-least 50")


@pytest.mark.clause("R27")
@pytest.mark.parametrize("at_least", [1, 50], ids=["of the same number", "of a higher one"])
def test_what_is_found_after_another_list_was_signed_is_taken_up_too(
    sqlite_scene: OfficeScene, shell: Shell, tmp_path: Path, at_least: int
) -> None:
    """No list says it then, until the next one: the office says so, wherever somebody looks."""
    shell(f"backup {tmp_path / 'backup'}")
    shell("server change-keys registration")
    shell("server revoke registration --old")
    shell(f"server directory {tmp_path / 'kept'}")
    known = heard(sqlite_scene)
    put_back(sqlite_scene, tmp_path / "backup")
    (shell.state / "directory.signed").unlink()
    shell(f"issuer renew-list --at-least {at_least}")

    said = shell(f"issuer take-directory {tmp_path / 'kept'}")
    assert "next:  fob-office server change-keys registration " in said
    warning = "keys of registration are revoked, and the list for devices does not say so: fob-office issuer renew-list"
    assert f"warning: {warning}\n" in said
    assert numbers(sqlite_scene) == (max(2, at_least), 2, 2)
    with sqlite_scene.office.database.read() as session:
        assert soon_over(session, sqlite_scene.office) == [warning]
    with pytest.raises(OfficeError) as refused:
        heard(sqlite_scene, known)
    assert refused.value.fault is Fault.LIST_ROLLBACK
    assert "warning" not in shell("issuer renew-list")
    assert numbers(sqlite_scene) == (max(2, at_least) + 1, 2, 2)
    heard(sqlite_scene, known)


@pytest.mark.clause("R27")
def test_private_keys_that_were_erased_and_came_back_are_erased_again(
    sqlite_scene: OfficeScene, shell: Shell, tmp_path: Path
) -> None:
    """But the sealing key by which late devices hear of it."""
    shell(f"backup {tmp_path / 'backup'}")
    for name in ("registration", "configuration"):
        shell(f"server change-keys {name}")
        shell(f"server revoke {name} --old")
    erased = private_halves(sqlite_scene)
    put_back(sqlite_scene, tmp_path / "backup")
    assert private_halves(sqlite_scene)["registration"] == (True, True)
    shell(f"issuer take-directory {shell.state / 'directory.signed'}")
    assert private_halves(sqlite_scene) == erased == {"configuration": (False, True), "registration": (False, False)}


def private_halves(scene: OfficeScene) -> dict[str, tuple[bool, bool]]:
    """Whether the signing and the sealing key of a server's first keys are here."""
    with scene.office.database.read() as session:
        rows = [session.get_one(ServerKeys, (name, 1)) for name in ("configuration", "registration")]
        return {row.server: (row.signing_key is not None, row.sealing_key is not None) for row in rows}


@pytest.mark.clause("R9", "R27")
def test_what_another_issuer_signed_or_is_no_directory_is_not_taken_up(
    sqlite_scene: OfficeScene, shell: Shell, tmp_path: Path
) -> None:
    before = numbers(sqlite_scene)
    (tmp_path / "none").write_bytes(b"nothing")
    shell(f"server directory {tmp_path / 'kept'}")
    octets = (tmp_path / "kept").read_bytes()
    (tmp_path / "flipped").write_bytes(flipped(octets))
    for name in ("none", "flipped", "missing"):
        status, said = shell.tried(f"issuer take-directory {tmp_path / name}")
        assert (status, said.splitlines()[0]) == (1, "error: the directory was not taken up"), said
    assert numbers(sqlite_scene) == before


@pytest.mark.clause("R27")
@pytest.mark.parametrize("make", [lambda path: path.write_bytes(b"damaged"), os.mkfifo, Path.mkdir])
def test_a_kept_directory_that_is_damaged_stops_nobody(
    sqlite_scene: OfficeScene, shell: Shell, make: Callable[[Path], object]
) -> None:
    """Least of all who has to revoke a key that was stolen. It is set aside, and written anew."""
    shell("server change-keys registration")
    kept = shell.state / "directory.signed"
    kept.unlink()
    make(kept)
    said = shell("server revoke registration --old")
    assert f"warning: the directory was not taken up: {kept}" in said
    assert f"it is {kept}.damaged now" in said
    assert numbers(sqlite_scene) == (2, 2, 2)
    assert "warning" not in shell(f"issuer take-directory {kept}")


def test_it_is_kept_beside_a_key_that_is_elsewhere_too(sqlite_scene: OfficeScene, shell: Shell, tmp_path: Path) -> None:
    """The stick with the key comes through the loss of the whole machine."""
    key = load_issuer_key(shell.state, sqlite_scene.office.sealer, None)
    pem = tmp_path / "issuer.pem"
    pem.touch(mode=0o600)
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    shell(f"backup {tmp_path / 'backup'}")
    shell(f"issuer renew-list --issuer-key {pem}")
    assert (tmp_path / "issuer.pem.directory").read_bytes() == (shell.state / "directory.signed").read_bytes()
    put_back(sqlite_scene, tmp_path / "backup")
    (shell.state / "directory.signed").unlink()
    assert "list 2 and its certificates taken up" in shell(f"issuer renew-list --issuer-key {pem}")
    assert numbers(sqlite_scene)[0] == 3


@pytest.mark.clause("C2", "C27")
@pytest.mark.parametrize("version", [(2, 0, 0), (2, 0, 1)])
def test_a_component_of_after_the_backup_is_released_again(
    sqlite_scene: OfficeScene, shell: Shell, tmp_path: Path, version: Version
) -> None:
    """The same content by its own number, which the device then holds already; or by a higher one."""
    release(sqlite_scene, "rates")
    device = ordered_device(sqlite_scene, "rates")
    device.configure()
    shell(f"backup {tmp_path / 'backup'}")
    release(sqlite_scene, "rates", (2, 0, 0), b"of after the backup")
    device.configure(Purpose.AGAIN)
    put_back(sqlite_scene, tmp_path / "backup")
    device.configure(Purpose.AGAIN)
    assert (versions(device.catalogue), lacking(sqlite_scene)) == ({"rates": (2, 0, 0)}, ["rates"])
    release(sqlite_scene, "rates", version, b"of after the backup")
    device.configure(Purpose.AGAIN)
    assert (versions(device.catalogue), lacking(sqlite_scene)) == ({"rates": version}, [])


def lacking(scene: OfficeScene) -> list[str]:
    """Of what the device is ordered to hold, and last said that it does."""
    with scene.office.database.read() as session:
        return lacking_of(session, device_of(session, "M-0001"), scene.office.now())


@pytest.mark.clause("R27", "C25")
def test_the_release_server_s_lost_keys_are_changed_and_what_older_ones_signed_is_signed_anew(
    sqlite_scene: OfficeScene, shell: Shell, tmp_path: Path
) -> None:
    release(sqlite_scene, "rates")
    shell(f"backup {tmp_path / 'backup'}")
    shell("server change-keys release")
    put_back(sqlite_scene, tmp_path / "backup")
    shell(f"issuer take-directory {shell.state / 'directory.signed'}")
    with pytest.raises(OperatorError, match="lost with what came after a backup") as refused:
        release(sqlite_scene, "slogan")
    help_ = "if they are lost fob-office server change-keys release, then fob-office component resign --signer release"
    assert refused.value.command.endswith(help_)
    shell("server change-keys release")
    shell("component resign --signer release")
    release(sqlite_scene, "slogan")
    device = ordered_device(sqlite_scene, "rates", "slogan")
    device.configure()
    assert versions(device.catalogue) == {"rates": (1, 0, 0), "slogan": (1, 0, 0)}


@pytest.mark.clause("C8", "C25")
def test_a_bundle_is_imported_again(sqlite_scene: OfficeScene, shell: Shell, tmp_path: Path) -> None:
    keys, directory, bundle = tmp_path / "release.pem", tmp_path / "directory", tmp_path / "rates.bundle"
    shell(f"server change-keys release --keys-file {keys}")
    shell(f"server directory {directory}")
    (tmp_path / "rates").write_bytes(b"1 letter 95")
    build = f"component build --keys-file {keys} --directory {directory} --issuer {sqlite_scene.issuer.hex()}"
    assert run(
        f"{build} --id rates --version 1.0.0 --hardware meter-1 --output {bundle} {tmp_path / 'rates'}".split(),
        Cli({}, seeded(9)),
    ) == 0  # fmt: skip
    shell(f"backup {tmp_path / 'backup'}")
    shell(f"component import {bundle}")
    put_back(sqlite_scene, tmp_path / "backup")
    shell(f"component import {bundle}")
