"""`fob log`: who used which key; followed, nothing is missed and nothing comes twice."""

import json
from dataclasses import replace

import pytest

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon, log_entry
from fob_daemon.control.interface import LogEntry
from fob_daemon.control.log_purpose import LogPurpose


async def test_the_log_for_a_person(fob: FobProgram, daemon: FakeDaemon) -> None:
    daemon.entries = [log_entry(1), log_entry(2, "FUNCTION_REJECTED")]

    assert (await fob("log")).out == (
        "2027-01-15 08:00:01  ssh <- git        log in to github.com      mail              pixel         OK  12 ms\n"
        "2027-01-15 08:00:02  ssh <- git        log in to github.com      mail              pixel         "
        "FUNCTION_REJECTED  12 ms\n"
    )
    assert len((await fob("log", "-n", "1")).out.splitlines()) == 1


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (log_entry(1), "log in to github.com"),
        (replace(log_entry(1), host=""), "log in by ssh"),
        (replace(log_entry(1), forwarded=True), "log in to github.com from another machine"),
        (replace(log_entry(1), purpose=LogPurpose.SIGNATURE, namespace="git"), "sign for git"),
        (replace(log_entry(1), purpose=LogPurpose.TLS_CLIENT), "log in by TLS"),
        (replace(log_entry(1), purpose=LogPurpose.UNKNOWN), "sign"),
        (replace(log_entry(1), operation="decrypt", purpose=LogPurpose.UNKNOWN), "decrypt"),
    ],
)
async def test_what_was_done_in_words(fob: FobProgram, daemon: FakeDaemon, entry: LogEntry, words: str) -> None:
    daemon.entries = [entry]
    assert f"  ssh <- git        {words:<24}  mail " in (await fob("log")).out


async def test_an_empty_log(fob: FobProgram) -> None:
    ended = await fob("log")
    assert (ended.code, ended.out, ended.err) == (0, "", "Nothing has used a key since the daemon started.\n")
    assert (await fob("log", "--json")).json == {"entries": []}


async def test_following_for_a_script(fob: FobProgram, daemon: FakeDaemon) -> None:
    daemon.entries = [log_entry(1), log_entry(2)]
    process = await fob.start("--json", "log", "-f", "-n", "1")
    assert process.stdout is not None

    assert json.loads(await process.stdout.readline())["sequence"] == 2
    # A repetition of what was shown, as when it happens between the two requests.
    for queue in daemon.queues:
        queue.put(log_entry(2))
    daemon.announce(log_entry(3))

    assert json.loads(await process.stdout.readline())["sequence"] == 3
    process.terminate()
    await process.communicate()


async def test_none_at_all(fob: FobProgram, daemon: FakeDaemon) -> None:
    """Who asks for no entries is not told that there are none."""
    daemon.entries = [log_entry(1)]
    ended = await fob("log", "-n", "0")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
