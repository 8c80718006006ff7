"""A phone's folder: made whole or not at all, and refused in three lines when it is not what it was."""

import contextlib
import os
import re
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fob_device.main import main
from fob_device.store.schema import OLDEST_VERSION, SCHEMA_VERSION

PINS = b"123456\n12345678\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phone that was made once."""
    folder = tmp_path_factory.mktemp("made") / "phone"
    assert init(folder).exit_code == 0
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / "phone"))


def init(folder: Path, *more: str, pins: bytes = PINS) -> Result:
    return CliRunner().invoke(main, ["init", "--state", str(folder), "--pins", "-", *more], input=pins)


def run(folder: Path) -> Result:
    """`fob-device run` of a phone that does not start: else this would not return."""
    port = f"pty:{folder.parent / 'none' / 'line'}"
    return CliRunner().invoke(main, ["run", "--state", str(folder), "--port", port])


def three_lines(result: Result) -> tuple[str, str, str]:
    """What, why, and the next command; and that it was nothing but a refusal."""
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    what, why, command = result.stderr.splitlines()
    assert (what[:7], why[:7], command[:7]) == ("error: ", "why:   ", "try:   ")
    return what[7:], why[7:], command[7:]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_phone_is_two_files_that_only_its_owner_reads(made: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in made.iterdir()}
    assert modes == {"root.key": 0o600, "token.db": 0o600}
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert (made / "root.key").stat().st_size == 32


def test_a_phone_may_be_made_in_a_folder_that_is_there_already(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text("")
    assert init(tmp_path).exit_code == 0
    assert set(content(tmp_path)) == {"root.key", "rules.toml", "token.db"}


def test_a_phone_is_never_overwritten(folder: Path) -> None:
    before = content(folder)
    command = f"fob-device run --state {folder} --port ..."
    assert three_lines(init(folder)) == (f"{folder} holds a phone already", "a phone is never overwritten", command)
    assert content(folder) == before


def test_a_root_key_is_never_overwritten(folder: Path) -> None:
    (folder / "token.db").unlink()
    before = content(folder)
    what, why, command = three_lines(init(folder))
    assert (what, command) == ("no phone was made", "fob-device init --state NEW")
    assert why == f"{folder / 'root.key'} is there already, and is never overwritten"
    assert content(folder) == before


@pytest.mark.parametrize(
    ("pins", "label", "words"),
    [
        (b"123\n12345678\n", "phone", "User PIN: a PIN has 4 to 64 octets"),
        (b"123456\n", "phone", "SO PIN: a PIN has 4 to 64 octets"),
        (b"", "phone", "User PIN: a PIN has 4 to 64 octets"),
        (b"1" * 5000 + b"\n12345678\n", "phone", "User PIN: a PIN has 4 to 64 octets"),
        (b"\xff\xfe\xfd\xfc\n1\n", "phone", "SO PIN: a PIN has 4 to 64 octets"),
        (PINS, "x" * 33, "a token's label has at most 32 octets"),
        (PINS, "two\nlines", "a token's label has no control characters"),
        (PINS, os.fsdecode(b"\xff"), "a token's label has no control characters"),
    ],
)
def test_a_phone_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path, pins: bytes, label: str, words: str) -> None:
    result = init(tmp_path / "new" / "phone", "--label", label, pins=pins)
    assert three_lines(result) == ("no phone was made", words, "fob-device init --help")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("typed", "asked", "words"),
    [
        ("123\n", ["User PIN: "], "User PIN: a PIN has 4 to 64 octets"),
        (
            f"123456\n123456\n{'1' * 65}\n",
            ["User PIN: ", "Repeat for confirmation: ", "SO PIN: "],
            "SO PIN: a PIN has 4 to 64 octets",
        ),
    ],
)
def test_a_pin_that_is_typed_is_checked_before_anything_else_is_asked(
    tmp_path: Path, typed: str, asked: list[str], words: str
) -> None:
    result = CliRunner().invoke(main, ["init", "--state", str(tmp_path / "phone")], input=typed)
    assert result.stdout.splitlines() == asked
    assert three_lines(result) == ("no phone was made", words, "fob-device init --help")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_while_it_is_made_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("fob_device.memory.make_identity", full)
    what, why, _ = three_lines(init(tmp_path / "phone"))
    assert (what, why) == ("no phone was made", f"{tmp_path / 'phone' / 'token.db'}: database or disk is full")
    assert list(tmp_path.iterdir()) == []


def test_giving_up_while_it_is_made_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fob_device.memory.make_identity", give_up)
    assert init(tmp_path / "phone").exit_code == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["/proc/nope", "/proc/self/nope/phone", "/dev/null", "/dev/null/phone"])
def test_a_place_where_no_folder_can_be_is_named(place: str) -> None:
    what, why, _ = three_lines(init(Path(place)))
    assert what == "no phone was made"
    assert place.split("/phone", maxsplit=1)[0] in why


