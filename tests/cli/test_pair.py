"""`fob pair` as a conversation: what is said, what is asked, what an answer leads to."""

import asyncio
import signal

import pytest

from cli.fob_program import FOB, FobProgram
from control.fake_daemon import URL, FakeDaemon
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.interface import DeviceState
from fob_daemon.device.device import UNKNOWN

OPENING = [
    f"opening {URL}",
    "Look at your phone: Ada's phone, serial number FOB-0001",
    "    ┌───────────────┐",
    "    │   042   137   │",
    "    └───────────────┘",
]
PAIRED = [
    "look at your phone: confirm the code there too",
    "Paired. It is called 'pixel' here, in slot 1.",
    "try:   fob setup    (so that ssh, git and PKCS#11 programs find it)",
]


async def test_the_person_says_yes(fob: FobProgram, daemon: FakeDaemon) -> None:
    ended = await fob("pair", URL, "--name", "pixel", stdin="y\n")

    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines()[:5] == OPENING
    assert ended.err.splitlines()[5:] == ["Does the phone show the same code? [y/n]: " + PAIRED[0], *PAIRED[1:]]
    assert list(daemon.devices) == ["pixel"]


@pytest.mark.parametrize(
    ("state", "why", "words"),
    [
        (DeviceState.CONNECTING, "", "It is not here yet."),
        (DeviceState.CONNECTING, UNKNOWN, "It is not here yet: what is on it is not known yet."),
        (DeviceState.AWAY, "the line ended", "It is not here yet: the line ended."),
    ],
)
async def test_a_phone_that_is_paired_but_cannot_be_used_yet(
    fob: FobProgram, daemon: FakeDaemon, state: DeviceState, why: str, words: str
) -> None:
    daemon.paired_state, daemon.paired_why = state, why

    ended = await fob("pair", URL, "--name", "pixel", "--yes")

    assert (ended.code, ended.err.splitlines()[-3:]) == (0, [PAIRED[1], words, "try:   fob status"])


async def test_the_person_says_no(fob: FobProgram, daemon: FakeDaemon) -> None:
    ended = await fob("pair", URL, stdin="n\n")

    assert (ended.code, daemon.compared, daemon.devices) == (5, [False], {})
    assert ended.err.splitlines()[-2:] == ["why:   the codes were not equal", f"try:   fob pair {URL}"]


@pytest.mark.parametrize("stdin", ["", "perhaps\n", "perhaps\n" * 5, "y" * 100])
async def test_nobody_answers(fob: FobProgram, daemon: FakeDaemon, stdin: str) -> None:
    ended = await fob("pair", URL, stdin=stdin)

    # The daemon is told, so that the phone stops asking.
    assert (ended.code, ended.out, daemon.compared, daemon.devices) == (2, "", [False], {})
    assert ended.error == [
        "not paired",
        "nobody answered: there is no terminal, or standard input is at its end",
        f"fob pair '{URL}'    (in a terminal)",
    ]


async def test_standard_input_is_closed(fob: FobProgram, daemon: FakeDaemon) -> None:
    ended = await fob("-c", '"$@" <&-', "sh", *FOB, "pair", URL, program=("sh",))

    assert (ended.code, daemon.compared) == (2, [False])
    assert ended.error[1].startswith("nobody answered")


async def test_headless_and_for_a_script(fob: FobProgram, daemon: FakeDaemon) -> None:
    ended = await fob("--json", "pair", URL, "--name", "pixel", "--yes")

    assert ended.code == 0
    assert ended.json["name"] == "pixel"
    assert ended.err.splitlines() == [*OPENING, "Confirmed without a look (--yes).", PAIRED[0]]


async def test_the_device_refuses(fob: FobProgram, daemon: FakeDaemon) -> None:
    daemon.pairing_error = ControlError(
        "not paired", "pairing is closed on the device", "open it on the phone", ExitCode.REJECTED
    )

    ended = await fob("pair", URL)

    assert (ended.code, ended.out) == (5, "")
    assert ended.error == ["not paired", "pairing is closed on the device", "open it on the phone"]


async def test_ctrl_c_is_a_no(fob: FobProgram, daemon: FakeDaemon) -> None:
    process = await fob.start("pair", URL)
    assert process.stderr is not None
    await process.stderr.readuntil(b"[y/n]: ")

    process.send_signal(signal.SIGINT)
    await process.communicate()

    assert (process.returncode, daemon.compared, daemon.devices) == (130, [False], {})


async def test_a_fob_that_is_killed_breaks_the_pairing_off(fob: FobProgram, daemon: FakeDaemon) -> None:
    process = await fob.start("pair", URL)
    assert process.stderr is not None
    await process.stderr.readuntil(b"[y/n]: ")

    process.kill()

    async with asyncio.timeout(5):
        await daemon.pairing_cancelled.wait()
    await process.communicate()
    assert daemon.devices == {}


async def test_a_phone_that_disappears_withdraws_the_question(fob: FobProgram, daemon: FakeDaemon) -> None:
    process = await fob.start("pair", URL)
    assert process.stderr is not None
    await process.stderr.readuntil(b"[y/n]: ")

    daemon.phone_lost.set()
    # Nobody has typed anything, and standard input is open.
    async with asyncio.timeout(5):
        words = (await process.stderr.read()).decode()
        code = await process.wait()

    assert (code, daemon.compared, daemon.devices) == (4, [], {})
    assert words.splitlines() == [
        "withdrawn, no answer is needed",
        "error: not paired",
        "why:   the pairing was broken off: the line ended",
        f"try:   fob pair {URL}",
    ]


async def test_what_stands_behind_the_answer_is_left_to_others(fob: FobProgram) -> None:
    ended = await fob("-c", '"$@"; cat', "sh", *FOB, "pair", URL, program=("sh",), stdin="y\nnext\n")

    assert (ended.code, ended.out) == (0, "next\n")
