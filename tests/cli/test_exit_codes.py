"""How `fob` ends: every exit code, three lines for each error, nothing on standard output but data."""

import asyncio
import json
import os
import socket
import sys

import pytest

from cli.fob_program import FOB, FobProgram
from control.fake_daemon import URL, FakeDaemon
from control.fake_phone import PIN, FakePhone
from fob_protocol.pkcs11.ckr import Ckr

NEW = ("keys", "new", "--label", "mail", "--pin-file", "-")


async def test_0_ok(fob: FobProgram) -> None:
    assert (await fob("status")).code == 0


async def test_1_failed(fob: FobProgram, phone: FakePhone) -> None:
    ended = await fob(*NEW, stdin="0000\n")

    assert (ended.code, ended.out) == (1, "")
    assert ended.error == [
        "the key was not made",
        "the PIN is wrong (CKR_PIN_INCORRECT)",
        "fob status    (shows how many tries are left)",
    ]


@pytest.mark.parametrize(
    ("arguments", "what", "command"),
    [
        (("stauts",), "No such command 'stauts'.", "fob --help"),
        (("pair",), "Missing argument 'URL'.", "fob pair --help"),
        (("log", "-n", "x"), "Invalid value for '-n': 'x' is not a valid integer range.", "fob log --help"),
        (("keys", "new"), "Missing option '--label'.", "fob keys new --help"),
        (("status", "--pin", "1"), "No such option", "fob status --help"),
    ],
)
async def test_2_usage(lonely_fob: FobProgram, arguments: tuple[str, ...], what: str, command: str) -> None:
    ended = await lonely_fob(*arguments)

    assert (ended.code, ended.out) == (2, "")
    assert ended.error[0].startswith(what)
    assert ended.error[1].startswith("the usage is: fob ")
    assert ended.error[2] == command


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("keys", "new", "--label", "x" * 256), "'--label': it has to be a text of 1 to 255 octets in UTF-8"),
        (("keys", "new", "--label", "é" * 128), "'--label': it has to be a text of 1 to 255 octets in UTF-8"),
        (("keys", "new", "--label", ""), "'--label': it has to be a text of 1 to 255 octets in UTF-8"),
        (("keys", "new", "--label", "\x1b[2J"), "'--label': it has characters that cannot be shown"),
        (("keys", "new", "--label", "x", "--id", "0g"), "'--id': it has to be hexadecimal, two digits an octet"),
        (("keys", "new", "--label", "x", "--id", "00" * 256), "'--id': it has to be of 1 to 255 octets"),
        (("pair", URL, "--name", "x" * 65), "'--name': it has to be a text of 1 to 64 characters"),
        (("pair", ""), "'URL': it has to be a text of 1 to 512 characters"),
    ],
)
async def test_2_what_the_daemon_would_not_take(lonely_fob: FobProgram, arguments: tuple[str, ...], what: str) -> None:
    ended = await lonely_fob(*arguments)

    assert (ended.code, ended.error[0]) == (2, f"Invalid value for {what}")


async def test_the_longest_label(fob: FobProgram, phone: FakePhone) -> None:
    label = "é" * 127 + "e"

    assert (await fob("keys", "new", "--label", label, "--pin-file", "-", stdin=PIN.decode())).code == 0
    assert (await fob("keys", "show", label, "--json")).json["label"] == label


async def test_3_no_daemon(lonely_fob: FobProgram) -> None:
    ended = await lonely_fob("status")

    assert (ended.code, ended.out) == (3, "")
    assert ended.error == [
        "the daemon is not reachable",
        f"{lonely_fob.control}: No such file or directory",
        "systemctl --user start fobd    (or: fobd &)",
    ]


async def test_3_a_daemon_that_hangs_up(lonely_fob: FobProgram) -> None:
    server = await asyncio.start_unix_server(lambda reader, writer: writer.close(), lonely_fob.control)

    ended = await lonely_fob("status")

    assert ended.code == 3
    assert ended.error[1].endswith("it hung up; it serves its own user only, and a limited number of programs")
    server.close()


