"""A host's name by its key: plain and hashed lines, several files, and what is no name."""

import base64
import hashlib
import hmac
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.fake_keys import ed25519_key, p256_key
from agent.verify import blob_of
from fob_daemon.agent.known_hosts import host_name, known_hosts_files

KEY = blob_of(ed25519_key())
TYPE_AND_KEY = " ".join(ed25519_key().line.split()[:2])
SALT = bytes(range(20))


def hashed(name: str) -> str:
    digest = hmac.new(SALT, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(SALT).decode()}|{base64.b64encode(digest).decode()}"


def found(tmp_path: Path, lines: str, *command_line: str) -> str | None:
    file = tmp_path / "known_hosts"
    file.write_text(lines)
    return host_name(KEY, (tmp_path / "none", file), ("ssh", *command_line))


@pytest.mark.parametrize(
    ("names", "command_line", "name"),
    [
        ("github.com", (), "github.com"),
        ("github.com,140.82.121.4", (), "github.com"),
        ("140.82.121.4,github.com", (), "github.com"),
        ("140.82.121.4", (), "140.82.121.4"),
        ("[build.example]:2222", (), "[build.example]:2222"),
        ("[10.0.0.1]:2222,[build.example]:2222", (), "[build.example]:2222"),
        ("one.example,two.example", ("git@two.example", "ls"), "two.example"),
        ("one.example,two.example", ("-p", "22", "TWO.example"), "two.example"),
        ("*.example,!x.example,plain", (), "plain"),
        ("*.example", (), None),
        (hashed("github.com"), ("git@github.com", "git-upload-pack x"), "github.com"),
        (hashed("[build.example]:2222"), ("-p", "2222", "build.example"), "[build.example]:2222"),
        (hashed("[build.example]:2222"), ("-p2222", "build.example"), "[build.example]:2222"),
        (hashed("github.com"), ("gh",), None),
        ("|1|not base 64|x", ("gh",), None),
        ("|1|", ("gh",), None),
        ("\x1b[31m", (), None),
    ],
)
def test_a_line(tmp_path: Path, names: str, command_line: tuple[str, ...], name: str | None) -> None:
    assert found(tmp_path, f"{names} {TYPE_AND_KEY} a comment\n", *command_line) == name


def test_lines_of_other_keys_and_lines_that_are_none(tmp_path: Path) -> None:
    other = " ".join(p256_key().line.split()[:2])
    lines = f"# github.com {TYPE_AND_KEY}\n@revoked gone {TYPE_AND_KEY}\n@cert-authority * {TYPE_AND_KEY}\n\nshort\n"
    assert found(tmp_path, f"{lines}other.example {other}\n") is None
    assert found(tmp_path, f"{lines}other.example {other}\nmine.example {TYPE_AND_KEY}") == "mine.example"


def test_a_hashed_line_that_the_command_line_explains_goes_before_another_name(tmp_path: Path) -> None:
    lines = f"mirror.example {TYPE_AND_KEY}\n{hashed('github.com')} {TYPE_AND_KEY}\n"
    assert found(tmp_path, lines, "git@github.com") == "github.com"
    assert found(tmp_path, lines) == "mirror.example"


def test_what_is_no_file_holds_no_host(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert host_name(KEY, (tmp_path, tmp_path / "fifo", tmp_path / "none"), ("ssh",)) is None


def test_where_openssh_looks() -> None:
    files = known_hosts_files(os.getuid())
    assert [file.name for file in files] == ["known_hosts", "known_hosts2", "ssh_known_hosts", "ssh_known_hosts2"]
    assert len(known_hosts_files(0x7FFF_FFF0)) == 2, "a user that nobody knows has no home"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.lists(st.text(), max_size=5))
def test_rubbish_has_no_name(tmp_path: Path, rubbish: bytes, command_line: list[str]) -> None:
    file = tmp_path / "known_hosts"
    # A line ends at a newline and nowhere else; after one, anything would be a name.
    hashed = b"|1|" + rubbish.replace(b"\n", b"")
    file.write_bytes(rubbish + b"\n" + hashed + f" {TYPE_AND_KEY}\n".encode())
    assert host_name(KEY, (file,), command_line) is None or command_line
