"""What the device is told of an agent's request: the program behind the connection, what it is for, and whence."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.client import FAILURE, SUCCESS, add_smartcard_key, extension, lock, remove_smartcard_key, sign_request
from agent.fake_application import PIN, FakeToken
from agent.fake_keys import ed25519_key, p256_key, rsa_key
from agent.harness import PEER, SSH, Desk, StartAgent
from agent.hosts import SESSION_ID, binding, login_data, signature_data
from agent.openssh import Programs, Sshd
from agent.verify import blob_of
from fob_daemon.agent.bindings import SessionBindings, fingerprint
from fob_daemon.agent.callers import Surroundings, caller_of
from fob_daemon.agent.own_logins import OwnLogins, SshProcess
from fob_daemon.agent.session import AgentSession
from fob_daemon.caller.behalf import Asker, current_asker
from fob_protocol.caller import Caller, Purpose

BIND = "session-bind@openssh.com"
HOST, OTHER_HOST = ed25519_key(), rsa_key()
PROGRAMS = ("ssh", "git", "zsh")


@pytest.fixture
def known_hosts(tmp_path: Path) -> Path:
    file = tmp_path / "known_hosts"
    file.write_text(f"github.com {' '.join(HOST.line.split()[:2])}\n")
    return file


@pytest.fixture
async def session(token: FakeToken, known_hosts: Path) -> AgentSession:
    """A connection of SSH, to an agent that is logged in."""
    desk = Desk([token], surroundings(known_hosts))
    assert await desk.connect().answer(add_smartcard_key("fob", PIN)) == SUCCESS
    return desk.connect(SSH)


def surroundings(*known_hosts: Path) -> Surroundings:
    """Of a process that has just been started."""
    own_logins = OwnLogins(lambda pid: SshProcess(started=1, is_past_login=False))
    return Surroundings(lambda peer: PROGRAMS, lambda uid: known_hosts, lambda pid: (), own_logins)


async def told(session: AgentSession, token: FakeToken, data: bytes) -> Caller:
    """What the engine hears with a signature."""
    assert (await session.answer(sign_request(blob_of(p256_key()), data)))[0] == 14
    assert current_asker() is None, "for this request only"
    asker = token.askers.pop()
    assert isinstance(asker, Asker)
    assert asker.peer == SSH
    assert asker.caller.programs == PROGRAMS
    return asker.caller


async def test_a_login_to_a_host_with_a_name(session: AgentSession, token: FakeToken) -> None:
    assert await session.answer(extension(BIND, binding(HOST))) == SUCCESS
    assert await told(session, token, login_data()) == Caller(PROGRAMS, Purpose.LOGIN, "github.com")


async def test_a_login_to_a_stranger(session: AgentSession, token: FakeToken) -> None:
    assert await session.answer(extension(BIND, binding(OTHER_HOST))) == SUCCESS
    caller = await told(session, token, login_data())
    assert caller == Caller(PROGRAMS, Purpose.LOGIN, fingerprint(blob_of(OTHER_HOST)))


async def test_a_login_of_a_session_that_nobody_proved(session: AgentSession, token: FakeToken) -> None:
    passed_on = Caller(PROGRAMS, Purpose.LOGIN, is_forwarded=True)
    assert await told(session, token, login_data()) == passed_on
    assert await session.answer(extension(BIND, binding(HOST))) == SUCCESS
    assert await told(session, token, login_data(session_id=bytes(32))) == passed_on


async def test_the_host_that_the_signature_names_is_the_one_that_counts(
    session: AgentSession, token: FakeToken
) -> None:
    assert await session.answer(extension(BIND, binding(OTHER_HOST))) == SUCCESS
    bound = login_data(host_key=blob_of(HOST))
    assert await told(session, token, bound) == Caller(PROGRAMS, Purpose.LOGIN, "github.com")


@pytest.mark.parametrize("namespace", ["git", "file"])
async def test_a_signature_for_something(session: AgentSession, token: FakeToken, namespace: str) -> None:
    caller = await told(session, token, signature_data(namespace.encode()))
    assert caller == Caller(PROGRAMS, Purpose.SIGNATURE, namespace=namespace, is_forwarded=True), "ssh signs no data"


async def test_anything_else(session: AgentSession, token: FakeToken) -> None:
    assert await told(session, token, b"anything") == Caller(PROGRAMS, is_forwarded=True)


@pytest.mark.parametrize(
    ("program", "data", "is_forwarded"),
    [
        ("ssh-keygen", signature_data(b"git"), False),
        ("ssh-keygen", b"anything", False),
        ("paramiko", login_data(), False),
        ("ssh", login_data(), False),
        ("ssh", signature_data(b"git"), True),
        ("sshd", login_data(), True),
        ("sshd-session", login_data(), True),
        ("sshd-session", signature_data(b"git"), True),
    ],
)
async def test_what_comes_by_a_forwarded_socket(program: str, data: bytes, is_forwarded: bool) -> None:
    bindings, around = SessionBindings(), surroundings()
    around.own_logins.proved(PEER.pid, bindings.add(binding(HOST)).session_id)
    caller = await caller_of(data, replace(PEER, program=program), bindings, around)
    assert caller.is_forwarded is is_forwarded


@pytest.mark.parametrize("request_", [add_smartcard_key("fob", PIN), remove_smartcard_key("fob"), lock(b"sesame")])
async def test_what_no_ssh_asks_for_itself_is_refused(session: AgentSession, request_: bytes) -> None:
    """Also of a connection that nobody has bound: what comes by a forwarded socket need not tell."""
    assert await session.answer(request_) == FAILURE


async def test_a_login_from_another_machine(session: AgentSession, token: FakeToken) -> None:
    hop = bytes(reversed(SESSION_ID))
    assert await session.answer(extension(BIND, binding(OTHER_HOST, hop, forwarding=True))) == SUCCESS
    assert await session.answer(extension(BIND, binding(HOST))) == SUCCESS
    caller = await told(session, token, login_data())
    assert caller == Caller(PROGRAMS, Purpose.LOGIN, "github.com", is_forwarded=True)


@pytest.fixture
async def sshd(tmp_path: Path) -> AsyncIterator[Sshd]:
    folder = tmp_path / "sshd"
    folder.mkdir()
    async with Sshd.started(folder, [p256_key().line]) as running:
        yield running


async def log_in(start_agent: StartAgent, token: FakeToken, tmp_path: Path, hosts: Path) -> Programs:
    agent = await start_agent(token, surroundings=Surroundings(known_hosts=lambda uid: (hosts,)))
    programs = Programs(tmp_path, agent.path)
    await programs.succeed("ssh-add", "-s", "fob", answer=PIN.decode())
    return programs


@pytest.mark.parametrize("hashed", ["no", "yes"])
async def test_ssh_logs_in_to_a_host_by_its_name(
    start_agent: StartAgent, tmp_path: Path, sshd: Sshd, hashed: str
) -> None:
    """The name is in the file that ssh itself has written, in the clear and as a hash."""
    token = FakeToken([p256_key()])
    programs = await log_in(start_agent, token, tmp_path, sshd.folder / "known_hosts")
    login = sshd.login("-o", f"HashKnownHosts={hashed}", "true")
    await programs.succeed(*login)
    assert ("127.0.0.1" in (sshd.folder / "known_hosts").read_text()) is (hashed == "no")
    await programs.succeed("sh", "-c", '"$@"; exit $?', "sh", *login)
    asker = token.askers.pop()
    assert asker is not None
    assert (asker.caller.purpose, asker.caller.host) == (Purpose.LOGIN, f"[127.0.0.1]:{sshd.port}")
    assert [name.partition(".")[0] for name in asker.caller.programs[:1]] == ["ssh"]
    assert asker.caller.programs[1] in ("sh", "dash", "bash", "busybox")
    assert not asker.caller.is_forwarded


async def test_ssh_from_a_host_that_the_agent_was_forwarded_to(
    start_agent: StartAgent, tmp_path: Path, sshd: Sshd
) -> None:
    token = FakeToken([p256_key()])
    programs = await log_in(start_agent, token, tmp_path, tmp_path / "none")
    assert "hop" in await programs.succeed(*sshd.login("-A", " ".join(sshd.login("echo hop"))))
    first, second = (asker.caller for asker in token.askers if asker is not None)
    assert [first.is_forwarded, second.is_forwarded] == [False, True]
    assert first.host == second.host == sshd.fingerprint
    assert first.programs[0] == second.programs[0] == "ssh"


async def test_git_signs_a_commit(start_agent: StartAgent, tmp_path: Path) -> None:
    token = FakeToken([p256_key()])
    programs = await log_in(start_agent, token, tmp_path, tmp_path / "none")
    settings = {"user.name": "Me", "user.email": "me@example.org", "gpg.format": "ssh"}
    settings["user.signingKey"] = f"key::{p256_key().line}"
    git = ("git", *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")))
    await programs.succeed("git", "init", "-q", str(tmp_path))
    await programs.succeed(*git, "commit", "-q", "-S", "--allow-empty", "-m", "signed")
    asker = token.askers.pop()
    assert asker is not None
    assert (asker.caller.purpose, asker.caller.namespace) == (Purpose.SIGNATURE, "git")
    assert asker.caller.programs[:2] == ("ssh-keygen", "git")
