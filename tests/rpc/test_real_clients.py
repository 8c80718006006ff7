"""The stock module and the programs that load it, against the fake engine."""

import asyncio
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from rpc.conftest import Provider
from rpc.fake_application import PIN, ec_key
from support.stock_client import module, run


async def pkcs11_tool(provider: Provider, *options: str) -> tuple[int, str]:
    return await run(provider.path, "pkcs11-tool", "--module", module(), *options)


@pytest.mark.clause("P1", "P13")
async def test_pkcs11_tool_lists_slots_mechanisms_and_objects(provider: Provider) -> None:
    status, said = await pkcs11_tool(provider, "-L")
    assert (status, "Fake phone" in said) == (0, True), said
    status, said = await pkcs11_tool(provider, "-M")
    assert (status, "ECDSA, keySize={256,256}, hw, sign" in said) == (0, True), said
    status, said = await pkcs11_tool(provider, "-O")
    assert (status, said.count("Public Key Object"), "Private" in said) == (0, 2, False), said
    status, said = await pkcs11_tool(provider, "-O", "--login", "--pin", PIN.decode())
    assert (status, said.count("Private Key Object"), "Allowed mechanisms: RSA-PKCS,ECDSA" in said) == (0, 2, True), (
        said
    )


async def test_pkcs11_tool_is_told_about_a_wrong_pin(provider: Provider) -> None:
    status, said = await pkcs11_tool(provider, "-O", "--login", "--pin", "9999")
    assert status != 0
    assert "CKR_PIN_INCORRECT" in said
    assert "9999" not in repr(provider.peers)


@pytest.mark.clause("P2", "P3", "P8")
async def test_pkcs11_tool_signs(provider: Provider, tmp_path: Path) -> None:
    digest, signature = tmp_path / "digest", tmp_path / "signature"
    digest.write_bytes(bytes(range(32)))
    options = ("--login", "--pin", PIN.decode(), "--sign", "-m", "ECDSA", "--id", "02")
    status, said = await pkcs11_tool(provider, *options, "-i", str(digest), "-o", str(signature))
    assert status == 0, said
    r, s = (int.from_bytes(half, "big") for half in (signature.read_bytes()[:32], signature.read_bytes()[32:]))
    ec_key().public_key().verify(encode_dss_signature(r, s), digest.read_bytes(), ec.ECDSA(Prehashed(hashes.SHA256())))


async def test_p11tool_lists_everything(provider: Provider) -> None:
    status, said = await run(provider.path, "p11tool", "--provider", module(), "--list-all")
    assert status == 0, said
    assert "object=rsa;type=public" in said
    assert "EC/ECDSA-SECP256R1" in said


PYKCS11 = """
import sys
import PyKCS11
from PyKCS11 import *

library = PyKCS11Lib()
library.load(sys.argv[1])
(slot,) = library.getSlotList(tokenPresent=True)
session = library.openSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION)
assert session.findObjects([(CKA_CLASS, CKO_PRIVATE_KEY)]) == []
session.login("1234")
(key,) = session.findObjects([(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_KEY_TYPE, CKK_RSA)])
# PyKCS11 asks for the lengths first, then for the values.
modulus, label, private, key_type = session.getAttributeValue(key, [CKA_MODULUS, CKA_LABEL, CKA_PRIVATE, CKA_KEY_TYPE])
assert (len(modulus), label, private, key_type) == (256, "rsa", True, CKK_RSA)
assert session.getAttributeValue(key, [CKA_PRIVATE_EXPONENT, CKA_SUBJECT]) == [None, None]
number = int.from_bytes(bytes(modulus), "big")
signature = int.from_bytes(bytes(session.sign(key, b"to be signed", Mechanism(CKM_RSA_PKCS))), "big")
assert pow(signature, 65537, number).to_bytes(256, "big").endswith(b"\\xff\\x00to be signed")
assert bytes(session.digest(b"abc", Mechanism(CKM_SHA256))).hex().startswith("ba7816bf")
assert bytes(session.generateRandom(5)) == b"ZZZZZ"
try:
    session.seedRandom(b"seed")
except PyKCS11Error as error:
    assert error.value == CKR_RANDOM_SEED_NOT_SUPPORTED
session.logout()
session.closeSession()
print("done")
"""


async def test_pykcs11_reads_attributes_in_two_passes_and_signs(provider: Provider) -> None:
    status, said = await run(provider.path, sys.executable, "-c", PYKCS11, module())
    assert (status, said) == (0, "done\n"), said
    assert [application.closed for application in provider.applications] == [1]


async def test_programs_at_once(provider: Provider) -> None:
    """Each is an application of its own; one that is killed takes nothing with it."""
    answers = await asyncio.gather(*(pkcs11_tool(provider, "-O") for _ in range(4)))
    assert [(status, said.count("Public Key Object")) for status, said in answers] == [(0, 2)] * 4
    assert len(provider.applications) == 4
