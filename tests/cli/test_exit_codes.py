"""How `fob` ends: every exit code, three lines for each error, nothing on standard output but data."""

import asyncio
import errno
import json
import os
import re
import signal
import socket
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from cli.fob_program import FOB, FobProgram
from control.fake_daemon import URL, FakeDaemon
from control.fake_phone import PIN, FakePhone
from fob_daemon.cli.client import Client
from fob_daemon.cli.starting import start_command
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.interface import Ask, DeviceState
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
        "the same command again",
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
        (("keys", "new", "--label", " "), "'--label': it has only spaces, which cannot be seen"),
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
        start_command(os.environ),
    ]


@pytest.mark.parametrize(
    ("folder", "why", "command"),
    [
        ("file", "Not a directory", "fob doctor"),
        ("x" * 100, "AF_UNIX path too long", "fob doctor"),
        ("..", "Connection refused", start_command(os.environ)),
    ],
)
async def test_3_a_path_that_leads_nowhere(
    lonely_fob: FobProgram, tmp_path: Path, folder: str, why: str, command: str
) -> None:
    (tmp_path / "file").touch()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
    (tmp_path / "dead.sock").rename(tmp_path.parent / "control.sock")
    lonely_fob.control = tmp_path / folder / "control.sock"

    ended = await lonely_fob("status")

    assert (ended.code, ended.error[1:]) == (3, [f"{lonely_fob.control}: {why}", command])


def test_3_a_socket_of_another_user(tmp_path: Path) -> None:
    client = Client(tmp_path / "control.sock")
    with (
        patch("socket.socket.connect", side_effect=PermissionError(errno.EACCES, "Permission denied")),
        pytest.raises(ControlError) as caught,
    ):
        client.get("status")

    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert caught.value.why == f"{tmp_path}/control.sock: Permission denied"
    assert caught.value.next_command == "the same as the daemon's user, or with a daemon of your own: fobd &"


async def test_3_a_daemon_that_hangs_up(lonely_fob: FobProgram) -> None:
    server = await asyncio.start_unix_server(lambda reader, writer: writer.close(), lonely_fob.control)

    ended = await lonely_fob("status")

    assert ended.code == 3
    assert ended.error[1].endswith("it hung up: it has just ended, or it serves another user or too many programs")
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


async def test_1_an_answer_without_what_is_needed(lonely_fob: FobProgram) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_unix_server(answer, lonely_fob.control)

    ended = await lonely_fob("devices")

    assert (ended.code, ended.error[0], ended.error[2]) == (1, "fob could not go on", "fob doctor")
    assert re.fullmatch(r"a fault in this program: KeyError in context.py, line \d+", ended.error[1])
    server.close()


async def test_nobody_s_home(lonely_fob: FobProgram) -> None:
    """A user without an entry in the password file, in a bare environment."""
    code = "import os, fob_daemon.cli.main as m; os.getuid = lambda: 54321; m.main()"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, "status"), stderr=asyncio.subprocess.PIPE, env={"PATH": os.environ["PATH"]}
    )
    _, err = await process.communicate()

    assert process.returncode == 1
    assert err.decode().splitlines()[1] == "why:   this user has no home folder"


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


@pytest.mark.parametrize(
    "arguments",
    [("unpair", "nokia"), *((*command, "--device", "nokia") for command in (("unlock",), ("lock",), NEW))],
)
async def test_4_no_device_of_that_name(fob: FobProgram, phone: FakePhone, arguments: tuple[str, ...]) -> None:
    ended = await fob(*arguments, stdin=PIN.decode())

    assert (ended.code, ended.error) == (4, ["no device is called 'nokia'", "there are 'pixel'", "fob devices"])


async def test_4_the_phone_is_away(fob: FobProgram, phone: FakePhone) -> None:
    phone.is_away = True

    ended = await fob(*NEW, stdin=PIN.decode())

    assert (ended.code, ended.error) == (
        4,
        ["the key was not made", "the device is away (CKR_DEVICE_ERROR: the line ended)", "fob status"],
    )


@pytest.mark.parametrize("is_away", [True, False])
async def test_4_the_phone_is_not_connected_yet(
    fob: FobProgram, daemon: FakeDaemon, phone: FakePhone, is_away: bool
) -> None:
    daemon.change_device("pixel", DeviceState.CONNECTING, "")
    phone.is_away, phone.refusal = is_away, None if is_away else Ckr.TOKEN_NOT_PRESENT

    ended = await fob(*NEW, stdin=PIN.decode())

    name = "DEVICE_ERROR" if is_away else "TOKEN_NOT_PRESENT"
    assert (ended.code, ended.error) == (
        4,
        ["the key was not made", f"the device is not connected yet (CKR_{name})", "fob status    (in a moment)"],
    )


async def test_1_the_link_was_lost_on_the_way(fob: FobProgram, phone: FakePhone) -> None:
    phone.loses_link = True

    ended = await fob(*NEW, stdin=PIN.decode())

    assert (ended.code, ended.error[1:]) == (
        1,
        ["whether the device did it is not known (CKR_DEVICE_ERROR: the link was lost)", "fob keys list"],
    )


async def test_1_the_device_failed(fob: FobProgram, phone: FakePhone) -> None:
    phone.refusal = Ckr.DEVICE_ERROR

    ended = await fob(*NEW, stdin=PIN.decode())

    assert (ended.code, ended.error[1:]) == (1, ["the device failed (CKR_DEVICE_ERROR)", "the same command again"])


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


