"""Completion: what a shell is offered at once, and that it never waits for a daemon that is not there."""

import asyncio
import fcntl
import os
import pty
import select
import socket
import subprocess
import sys
import termios
from functools import partial
from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon
from control.fake_phone import PIN, FakePhone
from control.meter import make_meter
from fob_daemon.device.grants import Grant
from support.required import check_program

# On a machine that does other things an answer may come too late for a shell: one presses Tab again.
TABS = 3


async def offered(fob: FobProgram, line: str, shell: str = "bash") -> list[str]:
    """What completes a line, as `type,value`; fish and zsh say more."""
    words = line.split(" ")
    fob.environment |= {"_FOB_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    for _ in range(TABS):
        ended = await fob()
        assert (ended.code, ended.err) == (0, "")
        if ended.out.strip():
            break
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


async def test_ids_of_keys_once_one_begins_as_what_is_typed(fob: FobProgram, phone: FakePhone) -> None:
    for label, number in (("git", "a1b2"), ("abc", "a1ff"), ("mail", "77")):
        await fob("keys", "new", "--label", label, "--id", number, "--pin-file", "-", stdin=PIN.decode())
    assert set(await offered(fob, "fob keys show a1")) == {"plain,a1b2", "plain,a1ff"}
    assert set(await offered(fob, "fob git enable --key a")) == {"plain,a1b2", "plain,a1ff", "plain,abc"}
    assert "git, ec:p256 on pixel" in await offered(fob, "fob keys show a1b", "zsh")
    assert set(await offered(fob, "fob keys delete ")) == {"plain,git", "plain,abc", "plain,mail"}, "nothing is typed"


async def test_numbers_of_grants_with_what_they_are_for(fob: FobProgram, phone: FakePhone) -> None:
    phone.grants = [Grant(3, 60, "log in"), Grant(14, 60, "sign a git commit")]
    assert await offered(fob, "fob approvals revoke ") == ["plain,3", "plain,14"]
    assert await offered(fob, "fob approvals revoke ", "zsh") == [
        "plain", "3", "pixel: log in", "plain", "14", "pixel: sign a git commit",
    ]  # fmt: skip


async def test_servers_components_and_their_commands(fob: FobProgram, phone: FakePhone, daemon: FakeDaemon) -> None:
    make_meter(daemon.offices["pixel"])
    for line in ("fob office register ", "fob office entitled ", "fob office use --device pixel "):
        assert await offered(fob, line) == ["plain,post", "plain,bank"]
    assert await offered(fob, "fob options show ") == ["plain,rate", "plain,slogan"]
    assert await offered(fob, "fob options run XR") == ["plain,XRATE"]
    assert "Postage rates 1.2.0" in await offered(fob, "fob options show ", "zsh")


async def test_a_phone_without_a_back_office_offers_nothing(fob: FobProgram, phone: FakePhone) -> None:
    for line in ("fob office register ", "fob options show ", "fob options run "):
        assert await offered(fob, line) == []


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


# Prompts to wait for, and no questions about many possibilities.
RC = """
PS1='ready> '
PS2='more> '
bind 'set enable-bracketed-paste off'
bind 'set completion-query-items 0'
bind 'set page-completions off'
"""


@pytest.fixture
async def shell(fob: FobProgram, tmp_path: Path) -> list[str]:
    """The real shell's command, which reads the script that `fob completion` prints."""
    check_program("bash")
    script = tmp_path / "completion"
    script.write_text((await fob("completion", "bash")).out + RC)
    fob.environment["PATH"] = f"{tmp_path}:{fob.variables()['PATH']}"
    (tmp_path / "fob").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fob_daemon.cli.main "$@"\n')
    (tmp_path / "fob").chmod(0o755)
    return ["bash", "--noprofile", "--rcfile", str(script)]


async def test_bash_takes_it(fob: FobProgram, keys: None, shell: list[str]) -> None:
    ask = (
        f". '{shell[-1]}' 2>/dev/null; COMP_WORDS=(fob keys show g); COMP_CWORD=3; _fob_completion fob g show; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", ask, env=fob.variables(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await process.communicate()
    assert (out.decode(), err.decode()) == ("git\n", "")


# Where a quote, a substitution or an escape may be open.
TYPED = ('"$', '"', "'$", "$", "\\$", "", "'a'\"", '"a\\', "a\\", "a:", '"a:$', '"`', '"$(fob keys show ')


@pytest.mark.parametrize("label", ["$(touch pwned)", "`touch pwned`", "a\\b $(touch pwned)", "a:$(touch pwned)"])
async def test_a_label_is_never_run(
    fob: FobProgram, phone: FakePhone, shell: list[str], tmp_path: Path, label: str
) -> None:
    """Tab and Enter in an interactive bash."""
    await fob("keys", "new", "--label", label, "--pin-file", "-", stdin=PIN.decode())
    (tmp_path / "empty").mkdir()

    for typed in TYPED:
        await typing(shell, fob.variables(), tmp_path / "empty", f"fob keys show {typed}\t")

    assert list((tmp_path / "empty").iterdir()) == []


async def test_in_a_real_line_a_label_is_quoted_and_found(
    fob: FobProgram, keys: None, shell: list[str], tmp_path: Path
) -> None:
    assert "label   Ada's work" in await typing(shell, fob.variables(), tmp_path, "fob keys show Ad\t")
    assert "label   git" in await typing(shell, fob.variables(), tmp_path, 'fob keys show "gi\t')


async def test_within_quotes_only_what_needs_none(fob: FobProgram, keys: None) -> None:
    assert await offered(fob, 'fob keys show "') == ["plain,git"]
    assert await offered(fob, "fob keys show 'A") == []


async def test_nothing_where_bash_has_broken_the_word_apart(fob: FobProgram, keys: None) -> None:
    assert await offered(fob, "fob keys show --device a : g") == []


async def typing(shell: list[str], variables: dict[str, str], folder: Path, line: str) -> str:
    """What an interactive shell shows for a line and Enter, until it has done it or waits for a quote's end."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *shell, "-i", env=variables | {"TERM": "dumb"}, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True, preexec_fn=partial(fcntl.ioctl, theirs, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    try:
        return await asyncio.to_thread(_converse, ours, line)
    finally:
        os.close(ours)
        await process.wait()


def _converse(terminal: int, line: str) -> str:
    _read_until(terminal, b"ready> ")
    os.write(terminal, f"{line}\n".encode())
    return _read_until(terminal, b"\nready> ", b"\nmore> ").decode(errors="replace")


def _read_until(terminal: int, *ends: bytes) -> bytes:
    shown = b""
    while not shown.endswith(ends):
        assert select.select([terminal], [], [], 10)[0], shown
        shown += os.read(terminal, 4096)
    return shown
