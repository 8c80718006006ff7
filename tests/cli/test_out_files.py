"""Files for labels: judged before anything is paid; what is no regular file is written into, and never replaced."""

import asyncio
import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from cli.letters import LETTER
from support.fake_meter import SERIAL, FakeMeter

PDF = b"%PDF"


def a_socket(path: Path) -> None:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.close()


@pytest.mark.parametrize(
    ("make", "why"), [(Path.mkdir, "it is a folder"), (a_socket, "it is a socket")], ids=["folder", "socket"]
)
async def test_what_takes_no_document_is_refused_before_anything_is_paid(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path, make: object, why: str
) -> None:
    target = tmp_path / "out"
    make(target)  # type: ignore[operator]
    ended = await fob("meter", "frank", *LETTER, "--pdf", str(target))
    assert (ended.code, ended.error) == (
        1,
        [
            "no label can be drawn", f"{target}: {why}",
            "the same command with another --output, --pdf or --sheet",
        ],
    )  # fmt: skip
    assert meter.paid == []


async def test_a_folder_that_takes_no_file_is_refused_before_anything_is_paid(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    for option in ("--output", "--pages"):
        ended = await fob("meter", "frank", *LETTER, option, str(tmp_path / "file"))
        assert (ended.code, ended.error[0]) == (1, "no label can be drawn")
    assert meter.paid == []


async def test_a_link_stays_and_its_file_is_replaced_whole(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    there, beside = tmp_path / "there.pdf", tmp_path / "link.pdf.new"
    there.write_bytes(b"old")
    beside.write_bytes(b"somebody's")
    for name, target in (("link.pdf", "there.pdf"), ("leads-nowhere-yet.pdf", "new.pdf")):
        (tmp_path / name).symlink_to(target)
        ended = await fob("meter", "frank", *LETTER, "--pdf", str(tmp_path / name))
        assert ended.code == 0
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / target).read_bytes().startswith(PDF)
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("there.pdf", "new.pdf")} == {0o600}
    assert beside.read_bytes() == b"somebody's"


async def test_a_pipe_is_written_into(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read, ended = await asyncio.gather(
        asyncio.to_thread(pipe.read_bytes), fob("meter", "frank", *LETTER, "--pdf", str(pipe))
    )
    assert (ended.code, read[:4]) == (0, PDF)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


async def test_a_program_s_own_pipe_is_written_into(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    out = tmp_path / "out.pdf"
    words = " ".join(f"'{word}'" for word in LETTER)
    line = f'"$0" -m fob_daemon.cli.main meter frank {words} --pdf >(cat > {out}; echo done > {out}.done)'
    ended = await fob(program=("/bin/bash", "-c", f"{line}; wait $!", sys.executable))
    assert ended.code == 0, ended.err
    assert out.read_bytes().startswith(PDF)


async def test_a_device_is_never_replaced_and_the_file_that_is_full_is_named(
    fob: FobProgram, meter: FakeMeter, tmp_path: Path
) -> None:
    link = tmp_path / "full"
    link.symlink_to("/dev/full")
    ended = await fob("meter", "frank", *LETTER, "--pdf", str(link))
    assert (ended.code, ended.error[:2]) == (
        1, ["the labels were not drawn", f"1 piece is paid and kept; {link}: No space left on device"],
    )  # fmt: skip
    assert link.is_symlink()
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


async def test_a_picture_on_a_full_disk_is_named(fob: FobProgram, meter: FakeMeter, tmp_path: Path) -> None:
    picture = tmp_path / f"{SERIAL}-000002-01.svg"
    picture.symlink_to("/dev/full")
    ended = await fob("meter", "frank", *LETTER, "--output", str(tmp_path))
    assert ended.error[1] == f"1 piece is paid and kept; {picture}: No space left on device"
