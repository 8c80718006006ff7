"""A line that cannot be opened: the cause once, in words, and no numbers."""

import asyncio
from pathlib import Path

import pytest

from fob_daemon.link.transport import LineUnavailableError, LineUrl, open_line


async def why(url: str) -> str:
    with pytest.raises(LineUnavailableError) as caught:
        await open_line(LineUrl.parse(url), lambda octets: None)
    return str(caught.value)


async def test_what_is_no_serial_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert await why(f"serial:{tmp_path}/none") == f"serial:{tmp_path}/none: No such file or directory"
    assert await why(f"serial:{tmp_path}") == f"serial:{tmp_path}: it is no serial line"
    assert await why(f"serial:{tmp_path}/file") == f"serial:{tmp_path}/file: it is no serial line"
    assert await why("serial:/dev/null") == "serial:/dev/null: it is no serial line"


async def test_a_line_that_is_in_use(tmp_path: Path) -> None:
    import os
    import pty

    master, slave = pty.openpty()
    url = f"serial:{os.ttyname(slave)}"
    line = await open_line(LineUrl.parse(url), lambda octets: None)

    assert await why(url) == f"{url}: another program has it open"

    line.close()
    await asyncio.sleep(0)
    os.close(slave)
    os.close(master)


async def test_nobody_listens() -> None:
    assert await why("tcp:127.0.0.1:1") == "tcp:127.0.0.1:1: Connection refused"
    assert await why("tcp:nowhere.invalid:1") == "tcp:nowhere.invalid:1: Name or service not known"
