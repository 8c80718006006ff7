"""Completion: what a shell is offered at once, and that it never waits for a daemon that is not there."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon
from control.fake_phone import PIN, FakePhone
from fob_daemon.device.grants import Grant
from support.required import check_program


async def offered(fob: FobProgram, line: str, shell: str = "bash") -> list[str]:
    """What completes a line, as `type,value`; fish and zsh say more."""
    words = line.split(" ")
    fob.environment |= {"_FOB_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    ended = await fob()
    assert (ended.code, ended.err) == (0, "")
    return [line for line in ended.out.splitlines() if line]


@pytest.fixture
async def keys(fob: FobProgram, phone: FakePhone) -> None:
    """Two keys, one of which has a label that shells would take apart."""
    for label in ("git", "Ada's work"):
        await fob("keys", "new", "--label", label, "--pin-file", "-", stdin=PIN.decode())


@pytest.mark.parametrize(
    "line", ["fob unpair ", "fob unlock --device ", "fob keys list --device p", "fob approvals list --device "]
)
async def test_names_of_devices(fob: FobProgram, phone: FakePhone, line: str) -> None:
    assert await offered(fob, line) == ["plain,pixel"]
    assert await offered(fob, "fob unpair x") == []


@pytest.mark.parametrize(
    "line", ["fob keys show ", "fob keys delete ", "fob git enable --key ", "fob setup --git --key "]
)
async def test_labels_of_keys(fob: FobProgram, keys: None, line: str) -> None:
    assert set(await offered(fob, line)) == {"plain,git", "plain,'Ada'\"'\"'s work'"}
    assert await offered(fob, line + "gi") == ["plain,git"]


async def test_numbers_of_grants_with_what_they_are_for(fob: FobProgram, phone: FakePhone) -> None:
    phone.grants = [Grant(3, 60, "log in"), Grant(14, 60, "sign a git commit")]
    assert await offered(fob, "fob approvals revoke ") == ["plain,3", "plain,14"]
    assert await offered(fob, "fob approvals revoke ", "zsh") == [
        "plain", "3", "pixel: log in", "plain", "14", "pixel: sign a git commit",
    ]  # fmt: skip


async def test_other_shells_quote_for_themselves(fob: FobProgram, keys: None) -> None:
    assert "Ada's work" in await offered(fob, "fob keys show ", "zsh")


async def test_what_steers_a_terminal_is_not_offered(fob: FobProgram, phone: FakePhone, daemon: FakeDaemon) -> None:
    phone.grants = [Grant(3, 60, "log in\x1b[2J"), Grant(4, 60, "sign\nplain,rm")]
    daemon.add_phone("a\x1b[2Jb", FakePhone("Evil", "FOB-0002"))
    assert await offered(fob, "fob approvals revoke ") == []
    assert await offered(fob, "fob unpair ") == ["plain,pixel"]


async def test_new_commands_and_their_options(lonely_fob: FobProgram) -> None:
    assert await offered(lonely_fob, "fob mon") == ["plain,monitor"]
    assert await offered(lonely_fob, "fob git ") == ["plain,disable", "plain,enable", "plain,test"]
    assert "plain,--dry-run" in await offered(lonely_fob, "fob setup --")
    assert await offered(lonely_fob, "fob setup --without s") == ["plain,ssh", "plain,systemd", "plain,shell"]


@pytest.mark.parametrize("line", ["fob unpair ", "fob keys show ", "fob approvals revoke ", "fob git enable --key "])
async def test_without_a_daemon_nothing_is_offered(lonely_fob: FobProgram, line: str) -> None:
    assert await offered(lonely_fob, line) == []


async def test_a_daemon_that_hangs_holds_no_shell_up(lonely_fob: FobProgram) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(lonely_fob.control))
        silent.listen()
        async with asyncio.timeout(5):
            assert await offered(lonely_fob, "fob unpair ") == []


async def test_bash_takes_it(fob: FobProgram, keys: None, tmp_path: Path) -> None:
    """The real shell, with the script that `fob completion` prints."""
    check_program("bash")
    script = tmp_path / "completion"
    script.write_text((await fob("completion", "bash")).out)
    ask = (
        f". '{script}'; COMP_WORDS=(fob keys show g); COMP_CWORD=3; _fob_completion fob g show; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    fob.environment["PATH"] = f"{tmp_path}:{fob.variables()['PATH']}"
    (tmp_path / "fob").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fob_daemon.cli.main "$@"\n')
    (tmp_path / "fob").chmod(0o755)
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", ask, env=fob.variables(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await process.communicate()
    assert (out.decode(), err.decode()) == ("git\n", "")
