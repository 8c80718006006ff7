"""The phone's own history, with real programs: what they did, and what staff does to the phone's file meanwhile."""

import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.live import Live, live_phone
from support.octets import flipped


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A phone that has signed a little, for this module alone."""
    with live_phone(tmp_path_factory.mktemp("history")) as live:
        data = live.folder / "data"
        data.write_bytes(bytes(32))
        for _ in range(3):
            live.pkcs11_tool("--sign", "--mechanism", "ECDSA", "--id", "02", "-i", str(data), "-o", "signature")
        yield live


def verified(live: Live, *more: str, fails: bool = False) -> dict[str, Any]:
    """What `fob log --verify` finds."""
    done = live.run("fob", "--json", "log", "--verify", *more, check=False)
    assert done.returncode == (1 if fails else 0), done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def phone_file(live: Live) -> Path:
    return next(live.folder.rglob("token.db"))


def in_the_workshop(live: Live, work: Callable[[Path], None]) -> None:
    """Staff has the phone while it is off."""
    live.kill_phone()
    work(phone_file(live))
    live.start_phone()


def sql(statement: str, *parameters: object) -> Callable[[Path], None]:
    def work(path: Path) -> None:
        connection = sqlite3.connect(path)
        with connection:
            connection.execute(statement, parameters)
        connection.close()

    return work


def put_back(content: bytes) -> Callable[[Path], None]:
    def work(path: Path) -> None:
        path.write_bytes(content)

    return work


def test_the_phone_tells_what_real_programs_did(live: Live) -> None:
    entries = json.loads(live.run("fob", "--json", "log", "--phone").stdout)["entries"]
    kinds = [entry["entry"]["kind"] for entry in entries if entry["entry"]]
    assert kinds[0] == "paired"
    assert kinds.count("key-made") == 3
    uses = [entry["entry"] for entry in entries if entry["entry"] and entry["entry"]["kind"] == "use"]
    assert [use["uses"] for use in uses if use["key"] == "P-256"] == [1, 2, 3]
    assert {(use["operation"], use["outcome"], use["programs"][0]) for use in uses} == {
        ("sign", "approved", "pkcs11-tool")
    }
    shown = live.run("fob", "log", "--phone").stdout.decode()
    assert "sign with 'P-256' for pkcs11-tool" in shown
    assert ": approved by a rule" in shown


def test_an_honest_phone_is_verified(live: Live) -> None:
    first = verified(live)
    assert (first["verified"], first["first"]) == (True, 1)
    live.pkcs11_tool("--sign", "--mechanism", "ECDSA", "--id", "02", "-i", "data", "-o", "signature")
    assert verified(live)["length"] > first["length"]


@pytest.mark.parametrize("column", ["record", "signature", "salt", "details"])
def test_staff_that_changes_a_field_is_found_and_so_is_the_entry(live: Live, column: str) -> None:
    whole = verified(live)
    kept: list[bytes] = []

    def spoil(path: Path) -> None:
        connection = sqlite3.connect(path)
        with connection:
            (value,) = connection.execute(f"SELECT {column} FROM history WHERE sequence = 3").fetchone()  # noqa: S608
            kept.append(value)
            spoiled = flipped(value)
            connection.execute(f"UPDATE history SET {column} = ? WHERE sequence = 3", (spoiled,))  # noqa: S608
        connection.close()

    in_the_workshop(live, spoil)
    found = verified(live, fails=True)
    assert (found["fault"], found["sequence"], found["words"]) == ("edited", 3, "entry 3 was edited")
    told = live.run("fob", "log", "--verify", check=False).stderr.decode()
    assert "why:   entry 3 was edited" in told
    in_the_workshop(live, sql(f"UPDATE history SET {column} = ? WHERE sequence = 3", kept[0]))  # noqa: S608
    assert verified(live)["length"] >= whole["length"]


def test_an_older_copy_of_the_phone_is_found(live: Live) -> None:
    before = verified(live)["length"]
    copies: list[bytes] = []
    in_the_workshop(live, lambda path: copies.append(path.read_bytes()))
    live.pkcs11_tool("--sign", "--mechanism", "ECDSA", "--id", "02", "-i", "data", "-o", "signature")
    newer = verified(live)["length"]
    assert newer > before
    in_the_workshop(live, lambda path: copies.append(path.read_bytes()))
    in_the_workshop(live, put_back(copies[0]))
    found = verified(live, fails=True)
    assert (found["fault"], found["sequence"] > before) == ("rolled back", True)
    in_the_workshop(live, put_back(copies[1]))
    assert verified(live)["verified"]


def test_the_daemon_that_starts_again_remembers_what_it_saw(live: Live) -> None:
    length = verified(live)["length"]
    live.restart_daemon()
    live.await_state("ready")
    assert verified(live)["length"] >= length
    assert len(list(live.folder.rglob("history-*.json"))) == 1


def test_a_third_party_checks_an_export(live: Live, tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    live.run("fob", "log", "--export", str(path))
    said = elsewhere(live, tmp_path, path)
    assert said.returncode == 0
    assert said.stdout.startswith(b"verified ")
    assert b"signed by log key " in said.stdout
    path.write_text(path.read_text().replace('"host": ""', '"host": "x"', 1))
    assert elsewhere(live, tmp_path, path).returncode == 1


def elsewhere(live: Live, folder: Path, file: Path) -> subprocess.CompletedProcess[bytes]:
    """`fob log --verify FILE` on a computer without a daemon."""
    command = ("fob", "log", "--verify", str(file))
    return live.run(*command, check=False, FOB_CONTROL_SOCKET=str(folder / "none"), HOME=str(folder))
