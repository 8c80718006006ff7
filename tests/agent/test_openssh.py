"""The programs of OpenSSH, none of which know Fob, with the keys of a token."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from agent.fake_application import PIN, FakeToken
from agent.fake_keys import FakeKey, ed25519_key, p256_key, p384_key, p521_key, rsa_key
from agent.harness import Agent, StartAgent
from agent.openssh import Programs, Sshd

KEYS = [rsa_key(), p256_key(), p384_key(), p521_key(), ed25519_key()]


@pytest.fixture
def token() -> FakeToken:
    return FakeToken(KEYS)


@pytest.fixture
async def agent(start_agent: StartAgent, token: FakeToken) -> Agent:
    return await start_agent(token)


@pytest.fixture
def programs(agent: Agent, tmp_path: Path) -> Programs:
    return Programs(tmp_path, agent.path)


@pytest.fixture
async def sshd(tmp_path: Path) -> AsyncIterator[Sshd]:
    folder = tmp_path / "sshd"
    folder.mkdir()
    async with Sshd.started(folder, [key.line for key in KEYS]) as running:
        yield running


async def log_in(programs: Programs, token: FakeToken) -> None:
    await programs.succeed("ssh-add", "-s", "fob", answer=PIN.decode())
    token.link.clear()


@pytest.mark.clause("P9")
async def test_ssh_add_lists_the_keys(programs: Programs, token: FakeToken) -> None:
    assert (await programs.succeed("ssh-add", "-L")).splitlines() == [key.line for key in KEYS]
    kinds = [line.split()[-1] for line in (await programs.succeed("ssh-add", "-l")).splitlines()]
    assert kinds == ["(RSA)", "(ECDSA)", "(ECDSA)", "(ECDSA)", "(ED25519)"]
    assert token.link == []


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.label)
async def test_ssh_keygen_signs_and_verifies(
    programs: Programs, token: FakeToken, tmp_path: Path, key: FakeKey
) -> None:
    await log_in(programs, token)
    (tmp_path / "key.pub").write_text(key.line)
    (tmp_path / "allowed").write_text(f"me@example.org {key.line}\n")
    (tmp_path / "letter").write_bytes(b"Dear reader")
    await programs.succeed("ssh-keygen", "-Y", "sign", "-n", "file", "-f", "key.pub", "letter")
    assert token.link == ["sign"]
    verify = ("ssh-keygen", "-Y", "verify", "-n", "file", "-f", "allowed", "-I", "me@example.org", "-s", "letter.sig")
    assert "Good" in await programs.succeed(*verify, stdin=b"Dear reader")
    assert (await programs.run(*verify, stdin=b"Dear leader")).status != 0


@pytest.mark.parametrize("key", KEYS[1:], ids=lambda key: key.label)
async def test_ssh_add_tests_a_key(programs: Programs, token: FakeToken, tmp_path: Path, key: FakeKey) -> None:
    """`ssh-add -T` signs with the agent and verifies."""
    await log_in(programs, token)
    (tmp_path / "key.pub").write_text(key.line)
    await programs.succeed("ssh-add", "-T", "key.pub")
    assert token.link == ["sign"]


async def test_ssh_add_tests_rsa_keys_with_sha1_and_is_refused(
    programs: Programs, token: FakeToken, tmp_path: Path
) -> None:
    await log_in(programs, token)
    (tmp_path / "key.pub").write_text(rsa_key().line)
    with structlog.testing.capture_logs() as log:
        assert (await programs.run("ssh-add", "-T", "key.pub")).status != 0
    assert "SHA-1" in log[0]["reason"]
    assert token.link == []


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.label)
async def test_ssh_logs_in(programs: Programs, token: FakeToken, sshd: Sshd, tmp_path: Path, key: FakeKey) -> None:
    await log_in(programs, token)
    (tmp_path / "key.pub").write_text(key.line)
    only = ("-o", "IdentitiesOnly=yes", "-i", str(tmp_path / "key.pub"))
    with structlog.testing.capture_logs() as log:
        assert await programs.succeed(*sshd.login(*only, "echo hello")) == "hello\n"
    assert token.link == ["sign"]
    (line,) = log
    assert (line["event"], line["program"], line["key"]) == ("agent.signed", "ssh", key.label)
    assert (line["host"], line["forwarded"]) == (sshd.fingerprint, False), "ssh has bound the connection"


async def test_the_device_asks_for_the_pin_when_ssh_logs_in(programs: Programs, token: FakeToken, sshd: Sshd) -> None:
    token.pad = [PIN]
    assert await programs.succeed(*sshd.login("echo hello")) == "hello\n"
    assert await programs.succeed(*sshd.login("echo again")) == "again\n"
    assert token.link == ["login", "sign", "sign"]


async def test_a_device_that_refuses_keeps_ssh_out_and_nothing_hangs(
    programs: Programs, token: FakeToken, sshd: Sshd
) -> None:
    token.pad = [None] * len(KEYS)
    done = await programs.run(*sshd.login("echo hello"))
    assert (done.status, done.output) == (255, "")
    assert "sign" not in token.link


async def test_a_forwarded_agent_signs_there_and_takes_no_pin(programs: Programs, token: FakeToken, sshd: Sshd) -> None:
    await log_in(programs, token)
    with structlog.testing.capture_logs() as log:
        listed = await programs.succeed(*sshd.login("-A", "ssh-add -L"))
        assert listed.splitlines() == [key.line for key in KEYS]
        assert "hop" in await programs.succeed(*sshd.login("-A", " ".join(sshd.login("echo hop"))))
        assert (await programs.run(*sshd.login("-A", "SSH_ASKPASS_REQUIRE=never ssh-add -s fob <&-"))).status != 0
    hops = [(line["forwarded"], line["host"]) for line in log if line["event"] == "agent.signed"]
    assert [forwarded for forwarded, _ in hops] == [False, False, True, False]
    assert {host for _, host in hops} == {sshd.fingerprint}
    assert [line["reason"] for line in log if line["event"] == "agent.refused"] == [
        "only a program on this computer may do this"
    ]
    assert "login" not in token.link


@pytest.mark.parametrize("pin", ["999999", ""])
async def test_ssh_add_is_told_of_a_wrong_pin(programs: Programs, token: FakeToken, pin: str) -> None:
    done = await programs.run("ssh-add", "-s", "fob", answer=pin)
    assert done.status != 0
    assert "agent refused operation" in done.errors


async def test_ssh_add_removes_the_token(programs: Programs, token: FakeToken, tmp_path: Path) -> None:
    await log_in(programs, token)
    (tmp_path / "key.pub").write_text(p256_key().line)
    await programs.succeed("ssh-add", "-e", "fob", answer="")
    assert (await programs.run("ssh-add", "-T", "key.pub")).status != 0
    assert token.link == ["logout"]


async def test_ssh_add_locks_and_unlocks(programs: Programs) -> None:
    await programs.succeed("ssh-add", "-x", answer="sesame")
    assert "no identities" in (await programs.run("ssh-add", "-l")).output
    assert (await programs.run("ssh-add", "-X", answer="barley")).status != 0
    await programs.succeed("ssh-add", "-X", answer="sesame")
    assert len((await programs.succeed("ssh-add", "-l")).splitlines()) == len(KEYS)


async def test_ssh_add_cannot_add_a_file(programs: Programs, tmp_path: Path) -> None:
    await programs.succeed("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "file_key"))
    assert "agent refused operation" in (await programs.run("ssh-add", str(tmp_path / "file_key"))).errors
    assert (await programs.run("ssh-add", "-s", "fob", "-t", "60", answer=PIN.decode())).status != 0


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.label)
async def test_git_signs_a_commit(programs: Programs, token: FakeToken, tmp_path: Path, key: FakeKey) -> None:
    await log_in(programs, token)
    (tmp_path / "allowed").write_text(f"me@example.org {key.line}\n")
    settings = {
        "user.name": "Me",
        "user.email": "me@example.org",
        "gpg.format": "ssh",
        "user.signingKey": f"key::{key.line}",
        "gpg.ssh.allowedSignersFile": str(tmp_path / "allowed"),
    }
    git = ("git", *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")))
    await programs.succeed("git", "init", "-q", str(tmp_path))
    await programs.succeed(*git, "commit", "-q", "-S", "--allow-empty", "-m", "signed")
    assert token.link == ["sign"]
    assert (await programs.run(*git, "verify-commit", "HEAD")).status == 0
