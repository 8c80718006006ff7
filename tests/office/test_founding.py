"""`fob-office init` that is killed: the same command goes on, and makes exactly one office."""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy.orm import Session

from fob_office import founding
from fob_office.beginning import MARK, beginning
from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_office.database.session import Database
from fob_office.founding import FIRST_SERVERS
from fob_office.secrets.private_file import write_new
from support.office_process import fob_office
from support.postgresql import Cluster

FILES = {"office.toml", "office.db", "master.key", "issuer.key", "tls/ca.pem", "tls/certificate.pem", "tls/key.pem"}
# Six files, each flushed with its folder, one of them put in its place; a commit for the tables, for the first rows,
# for each server and for their list; the end of the mark.
STEPS = 13 + 2 + len(FIRST_SERVERS) + 1 + 1


class Killed(BaseException):
    """No handler, no goodbye."""


class Killer:
    """Ends `init` at a step: when a file is flushed, of which only half may be there, or after a commit."""

    def __init__(self, step: int, *, torn: bool) -> None:
        self.left = step
        self.torn = torn

    def fsync(self, descriptor: int) -> None:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        if self._is_now() and self.torn and is_file:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
        self._die()

    def committed(self) -> None:
        self._is_now()
        self._die()

    def _is_now(self) -> bool:
        self.left -= 1
        return self.left == 0

    def _die(self) -> None:
        if self.left == 0:
            raise Killed


@contextmanager
def killing(killer: Killer, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """While `init` runs."""

    class DyingDatabase(Database):
        @contextmanager
        def write(self) -> Iterator[Session]:
            with super().write() as session:
                yield session
            killer.committed()

    with patch.context() as patched:
        patched.setattr(os, "fsync", killer.fsync)
        patched.setattr(founding, "Database", DyingDatabase)
        yield


def init(state: Path) -> None:
    run(["init", "--state", str(state)], Cli())


def check(state: Path, files: set[str] = FILES) -> None:
    """One office, whole, and nothing else."""
    assert {str(path.relative_to(state)) for path in state.rglob("*") if path.is_file()} == files
    assert {path.stat().st_mode & 0o077 for path in (state, *state.rglob("*"))} == {0}
    servers = json.loads(fob_office(state, "server", "list", "--json"))
    assert [(server["name"], server["epoch"], server["state"]) for server in servers] == [
        (name, 1, "here") for name in sorted(server.name for server in FIRST_SERVERS)
    ]
    assert json.loads(fob_office(state, "issuer", "show", "--json"))["list"] == 1
    fob_office(state, "issuer", "renew-list")


@pytest.mark.parametrize("torn", [False, True], ids=["whole", "torn"])
def test_killed_at_each_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torn: bool) -> None:
    """For each step an office of its own; what is torn differs where files are flushed, so every third is tried."""
    for step in range(1, STEPS + 1, 3 if torn else 1):
        state = tmp_path / str(step)
        with killing(Killer(step, torn=torn), monkeypatch), pytest.raises(Killed):
            init(state)
        if (state / "office.toml").exists():
            with pytest.raises(AssertionError, match="there is one"):
                fob_office(state, "init")
            (state / MARK).unlink(missing_ok=True)
        else:
            fob_office(state, "init")
        check(state)
    with killing(Killer(STEPS + 1, torn=torn), monkeypatch):
        init(tmp_path / "last")
    check(tmp_path / "last")


def test_killed_over_a_database_that_is_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Cluster
) -> None:
    """What is there by this folder's key is gone on with; another folder is refused as ever."""
    url = cluster.shared_database()
    state = tmp_path / "state"
    for step in (12, 8, 11):
        with killing(Killer(step, torn=False), monkeypatch), pytest.raises(Killed):
            run(["init", "--state", str(state), "--database", url], Cli())
    with pytest.raises(AssertionError, match="the database of another one"):
        fob_office(tmp_path / "other", "init", "--database", url)
    fob_office(state, "init", "--database", url)
    check(state, FILES - {"office.db"})


def test_the_issuer_of_the_first_try_stays_the_issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, key = tmp_path / "state", tmp_path / "issuer.pem"
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_new(key, pem)
    with killing(Killer(STEPS - 5, torn=False), monkeypatch), pytest.raises(Killed):
        init(state)
    with pytest.raises(AssertionError, match="not this office's issuer key"):
        fob_office(state, "init", "--issuer-key", str(key))
    fob_office(state, "init")
    check(state)


def test_an_issuer_key_that_nothing_was_signed_by_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after `issuer.key`; then the operator thinks better of it."""
    state, key = tmp_path / "state", tmp_path / "issuer.pem"
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_new(key, pem)
    with killing(Killer(11, torn=False), monkeypatch), pytest.raises(Killed):
        init(state)
    assert (state / "issuer.key").exists()
    fob_office(state, "init", "--issuer-key", str(key))
    assert not (state / "issuer.key").exists()


def test_two_at_the_same_time(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with beginning(state), pytest.raises(AssertionError, match="another init is at work"):
        fob_office(state, "init")
    fob_office(state, "init")
    check(state)
