"""`fob pair` as a conversation: what is said, what is asked, what an answer leads to."""

import asyncio

from cli.fob_program import FobProgram
from control.fake_daemon import URL, FakeDaemon
from fob_daemon.control.errors import ControlError, ExitCode

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
    "try:   fob p11 install    (for PKCS#11 programs)    fob ssh config    (for ssh and git)",
]


async def test_the_person_says_yes(fob: FobProgram, daemon: FakeDaemon) -> None:
    ended = await fob("pair", URL, "--name", "pixel", stdin="y\n")

    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines()[:5] == OPENING
    assert ended.err.splitlines()[5:] == ["Does the phone show the same code? [y/n]: " + PAIRED[0], *PAIRED[1:]]
    assert list(daemon.devices) == ["pixel"]


async def test_the_person_says_no(fob: FobProgram, daemon: FakeDaemon) -> None:
    ended = await fob("pair", URL, stdin="n\n")

    assert (ended.code, daemon.compared, daemon.devices) == (5, [False], {})
    assert ended.err.splitlines()[-2:] == ["why:   the codes were not equal", f"try:   fob pair {URL}"]


async def test_nobody_is_there_to_ask(fob: FobProgram, daemon: FakeDaemon) -> None:
    ended = await fob("pair", URL)

    assert (ended.code, daemon.compared) == (5, [False])
    assert ended.error[1] == "the codes were not equal"


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


async def test_ctrl_c_breaks_the_pairing_off(fob: FobProgram, daemon: FakeDaemon) -> None:
    process = await fob.start("pair", URL)
    assert process.stderr is not None
    await process.stderr.readuntil(b"[y/n]: ")

    process.kill()

    async with asyncio.timeout(5):
        await daemon.pairing_cancelled.wait()
    await process.communicate()
    assert daemon.devices == {}