def test_without_a_phone_the_command_that_makes_one_is_named(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nothing here"):
        what, why, command = three_lines(run(folder))
        assert (what, why) == (f"there is no phone in {folder}", f"{folder / 'token.db'} is missing")
        assert command.startswith("fob-device init --state ")
    assert command == f"fob-device init --state '{tmp_path / 'nothing here'}'"


def test_a_phone_without_its_root_key_is_lost(folder: Path) -> None:
    (folder / "root.key").unlink()
    why = f"without {folder / 'root.key'} its keys cannot be opened"
    assert three_lines(run(folder)) == ("the root key of this phone is gone", why, "fob-device init --state NEW")


def test_a_root_key_that_is_no_file_is_not_waited_for(folder: Path) -> None:
    (folder / "root.key").unlink()
    os.mkfifo(folder / "root.key", 0o600)
    what, why, _ = three_lines(run(folder))
    assert (what, why) == ("the root key of this phone is gone", f"{folder / 'root.key'} is not a file")


@pytest.mark.parametrize("size", [0, 31, 33, 5000])
def test_a_root_key_of_another_size_is_damaged(folder: Path, size: int) -> None:
    (folder / "root.key").write_bytes(bytes(size))
    what, why, command = three_lines(run(folder))
    assert (what, why) == ("the root key of this phone is damaged", f"{folder / 'root.key'} has to hold 32 octets")
    assert command == "fob-device init --state NEW"


def test_the_root_key_of_another_phone_does_not_fit(folder: Path) -> None:
    (folder / "root.key").write_bytes(bytes(32))
    what, why, command = three_lines(run(folder))
    assert (what, command) == ("the phone did not start", "fob-device init --state NEW")
    assert "belongs to another device: its root key is another one" in why


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o777])
def test_a_root_key_that_others_can_open_is_refused_as_ssh_does(folder: Path, mode: int) -> None:
    key = folder / "root.key"
    key.chmod(mode)
    assert three_lines(run(folder)) == (
        "the root key of this phone is no secret",
        f"{key} is open to others (mode {mode:04o})",
        f"chmod 600 {key}",
    )
    key.chmod(0o600)
    key.write_bytes(bytes(32))
    _, why, _ = three_lines(run(folder))
    assert "belongs to another device" in why


def rubbish(path: Path) -> None:
    path.write_bytes(b"\xa5" * 40_960)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def one_octet_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def a_page_written_over(path: Path) -> None:
    octets = path.read_bytes()
    path.write_bytes(octets[:4096] + bytes(4096) + octets[8192:])


def no_identity(path: Path) -> None:
    change(path, "DELETE FROM identity")


def identity_of_another(path: Path) -> None:
    change(path, "UPDATE identity SET sealed = zeroblob(60)")


def a_pairing_slipped_in(path: Path) -> None:
    change(path, "INSERT INTO pairing VALUES (zeroblob(32), 'me@desk', 1.0, zeroblob(28))")


def more_tries(path: Path) -> None:
    change(path, "UPDATE pin SET tries_left = 100 WHERE user = 1")


def no_pins(path: Path) -> None:
    change(path, "DROP TABLE pin")


def no_token(path: Path) -> None:
    change(path, "DELETE FROM token")


def a_name_that_is_no_text(path: Path) -> None:
    change(path, "UPDATE token SET label = CAST(x'ff00fe' AS TEXT)")


def an_older_version(path: Path) -> None:
    change(path, f"PRAGMA user_version={OLDEST_VERSION - 1}")


def change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (rubbish, "cannot be read: file is not a database"),
        (empty, "is not a token file"),
        (half, "cannot be read: database disk image is malformed"),
        (one_octet_short, "was cut short"),
        (a_page_written_over, "cannot be read|is damaged"),
        (no_identity, "the phone's identity is missing"),
        (identity_of_another, "the phone's identity was altered"),
        (a_pairing_slipped_in, "the pairing of the computer 0000000000000000... was altered"),
        (more_tries, "cannot be used: the record of the user's PIN, with the tries left, was altered"),
        (no_pins, "is damaged: its tables are not those of a phone"),
        (no_token, "cannot be read: .*the token's record is missing"),
        (a_name_that_is_no_text, "cannot be read: "),
        (an_older_version, f"has schema version {OLDEST_VERSION - 1}; this program reads version {SCHEMA_VERSION}"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_damaged_file_is_named(folder: Path, damage: Callable[[Path], None], words: str) -> None:
    damage(folder / "token.db")
    what, why, command = three_lines(run(folder))
    assert (what, command) == ("the phone did not start", "fob-device init --state NEW")
    assert why.startswith(str(folder / "token.db"))
    assert re.search(words, why), why


@contextlib.contextmanager
def on_a_disk_that_is_read_only(folder: Path) -> Iterator[None]:
    """Only root may say so; nothing else keeps root from writing."""
    place = str(folder)
    mounts = (["mount", "--bind", place, place], ["mount", "-o", "remount,bind,ro", place])
    if os.geteuid() != 0 or subprocess.run(mounts[0], capture_output=True, check=False).returncode:
        pytest.skip("nobody may mount a disk here")
    try:
        subprocess.run(mounts[1], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_phone_on_a_disk_that_is_read_only_is_refused(folder: Path) -> None:
    with on_a_disk_that_is_read_only(folder):
        refusal = three_lines(run(folder))
    why = f"{folder}: it cannot be written: Read-only file system"
    assert refusal == ("the phone did not start", why, f"ls -la {folder}")


@pytest.mark.parametrize("name", ["", "token.db"])
def test_a_phone_that_its_user_may_not_write_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # Root may write everything; whom the kernel refuses is refused here.
    monkeypatch.setattr("os.access", lambda path, mode, **_: path != folder / name)
    why = f"{folder / name}: it cannot be written: Permission denied"
    assert three_lines(run(folder)) == ("the phone did not start", why, f"ls -la {folder}")
