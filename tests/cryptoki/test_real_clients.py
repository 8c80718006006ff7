"""Stock programs through the stock module and the provider socket, with a real token behind a counted link."""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cryptoki.desk import SLOT, Desk
from fob_daemon.device.slot import open_slot
from fob_daemon.rpc.server import ProviderServer
from support.loopback_link import LoopbackLink
from support.stock_client import module, run, started
from support.token_bench import USER_PIN


class Shell:
    """Runs clients against the desk's engine."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk = desk
        self.folder = folder
        self.socket = folder / "provider"

    async def run(self, *command: str) -> str:
        """What a client said; it must succeed."""
        status, said = await run(self.socket, *command)
        assert status == 0, f"{command} ended with {status}:\n{said}"
        return said

    async def tool(self, *options: str, login: bool = True) -> str:
        """pkcs11-tool."""
        pin = ("--login", "--pin", USER_PIN.decode()) if login else ()
        return await self.run("pkcs11-tool", "--module", module(), *pin, *options)


@pytest.fixture
async def shell(desk: Desk, tmp_path: Path) -> AsyncIterator[Shell]:
    """A provider socket in front of the engine."""
    server = ProviderServer(
        lambda peer: desk.engine.open_application(peer.program), allowed_uids=frozenset({os.getuid()})
    )
    found = Shell(desk, tmp_path)
    await server.listen(found.socket)
    yield found
    await server.close()


@pytest.mark.clause("P1", "P8", "P9", "P13")
async def test_listing_costs_nothing(shell: Shell) -> None:
    with shell.desk.crossing():
        assert "bench" in await shell.tool("-L", login=False)
        assert "ECDSA" in await shell.tool("-M", login=False)
        assert (await shell.tool("-O", login=False)).count("Public Key Object") == 3
    with shell.desk.crossing(C_LOGIN=1):
        assert (await shell.tool("-O")).count("Private Key Object") >= 2


@pytest.mark.clause("P2", "P3", "P9")
async def test_pkcs11_tool_signs_with_two_round_trips_and_openssl_verifies(shell: Shell) -> None:
    (shell.folder / "data").write_bytes(os.urandom(3_000_000))
    key = ("--id", b"rsa".hex(), "-m", "SHA256-RSA-PKCS", "-i", "data")
    with shell.desk.crossing(C_LOGIN=1, C_SIGN=1):
        await shell.tool("--sign", *key, "-o", "signature")
    with shell.desk.crossing():
        said = await shell.tool("--verify", *key, "--signature-file", "signature", login=False)
        assert "Signature is valid" in said
        await shell.tool("--read-object", "--type", "pubkey", "--id", b"rsa".hex(), "-o", "public.der", login=False)
    await shell.run(
        *("openssl", "dgst", "-sha256", "-verify", "public.der", "-keyform", "DER"),
        *("-signature", "signature", "data"),
    )


async def test_pkcs11_tool_generates_decrypts_writes_and_deletes(shell: Shell) -> None:
    with shell.desk.crossing(C_LOGIN=1, C_GENKEYPAIR=1):
        await shell.tool("--keypairgen", "--key-type", "rsa:2048", "--id", "aa", "--label", "made")
    (shell.folder / "plain").write_bytes(b"attack at dawn")
    with shell.desk.crossing():
        await shell.tool("--read-object", "--type", "pubkey", "--id", "aa", "-o", "public.der", login=False)
    await shell.run(
        *("openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey", "public.der", "-keyform", "DER"),
        *("-in", "plain", "-out", "cipher"),
    )
    with shell.desk.crossing(C_LOGIN=1, C_DECRYPT=1):
        await shell.tool("--decrypt", "--id", "aa", "-m", "RSA-PKCS", "-i", "cipher", "-o", "back")
    assert (shell.folder / "back").read_bytes() == b"attack at dawn"
    with shell.desk.crossing(C_LOGIN=1, C_CREATEOBJECT=1):
        await shell.tool("--write-object", "plain", "--type", "data", "--label", "note")
    with shell.desk.crossing(C_LOGIN=2, C_DESTROYOBJECT=2):
        await shell.tool("--delete-object", "--type", "privkey", "--id", "aa")
        await shell.tool("--delete-object", "--type", "pubkey", "--id", "aa")
    assert "made" not in await shell.tool("-O")


async def test_pkcs11_tool_is_content(shell: Shell) -> None:
    said = await shell.tool("--test")
    assert "No errors" in said, said
    assert "all 4 signature functions seem to work" in said, "which it looks at where there is CKF_HW"


async def test_p11tool_lists_everything(shell: Shell) -> None:
    with shell.desk.crossing():
        said = await shell.run("p11tool", "--provider", module(), "--list-all")
    assert "Type: Public key" in said


@pytest.mark.clause("P9")
async def test_ssh_keygen_reads_the_keys_without_the_phone(shell: Shell) -> None:
    with shell.desk.crossing():
        said = await shell.run("ssh-keygen", "-D", module())
    assert said.count("ssh-rsa") == 1
    assert said.count("ecdsa-sha2-nistp256") == 1


SIGN_TWICE = """
import sys, PyKCS11
library = PyKCS11.PyKCS11Lib()
library.load(sys.argv[1])
session = library.openSession(library.getSlotList(tokenPresent=True)[0], PyKCS11.CKF_SERIAL_SESSION)
session.login(sys.argv[2])
(key,) = session.findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY), (PyKCS11.CKA_ID, b"ec")])
for number in range(3):
    print(len(session.sign(key, bytes(32), PyKCS11.Mechanism(PyKCS11.CKM_ECDSA))))
"""


@pytest.mark.clause("P9")
async def test_a_client_that_asks_for_lengths_still_costs_one_each(shell: Shell) -> None:
    """PyKCS11 calls C_Sign twice: for the length, then for the signature."""
    with shell.desk.crossing(C_LOGIN=1, C_SIGN=3):
        said = await shell.run(sys.executable, "-c", SIGN_TWICE, module(), USER_PIN.decode())
    assert said.split() == ["64"] * 3


WAIT_FOR_A_SLOT = """
import sys, PyKCS11
library = PyKCS11.PyKCS11Lib()
library.load(sys.argv[1])
print(library.getSlotList(), flush=True)
try:
    library.waitForSlotEvent(PyKCS11.CKF_DONT_BLOCK)
except PyKCS11.PyKCS11Error as error:
    print(error, flush=True)
slot = library.waitForSlotEvent()
print(slot, library.getSlotInfo(slot).slotDescription.strip(), library.getSlotList(), flush=True)
"""


async def test_a_program_that_waits_hears_of_a_phone_that_is_paired_meanwhile(shell: Shell) -> None:
    async with started(shell.socket, sys.executable, "-c", WAIT_FOR_A_SLOT, module()) as process:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"[%d]\n" % SLOT
        assert b"CKR_NO_EVENT" in await process.stdout.readline()
        second = open_slot(SLOT + 1, "second", LoopbackLink(shell.desk.bench.token, shell.desk.link.decider))
        shell.desk.engine.add_slot(second)
        assert await process.stdout.readline() == b"%d second [%d, %d]\n" % (SLOT + 1, SLOT, SLOT + 1)
        assert await process.wait() == 0
