"""Who is at the other end, and that no PIN of a command line is remembered."""

import os
import socket
from pathlib import Path

import pytest

from fob_daemon.peer import MAX_ARGUMENTS, MAX_COMMAND_LINE, PeerIdentity, hide_secrets, peer_identity


def identity(proc: Path) -> PeerIdentity:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        return peer_identity(ours, proc)


@pytest.fixture
def process(tmp_path: Path) -> Path:
    """This process's folder in a /proc of our own."""
    folder = tmp_path / str(os.getpid())
    folder.mkdir()
    return folder


def test_from_the_kernel_and_from_proc(process: Path) -> None:
    (process / "exe").symlink_to("/usr/bin/pkcs11-tool")
    (process / "cmdline").write_bytes(b"pkcs11-tool\0--login\0--pin\x001234\0")
    assert identity(process.parent) == PeerIdentity(
        os.getpid(), os.getuid(), os.getgid(), "pkcs11-tool", ("pkcs11-tool", "--login", "--pin", "***")
    )


def test_another_users_program_has_its_short_name_only(process: Path) -> None:
    (process / "comm").write_text("ssh-agent\n")
    assert identity(process.parent).program == "ssh-agent"


def test_a_process_that_is_gone(tmp_path: Path) -> None:
    peer = identity(tmp_path)
    assert (peer.program, peer.command_line) == ("?", ())


def test_a_long_command_line_is_cut(process: Path) -> None:
    (process / "cmdline").write_bytes(b"x\0" * 10_000)
    assert len(identity(process.parent).command_line) == MAX_ARGUMENTS
    (process / "cmdline").write_bytes(b"x" * 10_000)
    assert identity(process.parent).command_line == ("x" * MAX_COMMAND_LINE,)


def test_no_argument_can_command_a_terminal(process: Path) -> None:
    (process / "cmdline").write_bytes(b"\xff\xfe\0\x1b[31m\0")
    assert identity(process.parent).command_line == ("\ufffd\ufffd", "\ufffd[31m")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("--pin 1234 -L", "--pin *** -L"),
        ("-p 1234", "-p ***"),
        ("-p1234", "-p***"),
        ("--so-pin=1234 --new-pin 5678", "--so-pin=*** --new-pin ***"),
        ("--set-pin=1234", "--set-pin=***"),
        ("-passin pass:1234", "-passin ***"),
        ("--pin --pin x", "--pin *** x"),
        ("pkcs11:token=a?pin-value=1234&x=y", "pkcs11:token=a?pin-value=***&x=y"),
        ("ssh -l me host", "ssh -l me host"),
    ],
)
def test_secrets_are_hidden(said: str, kept: str) -> None:
    assert " ".join(hide_secrets(said.split())) == kept


def test_a_socket_that_is_not_local(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET) as inet:
        peer = peer_identity(inet, tmp_path)
    assert (peer.pid, peer.uid) == (0, -1)
