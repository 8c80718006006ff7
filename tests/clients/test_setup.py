"""`fob setup` beside a real daemon and phone: what it wrote is enough for ssh and git, and all of it goes again."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.openssh import Sshd
from fob_daemon.cli.starting import has_systemd
from support.live import Live, live_phone
from support.required import check_program

HAS_SYSTEMD = has_systemd(os.environ)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A phone in a home with a git configuration."""
    check_program("git")
    with live_phone(tmp_path_factory.mktemp("setup")) as phone:
        (phone.folder / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
        yield phone


def setup(live: Live, *arguments: str) -> str:
    """What it says. The module file of root, as whom the tests may run, would be the machine's."""
    done = live.run(
        "fob", "setup", "--without", "p11-kit", *arguments,
        XDG_STATE_HOME=str(live.folder / "state"), XDG_CONFIG_HOME="", SHELL="/bin/sh",
    )  # fmt: skip
    return done.stderr.decode()


def written(live: Live) -> dict[Path, bytes]:
    """What a person's programs read."""
    found = [live.folder / ".gitconfig", live.folder / ".profile", *live.folder.glob(".ssh/*")]
    return {path: path.read_bytes() for path in (*found, *live.folder.glob(".config/**/fob*")) if path.is_file()}


async def test_what_is_written_is_enough_and_goes_again(live: Live, tmp_path: Path) -> None:
    before = written(live)
    words = setup(live, "--git", "--key", "Ed25519", "--yes")
    if HAS_SYSTEMD:
        assert "The daemon that runs now goes on; from your next log-in on systemd starts it." in words
    else:
        assert "left out: systemd, as none runs here: nothing starts the daemon but you." in words

    async with Sshd.started(tmp_path, [live.ssh_key("P-256").read_text().strip()]) as sshd:
        config = str(live.folder / ".ssh/config")
        login = [config if word == "none" else word for word in sshd.login("echo hello")]
        assert config in login, "in place of no configuration"
        assert live.run(*login, SSH_AUTH_SOCK="").stdout == b"hello\n"
    repository = str(live.folder / "repository")
    live.run("git", "init", "-q", repository)
    live.run("git", "-C", repository, "commit", "-q", "--allow-empty", "-m", "One", SSH_AUTH_SOCK="")
    assert live.run("git", "-C", repository, "log", "-1", "--format=%G?").stdout == b"G\n"

    found = json.loads(live.run("fob", "--json", "doctor", check=False, XDG_CONFIG_HOME="").stdout)["findings"]
    outcomes = {finding["what"]: finding["outcome"] for finding in found}
    assert [outcomes[what] for what in ("ssh", "git", "git's signers")] == ["ok"] * 3
    assert outcomes["service"] == ("ok" if HAS_SYSTEMD else "skip")
    assert outcomes[f"clock of '{live.device()['name']}'"] == "ok"

    setup(live, "--undo")
    assert written(live) == before
