"""What the phone is told of who asks, and what `fob log` tells: real programs, and a phone that decides by it."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.openssh import Sshd
from support.live import Live, live_phone

# Only who is named rightly gets a signature.
RULES = """
[[approval]]
operation = "sign"
program = "ssh"
purpose = "login"
host = "SHA256:*"
forwarded = false

[[approval]]
operation = "sign"
program = "git"
purpose = "signature"
namespace = "git"

[[approval]]
operation = "sign"
program = "pkcs11-tool"
purpose = "unknown"

[[approval]]
operation = "sign"
answer = "deny"
"""
LABEL = "P-256"


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_phone(tmp_path_factory.mktemp("callers"), rules=RULES) as live:
        yield live


@pytest.fixture
async def sshd(phone: Live, tmp_path: Path) -> AsyncIterator[Sshd]:
    async with Sshd.started(tmp_path, [phone.ssh_key(LABEL).read_text().strip()]) as running:
        yield running


def last_entry(phone: Live) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(phone.run("fob", "log", "-n", "1", "--json").stdout)["entries"][0]
    return entry


def what(entry: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(entry[name]) for name in ("program", "operation", "purpose", "host", "namespace", "result"))


async def test_ssh_is_named_with_the_host(phone: Live, sshd: Sshd) -> None:
    assert phone.run(*sshd.login("-i", str(phone.ssh_key(LABEL)), "echo hello")).stdout == b"hello\n"
    entry = last_entry(phone)
    assert what(entry) == ("ssh", "sign", "login", sshd.fingerprint, "", "OK")
    assert entry["programs"][0] == "ssh"
    assert not entry["forwarded"]
    shown = phone.run("fob", "log", "-n", "1").stdout.decode()
    assert f"  ssh <- {entry['programs'][1]}" in shown
    assert f"  log in to {sshd.fingerprint}  " in shown


@pytest.mark.clause("P9")
def test_git_is_named_behind_the_program_that_it_starts(phone: Live) -> None:
    settings = {"user.name": "Me", "user.email": "me@example.org", "gpg.format": "ssh"}
    settings["user.signingkey"] = str(phone.ssh_key(LABEL))
    git = ("git", "-C", str(phone.folder), *(word for item in settings.items() for word in ("-c", "=".join(item))))
    phone.run(*git, "init", "-q")
    commit = ("commit", "-q", "--allow-empty", "-S", "-m", "signed by the phone")
    phone.run(*git, *commit)
    with phone.crossing() as link:
        phone.run(*git, *commit)
    assert link.round_trips == 1, "the agent is logged in"
    assert link.octets == 170, "by its number, and a handle of one digit"
    entry = last_entry(phone)
    assert what(entry) == ("ssh-keygen", "sign", "signature", "", "git", "OK")
    assert entry["programs"][:2] == ["ssh-keygen", "git"]


def test_a_signature_for_something_else_is_refused(phone: Live) -> None:
    letter = phone.folder / "letter"
    letter.write_text("Dear reader")
    sign = ("ssh-keygen", "-Y", "sign", "-n", "file", "-f", str(phone.ssh_key(LABEL)), str(letter))
    assert phone.run(*sign, check=False).returncode != 0
    assert what(last_entry(phone)) == ("ssh-keygen", "sign", "signature", "", "file", "CKR_FUNCTION_REJECTED")


def test_a_program_at_the_module_is_named(phone: Live) -> None:
    (phone.folder / "digest").write_bytes(bytes(32))
    phone.pkcs11_tool("--sign", "--mechanism", "ECDSA", "--id", "02", "-i", "digest", "-o", "signature")
    assert what(last_entry(phone)) == ("pkcs11-tool", "sign", "unknown", "", "", "OK")