async def test_1_something_else_listens_there(lonely_fob: FobProgram) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        writer.close()

    server = await asyncio.start_unix_server(answer, lonely_fob.control)

    ended = await lonely_fob("status")

    assert ended.code == 1
    assert ended.error[0] == "the daemon's answer is not understood"
    server.close()


async def test_4_no_device(fob: FobProgram, daemon: FakeDaemon) -> None:
    ended = await fob(*NEW)

    assert (ended.code, ended.error) == (
        4,
        ["there is no device", "none is paired with this computer", "fob pair URL"],
    )


@pytest.mark.parametrize(
    ("refusal", "code", "why"),
    [
        (Ckr.DEVICE_REMOVED, 4, "the device is away (CKR_DEVICE_REMOVED)"),
        (Ckr.FUNCTION_REJECTED, 5, "the person said no on the phone (CKR_FUNCTION_REJECTED)"),
        (Ckr.FUNCTION_CANCELED, 6, "nobody answered on the phone in time (CKR_FUNCTION_CANCELED)"),
    ],
)
async def test_4_5_6_what_the_phone_answers(
    fob: FobProgram, phone: FakePhone, refusal: Ckr, code: int, why: str
) -> None:
    phone.refusal = refusal

    ended = await fob(*NEW, stdin=PIN.decode())

    assert (ended.code, ended.error[1]) == (code, why)
    assert ended.err.startswith("Waiting for 'pixel' to make a key of type ec:p256; look at it in case it asks ...\n")


async def test_7_nothing_to_do(fob: FobProgram, phone: FakePhone) -> None:
    ended = await fob("lock")

    assert (ended.code, ended.error) == (7, ["nothing was locked", "nothing is unlocked", "fob status"])


async def test_which_device(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    daemon.add_phone("nokia", FakePhone("Old token", "FOB-0002"))

    ended = await fob(*NEW, stdin=PIN.decode())

    assert ended.code == 2
    assert ended.error == ["which device?", "there are 'pixel', 'nokia'", "the same command with --device"]
    assert (await fob(*NEW, "--device", "nokia", stdin=PIN.decode())).code == 0


async def test_an_error_for_a_script(fob: FobProgram) -> None:
    ended = await fob("--json", "lock")

    assert (ended.code, ended.out) == (7, "")
    assert json.loads(ended.err) == {
        "error": {"what": "nothing was locked", "why": "nothing is unlocked", "next": "fob status", "exit_code": 7}
    }


async def test_no_command_shows_the_help(lonely_fob: FobProgram) -> None:
    ended = await lonely_fob()

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Usage: fob [OPTIONS] COMMAND [ARGS]...")
    assert (await lonely_fob("--help")).out == ended.err
    assert (await lonely_fob("--version")).out == "fob 0.1.0\n"


async def test_a_reader_that_has_seen_enough(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    read, write = os.pipe()
    os.close(read)
    process = await asyncio.create_subprocess_exec(
        *(*FOB, "status"),
        stdout=write,
        stderr=asyncio.subprocess.PIPE,
        env=fob.variables(),
    )
    os.close(write)

    _, err = await process.communicate()

    assert (process.returncode, err) == (1, b"")


async def test_ctrl_c(fob: FobProgram, daemon: FakeDaemon) -> None:
    process = await fob.start("log", "-f")
    assert await daemon.followers.get() == 1

    process.send_signal(2)
    out, err = await process.communicate()

    assert (process.returncode, out, err) == (130, b"", b"\ninterrupted\n")
    assert await daemon.followers.get() == 0


async def test_a_silent_daemon(lonely_fob: FobProgram) -> None:
    """Its backlog takes the connection and nobody answers; the time-out is shortened for the test."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(lonely_fob.control))
        listener.listen()
        code = "import fob_daemon.cli.client as c; c.READ_TIME = 0.1; import fob_daemon.cli.main as m; m.main()"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code, "status"), stderr=asyncio.subprocess.PIPE, env=lonely_fob.variables()
        )
        _, err = await process.communicate()

    assert process.returncode == 6
    assert err.splitlines()[0] == b"error: the daemon does not answer"
