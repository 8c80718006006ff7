"""`fob meter` while the disk of `fobd` takes nothing: the reason is said, what only looks works."""

from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from cli.letters import LETTER, a_batch
from control.fake_daemon import FakeDaemon
from fob_daemon.metering.kept.file import StoreFile
from support.fake_meter import FakeMeter


def file_of(daemon: FakeDaemon) -> StoreFile:
    """What `fobd` keeps of the meter."""
    return daemon.meter("pixel")._disk.store.file


@pytest.mark.clause("M33")
async def test_a_full_disk_is_named(fob: FobProgram, meter: FakeMeter, daemon: FakeDaemon, tmp_path: Path) -> None:
    await fob("meter", "frank", *LETTER)
    file = file_of(daemon)
    database = file._opened()
    [(pages,)] = database.execute("PRAGMA page_count").fetchall()
    database.execute(f"PRAGMA max_page_count = {pages}")
    batch = ("meter", "frank", "--batch", a_batch(tmp_path / "letters.csv", 500))
    ended = await fob(*batch)
    assert (ended.code, ended.error) == (
        1, ["the meter was not used", f"{file.path}: database or disk is full", f"ls -l {file.path}; df {file.path}"]
    )  # fmt: skip
    database.execute("PRAGMA max_page_count = 1000000")
    assert (await fob(*batch)).code == 0


async def test_who_only_looks_needs_no_room(
    fob: FobProgram, meter: FakeMeter, daemon: FakeDaemon, tmp_path: Path
) -> None:
    await fob("meter", "frank", *LETTER)
    file_of(daemon)._opened().execute("PRAGMA query_only = ON")
    meter.descending = 90_000
    ended = await fob("meter", "status")
    assert (ended.code, "left     EUR 900.00" in ended.out) == (0, True), ended.err
    assert (await fob("meter", "print", "LAST", "--output", str(tmp_path))).code == 0


async def test_a_file_that_never_had_room_is_as_none(fob: FobProgram, meter: FakeMeter, daemon: FakeDaemon) -> None:
    path = file_of(daemon).path
    path.write_bytes(b"")
    path.chmod(0o600)
    assert (await fob("status")).code == 0
    assert path.read_bytes() == b""
    assert (await fob("meter", "frank", *LETTER)).code == 0
