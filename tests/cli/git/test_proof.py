"""`fob git test`: one commit is signed and verified, or it says what is in the way."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon, log_entry
from control.fake_phone import FakePhone
from fob_daemon.cli.git_signing.proof import parted
from fob_daemon.control.interface import DeviceState
from support.git_signing import (
    EMAIL,
    data,
    git,
    put,
    text,
)
from support.required import check_program


@pytest.fixture
def agent(fob: FobProgram, tmp_path: Path) -> Iterator[str]:
    """An agent with a key where the fake daemon says that the phone's is; the key's public half."""
    check_program("ssh-agent")
    path = tmp_path / "agent.sock"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "id")], check=True)
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        subprocess.run(
            ["ssh-add", "-q", str(tmp_path / "id")], env=os.environ | {"SSH_AUTH_SOCK": str(path)}, check=True
        )
        (tmp_path / "id").unlink()
        yield " ".join((tmp_path / "id.pub").read_text().split()[:2])
        running.terminate()


async def test_the_proof(fob: FobProgram, config: Path, key: str, agent: str, daemon: FakeDaemon) -> None:
    ended = await fob("git", "test")
    assert (ended.code, ended.error) == (
        1, ["git does not sign with the phone", "gpg.format is not 'ssh'", "fob git enable"]
    )  # fmt: skip
    await fob("git", "enable", "--yes")
    assert (await fob("git", "test")).error[0] == "the commit was not signed", "the agent has another key"

    git(fob, "config", "--global", "user.signingKey", f"key::{agent}")
    ended = await fob("git", "test")
    assert (ended.code, ended.error[0]) == (1, "the proof failed"), "nobody's signature, as the list has it"
    signers = data(fob) / "fob-allowed-signers"
    put(signers, str(text(signers)).replace(key, agent))
    ended = await fob("git", "test")
    assert ended.code == 0, ended.err
    assert ended.out.startswith(f'Good "git" signature for {EMAIL} with ED25519 key SHA256:')
    assert ended.err.startswith("Look at your phone")
    found = (await fob("git", "test", "--json")).json
    assert (len(found["commit"]), found["said"]) == (40, ended.out.rstrip("\n"))


async def test_the_phone_that_has_the_key_is_the_one_that_is_blamed(
    fob: FobProgram, config: Path, key: str, phone: FakePhone, daemon: FakeDaemon
) -> None:
    await fob("git", "enable", "--yes")
    daemon.add_phone("other", FakePhone("Bob's token", "FOB-0002"))
    daemon.add_phone("never here", FakePhone("Carol's token", "FOB-0003"))
    assert (await fob("git", "test")).error == [
        "the commit was not signed", "'pixel' has no PIN pad, and is not unlocked", "fob unlock --device pixel"
    ]  # fmt: skip
    daemon.change_device("pixel", DeviceState.AWAY, "the line ended")
    ended = await fob("git", "test")
    assert (ended.code, ended.error) == (4, [
        "the commit was not signed",
        "'pixel' has the key, and is away: the line ended",
        "switch it on, or bring it near, and then the same command",
    ])  # fmt: skip
    daemon.change_device("pixel", DeviceState.REFUSED, "the device is not paired with this computer", "fob pair URL")
    assert (await fob("git", "test")).error[2] == "fob pair URL"

    phone.objects.clear()
    assert (await fob("git", "test")).error == [
        "the commit was not signed",
        "no phone that is paired has the key that git signs with (user.signingKey)",
        "fob git enable",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
async def test_a_proof_that_is_ended_leaves_nothing(
    fob: FobProgram, config: Path, key: str, tmp_path: Path, number: signal.Signals
) -> None:
    await fob("git", "enable", "--yes")
    waits, ends = tmp_path / "waits", tmp_path / "ends"
    put(data(fob) / "fob-ssh-keygen", f"#!/bin/sh\necho >{waits}\nexec cat {ends}\n")
    os.mkfifo(waits)
    os.mkfifo(ends)
    signer = os.open(ends, os.O_RDWR)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    fob.environment["TMPDIR"] = str(scratch)
    process = await fob.start("git", "test")
    await asyncio.to_thread(waits.read_text)
    assert list(scratch.glob("fob-git-*"))
    process.send_signal(number)
    async with asyncio.timeout(20):
        _, words = await process.communicate()
    os.close(signer)
    assert process.returncode == 130, words
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("device", "why"), [("pixel", "the person said no on the phone (CKR_FUNCTION_REJECTED)"), ("other", "git: ")]
)
async def test_what_another_phone_refused_meanwhile_is_not_told(
    fob: FobProgram, config: Path, key: str, phone: FakePhone, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch,
    device: str, why: str,
) -> None:  # fmt: skip
    await fob("git", "enable", "--yes")
    phone.has_pin_pad = True
    daemon.add_phone("pixel", phone)
    refused = replace(log_entry(1, "CKR_FUNCTION_REJECTED"), device=device)
    monkeypatch.setattr(daemon, "log", lambda limit, since: [] if limit == 1 else [refused])
    assert (await fob("git", "test")).error[1].startswith(why)


def test_the_signature_is_parted_from_what_it_is_over() -> None:
    commit = "tree 1\nauthor A\ngpgsig -----BEGIN\n one\n \n -----END\nencoding x\n\nWords\n gpgsig no\n"
    assert parted(commit) == ("tree 1\nauthor A\nencoding x\n\nWords\n gpgsig no\n", "-----BEGIN\none\n\n-----END\n")
