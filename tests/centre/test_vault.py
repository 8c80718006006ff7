"""Keys are derived of masters as RFC 5869 says, and nobody reads a master (M9, M12)."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from fob_office.centre.boxes.errors import NotHeldError
from fob_office.centre.boxes.separation import NAMES, Purpose
from fob_office.centre.boxes.vault import SoftwareVault
from fob_protocol.cose.cbor import Value, encode
from support.required import SOFTHSM, library, program

RANDOM = random.Random(9).randbytes
MASTERS = {purpose: RANDOM(32) for purpose in Purpose}
CONTEXTS: list[tuple[Value, ...]] = [(), ("A-1",), ("A-1", 1), ("A-1", 24312), ("A" * 32, 1 << 40), (b"\0" * 32, None)]


def expanded(purpose: Purpose, context: tuple[Value, ...]) -> bytes:
    """By another implementation."""
    return HKDFExpand(SHA256(), 32, encode([NAMES[purpose], *context])).derive(MASTERS[purpose])


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("context", CONTEXTS)
def test_one_hmac_is_hkdf_expand(purpose: Purpose, context: tuple[Value, ...]) -> None:
    assert SoftwareVault(MASTERS).derive(purpose, *context) == expanded(purpose, context)


@pytest.mark.clause("M9")
def test_every_account_and_purpose_has_keys_of_its_own() -> None:
    vault = SoftwareVault(MASTERS)
    contexts = [(f"A-{number}", epoch) for number in range(50) for epoch in (24312, 24313)]
    assert len({vault.derive(purpose, *context) for purpose in Purpose for context in contexts}) == len(Purpose) * 100
    # Where one element ends and the next begins is part of it.
    assert vault.derive(Purpose.TOKEN, "A-1", "1") != vault.derive(Purpose.TOKEN, "A-11")


def test_a_vault_shows_nothing() -> None:
    vault = SoftwareVault({Purpose.TOKEN: MASTERS[Purpose.TOKEN]})
    assert repr(vault) == "SoftwareVault()"
    with pytest.raises(NotHeldError):
        vault.derive(Purpose.FUND, "A-1")


@pytest.mark.clause("M12")
def test_masters_in_a_pkcs11_module_derive_the_same_and_cannot_be_read(tmp_path: Path) -> None:
    """SoftHSM in a process of its own, which says what it was given and what it was refused."""
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    configuration = tmp_path / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    environment = {**os.environ, "SOFTHSM2_CONF": str(configuration)}
    begin = ["--init-token", "--free", "--label", "boxes", "--pin", "4711", "--so-pin", "0815"]
    subprocess.run([program("softhsm2-util"), *begin], env=environment, check=True, capture_output=True, timeout=60)
    held = {purpose: MASTERS[purpose] for purpose in (Purpose.TOKEN, Purpose.RECORD)}
    order = {
        "folder": str(tmp_path / "centre"),
        "library": str(library(SOFTHSM)),
        "token": "boxes",
        "pin": "4711",
        "masters": {purpose: secret.hex() for purpose, secret in held.items()},
    }
    told = subprocess.run(
        [sys.executable, str(Path(__file__).parents[1] / "support" / "softhsm_box.py")],
        env=environment,
        input=json.dumps(order),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (told.returncode, told.stderr) == (0, "")
    said = json.loads(told.stdout)
    assert said["admitted"] == {
        "same": True,
        "vault": "Pkcs11Vault()",
        "files": ["admission", "hardware.key", "identity", "index", "module"],
    }
    assert said["derived"] == {purpose: expanded(purpose, ("A-1", 1)).hex() for purpose in held}
    assert said["not held"] == "this box holds no fund master"
    assert said["shown"] == ["Pkcs11Vault()", f"ModulePlace({order['library']!r}, 'boxes', ...)"]
    assert said["refused"] == {
        "value": "AttributeSensitive",
        "make it extractable": "refused",
        "wrap": "refused",
        "another PIN": "the PKCS#11 module cannot be used: the PIN is not that of token 'boxes'",
        "another token": "the PKCS#11 module cannot be used: it has no token 'other'",
        "another box": "the PKCS#11 module cannot be used: NoSuchKey",
    }
    for octets in (path.read_bytes() for path in tokens.rglob("*") if path.is_file()):
        assert not any(secret in octets for secret in held.values())
