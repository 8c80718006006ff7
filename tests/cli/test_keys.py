"""`fob keys`, `fob unlock`, `fob lock`: made, listed, shown in every form, deleted; and where the PIN comes from."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from cli.fob_program import FOB, FobProgram
from control.fake_daemon import FakeDaemon
from control.fake_phone import PIN, FakePhone
from fob_daemon.control.interface import Ask
from fob_daemon.p11_kit import find_client
from fob_protocol.pkcs11.cka import Cka
from support.required import check_program

NEW = ("keys", "new", "--label", "mail", "--id", "01", "--pin-file", "-")

# Runs a program on a terminal of its own.
ON_A_TERMINAL = (
    sys.executable,
    "-c",
    "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))",
)


async def made(fob: FobProgram, *changes: str) -> None:
    ended = await fob(*NEW, *changes, stdin=PIN.decode())
    assert ended.code == 0, ended.err


def said_by(*command: str | Path) -> str:
    check_program(str(command[0]))
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


async def test_a_new_key(fob: FobProgram, phone: FakePhone) -> None:
    ended = await fob(*NEW, stdin=f"{PIN.decode()}\n")

    assert (ended.code, phone.logins) == (0, [PIN])
    assert ended.out == (
        "label   mail\n"
        "id      01\n"
        "type    ec:p256\n"
        "device  pixel\n"
        "uri     pkcs11:token=Ada's%20token;serial=FOB-0001;id=%01;object=mail;type=private\n"
    )
    assert (await fob("keys", "list")).out == (
        "LABEL  ID  TYPE     DEVICE  URI\n"
        "mail   01  ec:p256  pixel   pkcs11:token=Ada's%20token;serial=FOB-0001;id=%01;object=mail;type=private\n"
    )


async def test_each_form_of_a_key(fob: FobProgram, phone: FakePhone, tmp_path: Path) -> None:
    await made(fob, "--type", "ed25519")

    by_label, by_id = await fob("keys", "show", "mail", "--json"), await fob("--json", "keys", "show", "01")
    assert by_label.json == by_id.json
    assert (await fob("keys", "show", "mail", "--ssh")).out == by_id.json["ssh"] + "\n"
    assert (await fob("keys", "show", "mail", "--pem")).out == by_id.json["pem"]
    assert (await fob("keys", "show", "mail", "--p11-uri")).out == by_id.json["uri"] + "\n"
    for_people = (await fob("keys", "show", "mail")).out
    assert "  CKA_VERIFY     True\n" in for_people
    assert for_people.endswith("-----END PUBLIC KEY-----\n")


async def test_openssh_and_openssl_read_what_is_shown(fob: FobProgram, phone: FakePhone, tmp_path: Path) -> None:
    await made(fob, "--type", "rsa:2048")
    (tmp_path / "key.pub").write_text((await fob("keys", "show", "mail", "--ssh")).out)
    (tmp_path / "key.pem").write_text((await fob("keys", "show", "mail", "--pem")).out)

    fingerprint = said_by("ssh-keygen", "-l", "-f", tmp_path / "key.pub").split()
    text = said_by("openssl", "pkey", "-pubin", "-in", tmp_path / "key.pem", "-noout", "-text")

    assert (fingerprint[0], fingerprint[-2:]) == ("2048", ["mail", "(RSA)"])
    assert text.startswith("Public-Key: (2048 bit)")


async def test_no_keys_and_no_such_key(fob: FobProgram, phone: FakePhone) -> None:
    ended = await fob("keys", "list")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "There are no keys.    try: fob keys new --type ec:p256 --label NAME\n"

    ended = await fob("keys", "show", "mail")
    assert (ended.code, ended.error) == (1, ["no key is called 'mail'", "there are no keys", "fob keys list"])


async def test_two_keys_of_one_label(fob: FobProgram, phone: FakePhone) -> None:
    await made(fob)
    await made(fob, "--id", "02")

    ended = await fob("keys", "show", "mail")

    assert (ended.code, ended.error[0], ended.error[1]) == (
        2,
        "which 'mail'?",
        "there are 01 on 'pixel', 02 on 'pixel'",
    )
    assert (await fob("keys", "show", "02", "--json")).json["id"] == "02"


async def test_a_key_that_another_program_made_without_an_id(fob: FobProgram, phone: FakePhone, tmp_path: Path) -> None:
    await made(fob)
    await made(fob, "--label", "work", "--id", "02")
    for attributes in phone.objects.values():
        attributes[Cka.ID] = b""

    assert [key["label"] for key in (await fob("keys", "list", "--json")).json["keys"]] == ["mail", "work"]
    ended = await fob("keys", "show", "work")
    assert (ended.code, ended.error) == (
        1,
        [
            "'work' has no id",
            "the program that made it gave it no CKA_ID, and key commands go by that",
            f"P11_KIT_SERVER_ADDRESS=unix:path={tmp_path}/provider.sock pkcs11-tool --module {find_client()} "
            "--token-label 'Ada'\"'\"'s token' --login --label work --set-id HEX --type privkey"
            "    (and again with --type pubkey)",
        ],
    )


async def test_deleting_asks_first(fob: FobProgram, phone: FakePhone) -> None:
    await made(fob)

    ended = await fob("keys", "delete", "mail", "--pin-file", "-", stdin="n\n")
    assert (ended.code, len(phone.objects)) == (7, 2)
    assert ended.err.startswith("Delete 'mail' (01, ec:p256) for good? [y/n]: ")

    ended = await fob("keys", "delete", "mail")
    assert (ended.code, len(phone.objects)) == (2, 2)
    assert ended.error[0] == "nothing was deleted"
    assert ended.error[1].startswith("nobody answered")
    assert ended.error[2] == "fob keys delete 01 --yes"

    ended = await fob("keys", "delete", "mail", "--yes", "--pin-file", "-", stdin=PIN.decode())
    assert (ended.code, phone.objects) == (0, {})


async def test_unlocked_no_pin_is_asked_for(fob: FobProgram, phone: FakePhone, tmp_path: Path) -> None:
    pin_file = tmp_path / "pin"
    pin_file.write_bytes(PIN + b"\n")

    unlocked = await fob("unlock", "--pin-file", str(pin_file))
    assert (unlocked.code, unlocked.out) == (0, "")
    assert unlocked.err.splitlines()[-1] == "Unlocked, for ssh and git too.    to end it: fob lock"
    assert (await fob("keys", "new", "--label", "mail")).code == 0
    assert (await fob("unlock")).code == 7
    ended = await fob("lock")
    assert (ended.code, ended.err) == (0, "Locked: pixel.\n")
    assert phone.logins == [PIN]


async def test_without_a_terminal_a_missing_pin_is_an_error(fob: FobProgram, phone: FakePhone) -> None:
    ended = await fob("unlock")

    assert (ended.code, phone.logins) == (2, [])
    assert ended.error == [
        "'pixel' needs its PIN",
        "it has no PIN pad of its own, and no PIN was given",
        "the same command with --pin-file FILE",
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file or directory"),
        (b"\n4711\n", "its first line is empty"),
        (b"\xff\xfe", "it is no text"),
        (b"1" * 256, "its first line has more than 255 octets"),
    ],
)
async def test_a_pin_file_that_holds_none(
    fob: FobProgram, phone: FakePhone, tmp_path: Path, content: bytes | None, why: str
) -> None:
    pin_file = tmp_path / "pin"
    if content is not None:
        pin_file.write_bytes(content)

    ended = await fob("unlock", "--pin-file", str(pin_file))

    assert (ended.code, ended.error[1]) == (2, f"{pin_file}: {why}")


async def test_on_a_terminal_the_pin_is_asked_for_and_not_shown(fob: FobProgram, phone: FakePhone) -> None:
    process = await fob.start(*FOB, "unlock", program=ON_A_TERMINAL)
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(20):
        await process.stdout.readuntil(b"PIN of 'pixel': ")
        process.stdin.write(PIN + b"\n")
        rest, _ = await process.communicate()

    assert (process.returncode, phone.logins) == (0, [PIN])
    assert PIN not in rest
    assert b"Unlocked, " in rest


@pytest.mark.parametrize("typed", [b"\n", b"\x04"])
async def test_on_a_terminal_nothing_is_typed(fob: FobProgram, phone: FakePhone, typed: bytes) -> None:
    fob.environment["NO_COLOR"] = "1"
    process = await fob.start(*FOB, "unlock", program=ON_A_TERMINAL)
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(20):
        await process.stdout.readuntil(b"PIN of 'pixel': ")
        process.stdin.write(typed)
        rest, _ = await process.communicate()

    assert (process.returncode, phone.logins) == (2, [])
    assert rest.splitlines()[-3:] == [
        b"error: the PIN was not read",
        b"why:   nothing was typed",
        b"try:   the same command again",
    ]


async def test_the_phone_s_words_are_shown_while_it_asks(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    phone.has_pin_pad = True
    phone.approval.clear()
    process = await fob.start("keys", "new", "--label", "mail")
    assert process.stderr is not None
    assert await daemon.followers.get() == 1

    daemon.announce(Ask("nokia", "another phone's question", 30))
    daemon.announce(Ask("pixel", "Make a key 'mail'?", 30))

    narrated = await process.stderr.readuntil(b"(30 s)\n")
    phone.approval.set()
    out, _ = await process.communicate()
    assert narrated.decode().splitlines() == [
        "Waiting for 'pixel' to make a key of type ec:p256; look at it in case it asks ...",
        "Look at your phone: Make a key 'mail'? (30 s)",
    ]
    assert process.returncode == 0
    assert out.startswith(b"label   mail\n")
