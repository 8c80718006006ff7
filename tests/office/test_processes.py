"""The office as processes: it says where it listens, shares its work, and loses nothing to kill -9."""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from fob_office.issuer.lists import latest_list
from fob_office.office import open_office
from fob_office.servers.service import newest_keys
from fob_office.servers.views import server_view
from fob_office.settings import load_settings
from fob_protocol.office import envelope
from fob_protocol.office.certificate import Certificate, Usage, read_certificate
from fob_protocol.office.configuration import GetChallenge
from fob_protocol.office.directory import ListServers, Servers
from fob_protocol.office.envelope import Service
from fob_protocol.office.message import read
from fob_protocol.office.trust import Trust
from support.office import seeded
from support.office_process import RunningOffice, fob_office, running_office
from support.postgresql import Cluster


@pytest.fixture
def made(state: Path, database_url: str | None) -> Path:
    fob_office(state, "init", *([] if database_url is None else ["--database", database_url]))
    return state


def certificate(state: Path, server: str = "configuration") -> Certificate:
    """As a device was given it at the factory."""
    issuer = bytes.fromhex(json.loads(fob_office(state, "issuer", "show", "--json"))["public_key"])
    office = open_office(load_settings(state, {}), {}, seeded(1))
    with office.database.read() as session:
        signed = newest_keys(session, server).certificate
    office.close()
    return read_certificate(issuer, signed)


def ask(office: RunningOffice, server: Certificate) -> Servers:
    """A question over a connection of its own."""
    asked = envelope.ask(server, Service.DIRECTORY, ListServers().octets(), os.urandom)
    with office.client() as client:
        response = client.post("/v1/directory", content=asked.sealed)
    assert response.status_code == 200, response.text
    return read(Servers, asked.open(response.content).body)


@pytest.mark.clause("R3", "R16")
def test_from_nothing_to_an_answer_in_two_commands(state: Path) -> None:
    fob_office(state, "init")
    server = certificate(state)
    with running_office(state) as office:
        servers = ask(office, server)
        issuer = bytes.fromhex(json.loads(fob_office(state, "issuer", "show", "--json"))["public_key"])
        trust = Trust(issuer, server.not_before).with_list(servers.revocations).at(server.not_before + 3600)
        assert trust.check(servers.certificates[2], "registration", Usage.REGISTRATION).title == "Registration"
        assert office.stop() == 0


@pytest.mark.clause("R27")
def test_workers_share_the_work_and_see_a_key_change_at_once(state: Path, cluster: Cluster) -> None:
    """Over PostgreSQL; those below are over SQLite."""
    fob_office(state, "init", "--database", cluster.shared_database())
    server, token = certificate(state), fob_office(state, "token", "add", "test").strip()
    with running_office(state, "--workers", "2") as office:
        for _ in range(4):
            ask(office, server)
        with office.client() as client:
            metrics = client.get("/v1/metrics", headers={"Authorization": f"Bearer {token}"}).text
        assert 'fob_office_questions_total{outcome="answered",service="directory"} 4.0' in metrics

        fob_office(state, "server", "change-keys", "configuration")
        fob_office(state, "server", "revoke", "configuration", "--old")
        new = certificate(state)
        asked = envelope.ask(server, Service.CONFIGURATION, GetChallenge().octets(), os.urandom)
        for _ in range(4):
            ask(office, new)
            with office.client() as client:
                assert client.post("/v1/configuration", content=asked.sealed).status_code == 400
        assert office.stop() == 0


def test_a_worker_that_is_killed_is_replaced(state: Path) -> None:
    fob_office(state, "init")
    server = certificate(state)
    with running_office(state, "--workers", "2") as office:
        ask(office, server)
        before = office.workers()
        assert len(before) == 2
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        tries = 0
        while len(office.workers() - {killed}) < 2:
            tries += 1
            assert tries < 3000
            # The one that was killed takes connections with it; another try is safe.
            try:
                ask(office, server)
            except httpx.TransportError:
                continue
        for _ in range(4):
            ask(office, server)


def test_workers_whose_parent_is_killed_end_by_themselves(state: Path) -> None:
    fob_office(state, "init")
    with running_office(state, "--workers", "2") as office:
        ask(office, certificate(state))
        workers = [os.pidfd_open(worker) for worker in office.workers()]
        assert len(workers) == 2
        office.process.kill()
        try:
            for worker in workers:
                assert select.select([worker], [], [], 30)[0]
        finally:
            for worker in workers:
                os.close(worker)
        with office.client() as client, pytest.raises(httpx.ConnectError):
            client.get("/healthz")


# A child for each act kills itself where a change is recorded: everything is flushed, nothing is committed.
KILLED_WITHIN = """
import os, signal, sys
from pathlib import Path
from fob_office.issuer import service
from fob_office.issuer.key_file import load_issuer_key
from fob_office.office import open_office
from fob_office.settings import load_settings
from fob_office.surroundings import SYSTEM
def kill(session, *_):
    session.flush()
    os.kill(os.getpid(), signal.SIGKILL)
service.record = kill
def act(state, line):
    office = open_office(load_settings(state, {}), {}, SYSTEM)
    issuing = service.Issuing(office, load_issuer_key(state, office.sealer, None))
    exec(line)
for line in sys.argv[2:]:
    child = os.fork()
    if child == 0:
        act(Path(sys.argv[1]), line)
        os._exit(0)
    print(os.WTERMSIG(os.waitpid(child, 0)[1]), flush=True)
    sys.stdin.readline()
"""


ACTS = (
    "issuing.change_keys('release')",
    "issuing.revoke('release', everything=True)",
    "issuing.renew_list()",
    "issuing.add_server('bank', 'The bank', (service.Usage.REGISTRATION,))",
)


def test_kill_in_the_middle_leaves_what_was_before(made: Path) -> None:
    before = seen(made)
    command = [sys.executable, "-c", KILLED_WITHIN, str(made), *ACTS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as killing:
        assert killing.stdin is not None
        assert killing.stdout is not None
        for _ in ACTS:
            assert killing.stdout.readline() == f"{int(signal.SIGKILL)}\n"
            assert seen(made) == before
            killing.stdin.write("\n")
            killing.stdin.flush()
        assert killing.wait(60) == 0
    # And the same again, uninterrupted, works.
    fob_office(made, "server", "change-keys", "release")
    fob_office(made, "issuer", "renew-list")
    assert seen(made) == (2, 2)


def seen(state: Path) -> tuple[int, int]:
    """The epoch of a server, and the number of the newest list."""
    office = open_office(load_settings(state, {}), {}, seeded(1))
    try:
        with office.database.read() as session:
            return server_view(session, "release").epoch, latest_list(session).number
    finally:
        office.close()


def test_roles_run_apart_and_behind_a_proxy_that_speaks_tls(state: Path) -> None:
    fob_office(state, "init")
    with (state / "office.toml").open("a") as file:
        file.write('roles = ["directory"]\n')
    server = certificate(state)
    with running_office(state, "--no-tls") as office:
        assert office.url.startswith("http://")
        assert len(ask(office, server).certificates) == 4
        with office.client() as client:
            assert client.post("/v1/configuration", content=b"").status_code == 404


def test_without_its_certificate_it_does_not_start(state: Path) -> None:
    fob_office(state, "init")
    (state / "tls" / "certificate.pem").unlink()
    command = [sys.executable, "-m", "fob_office.main", "run", "--state", str(state), "--listen", "127.0.0.1:0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert [line[:7] for line in done.stderr.splitlines()] == ["error: ", "why:   ", "try:   "]
    assert done.stderr.startswith("error: TLS cannot be used\n")
