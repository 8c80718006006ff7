"""OpenSSH and git: with the stock module, with OpenSSH's own agent that has the module loaded, and with Fob's agent."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.openssh import Sshd
from support.live import Live, lines
from support.required import program

LABELS = ("RSA-2048", "P-256", "Ed25519")
AGENT_TIME = 10.0


@pytest.fixture
async def sshd(live: Live, tmp_path: Path) -> AsyncIterator[Sshd]:
    """Lets whoever has one of the phone's keys in."""
    async with Sshd.started(tmp_path, [live.ssh_key(label).read_text().strip() for label in LABELS]) as running:
        yield running


@contextmanager
def openssh_agent(live: Live) -> Iterator[str]:
    """The socket of an ssh-agent of OpenSSH that has loaded the stock module."""
    path = live.folder / "openssh-agent.sock"
    command = [program("ssh-agent"), "-D", "-P", "/usr/lib/*", "-a", str(path)]
    with subprocess.Popen(command, env=live.environment, stdout=subprocess.PIPE) as agent:
        try:
            assert agent.stdout is not None
            assert b"SSH_AUTH_SOCK" in agent.stdout.readline()
            live.run(
                "ssh-add", "-s", live.module,
                SSH_AUTH_SOCK=str(path), SSH_ASKPASS=str(askpass(live)), SSH_ASKPASS_REQUIRE="force",
            )  # fmt: skip
            yield str(path)
        finally:
            agent.terminate()
            agent.wait(AGENT_TIME)


def askpass(live: Live) -> Path:
    """A program from which OpenSSH's programs read the PIN, for want of a terminal."""
    script = live.folder / "askpass"
    script.write_text(f"#!/bin/sh\necho '{live.scratch.user_pin}'\n")
    script.chmod(0o700)
    return script


@pytest.mark.clause("P9")
def test_ssh_keygen_reads_the_keys_without_the_phone(live: Live) -> None:
    keys = [live.ssh_key(label).read_text().split()[:2] for label in ("RSA-2048", "P-256")]
    with live.crossing() as link:
        said = live.run("ssh-keygen", "-D", live.module)
    assert [line.split()[:2] for line in lines(said.stdout)] == keys, "the module's client lets no Ed25519 through"
    assert link.octets == 0


@pytest.mark.clause("P9", "P13")
@pytest.mark.parametrize("how", [("-I", "{}"), ("-o", "PKCS11Provider={}")], ids=["-I", "PKCS11Provider"])
async def test_ssh_logs_in_through_the_module(live: Live, sshd: Sshd, how: tuple[str, str]) -> None:
    ssh, *options = sshd.login(how[0], how[1].format(live.module), "echo hello")
    with live.crossing() as link:
        # In batch mode OpenSSH asks for no PIN, on no keypad either.
        said = live.run(ssh, "-o", "BatchMode=no", *options, SSH_AUTH_SOCK="")
    assert said.stdout == b"hello\n"
    assert link.round_trips == 2, "the login by the PIN pad, and a signature"


@pytest.mark.clause("P9", "P13")
async def test_ssh_logs_in_through_openssh_s_agent(live: Live, sshd: Sshd) -> None:
    with live.crossing() as link, openssh_agent(live) as agent:
        assert live.run("ssh-add", "-l", SSH_AUTH_SOCK=agent).stdout.count(b"\n") == 2
        for word in ("once", "twice"):
            assert live.run(*sshd.login(f"echo {word}"), SSH_AUTH_SOCK=agent).stdout.decode() == f"{word}\n"
    assert link.round_trips == 3, "the login, and two signatures"


@pytest.mark.clause("P9", "P13")
@pytest.mark.parametrize("label", LABELS)
async def test_ssh_logs_in_through_fob_s_agent(live: Live, sshd: Sshd, label: str) -> None:
    only = ("-o", "IdentitiesOnly=yes", "-i", str(live.ssh_key(label)))
    with live.crossing() as link:
        assert live.run(*sshd.login(*only, "echo hello")).stdout == b"hello\n"
    assert link.round_trips == 1, "the agent is logged in"


@pytest.mark.clause("P2", "P9")
@pytest.mark.parametrize("label", LABELS)
def test_git_signs_a_commit_that_verifies(live: Live, tmp_path: Path, label: str) -> None:
    key = live.ssh_key(label)
    (tmp_path / "allowed").write_text(f"me@example.org {key.read_text()}")
    settings = {
        "user.name": "Me", "user.email": "me@example.org", "gpg.format": "ssh", "user.signingkey": str(key),
        "gpg.ssh.allowedSignersFile": str(tmp_path / "allowed"),
    }  # fmt: skip
    git = ("git", "-C", str(tmp_path), *(word for item in settings.items() for word in ("-c", "=".join(item))))
    live.run(*git, "init", "-q")
    with live.crossing() as link:
        live.run(*git, "commit", "-q", "--allow-empty", "-S", "-m", "signed by the phone")
    assert link.round_trips == 1, "the agent is logged in"
    with live.crossing() as link:
        said = live.run(*git, "verify-commit", "HEAD")
    assert b'Good "git" signature for me@example.org' in said.stderr
    assert link.octets == 0