@pytest.mark.parametrize(
    "arguments",
    [("status",), ("--help",), ("keys", "new", "--help"), ("--version",), ("completion", "bash"), ("doctor", "--json")],
)
async def test_a_reader_that_has_seen_enough(fob: FobProgram, phone: FakePhone, arguments: tuple[str, ...]) -> None:
    assert await unread(fob, *FOB, *arguments) == (141, b"")


async def test_a_shell_that_does_not_read_what_completes(fob: FobProgram, phone: FakePhone) -> None:
    fob.environment |= {"_FOB_COMPLETE": "bash_complete", "COMP_WORDS": "fob unpair ", "COMP_CWORD": "2"}
    assert await unread(fob, *FOB) == (141, b"")


@pytest.mark.parametrize(("arguments", "code"), [((), 2), (("keys",), 2), (("no-such",), 2), (("status",), 141)])
async def test_nobody_reads_anything(fob: FobProgram, phone: FakePhone, arguments: tuple[str, ...], code: int) -> None:
    assert await unread(fob, "sh", "-c", '"$@" 2>&1', "sh", *FOB, *arguments) == (code, b"")


async def unread(fob: FobProgram, *command: str) -> tuple[int | None, bytes]:
    """The exit code with nobody at standard output, and what is said on standard error."""
    read, write = os.pipe()
    os.close(read)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=write, stderr=asyncio.subprocess.PIPE, env=fob.variables()
    )
    os.close(write)
    _, err = await process.communicate()
    return process.returncode, err


async def test_a_disk_that_is_full(fob: FobProgram, phone: FakePhone) -> None:
    for arguments in (("status",), ("--json", "status"), ("completion", "bash")):
        ended = await fob("-c", '"$@" >/dev/full', "sh", *FOB, *arguments, program=("sh",))

        assert ended.code == 1
        if "--json" not in arguments:
            assert ended.error == [
                "the output was not written",
                "standard output: No space left on device",
                "the same command again",
            ]


async def test_the_help_on_a_full_disk(lonely_fob: FobProgram) -> None:
    for arguments in (("--help",), ("keys", "new", "--help"), ("--version",)):
        ended = await lonely_fob("-c", '"$@" >/dev/full', "sh", *FOB, *arguments, program=("sh",))

        assert (ended.code, ended.error) == (
            1,
            [
                "the output was not written",
                "standard output: No space left on device",
                "the same command again",
            ],
        )


@pytest.mark.parametrize(
    "group", [(), ("keys",), ("p11",), ("ssh",), ("git",), ("approvals",), ("office",), ("options",)]
)
async def test_no_summary_is_cut(lonely_fob: FobProgram, group: tuple[str, ...]) -> None:
    found = (await lonely_fob(*group, "--help")).out.splitlines()[1:]

    assert found
    assert [line for line in found if line.endswith("...")] == []


async def test_standard_output_is_closed(fob: FobProgram) -> None:
    ended = await fob("-c", '"$@" >&-', "sh", *FOB, "status", program=("sh",))

    assert (ended.code, ended.error[:2]) == (1, ["the output was not written", "standard output: it is closed"])


@pytest.mark.parametrize("narration", ["2>/dev/full", "2>&-"])
async def test_narration_that_nobody_reads_stops_nothing(fob: FobProgram, phone: FakePhone, narration: str) -> None:
    ended = await fob("-c", f'"$@" {narration}', "sh", *FOB, *NEW, stdin=PIN.decode(), program=("sh",))

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("label   mail\n")


async def test_an_error_that_nobody_reads_still_has_its_exit_code(lonely_fob: FobProgram) -> None:
    ended = await lonely_fob("-c", '"$@" 2>/dev/full', "sh", *FOB, "status", program=("sh",))

    assert ended.code == 3


async def test_an_old_locale(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    fob.environment["PYTHONIOENCODING"] = "iso-8859-1"
    daemon.change_device("pixel", DeviceState.AWAY, "“quoted”")

    ended = await fob("status")

    assert ended.code == 0
    assert "?quoted?" in ended.out


async def test_ctrl_c_while_the_phone_asks(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    phone.has_pin_pad = True
    phone.approval.clear()
    process = await fob.start("keys", "new", "--label", "mail")
    assert process.stderr is not None
    assert await daemon.followers.get() == 1
    daemon.announce(Ask("pixel", "Make a key 'mail'?", 30))
    await process.stderr.readuntil(b"(30 s)\n")

    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()

    assert (process.returncode, out) == (130, b"")
    assert err.decode().splitlines() == [
        "",
        "error: interrupted",
        "why:   by Ctrl-C; a question on the phone is withdrawn",
        "try:   fob status",
    ]


async def test_ctrl_c_ends_the_log_without_words(fob: FobProgram, daemon: FakeDaemon) -> None:
    process = await fob.start("log", "-f")
    assert await daemon.followers.get() == 1

    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()

    assert (process.returncode, out, err) == (130, b"", b"")
    assert await daemon.followers.get() == 0


async def test_a_silent_daemon(lonely_fob: FobProgram) -> None:
    """Its backlog takes the connection and nobody answers; the time-out is shortened for the test."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(lonely_fob.control))
        listener.listen()
        code = (
            "import functools; import fob_daemon.cli.client as c; "
            "c.Client = functools.partial(c.Client, read_time=0.1); import fob_daemon.cli.main as m; m.main()"
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code, "status"), stderr=asyncio.subprocess.PIPE, env=lonely_fob.variables()
        )
        _, err = await process.communicate()

    assert process.returncode == 6
    assert err.splitlines()[0] == b"error: the daemon does not answer"
