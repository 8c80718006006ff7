"""Java's SunPKCS11 provider, by keytool. A key without a certificate does not exist for a Java key store."""

from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest

from clients.certificates import certificate_on_phone
from support.live import Live, lines


@pytest.fixture(scope="module")
def certified(shared_phone: Live) -> Iterator[Live]:
    """The phone with a certificate for each of its two keys that Java can use."""
    with certificate_on_phone(shared_phone, "RSA-2048", "01"), certificate_on_phone(shared_phone, "P-256", "02"):
        yield shared_phone


def keytool(live: Live, *arguments: str, pin: str | None = None, check: bool = True) -> CompletedProcess[bytes]:
    """With the one token that the stock module has; `pin` is the phone's unless it is given."""
    (live.folder / "sunpkcs11.cfg").write_text(f"name = Fob\nlibrary = {live.module}\nslotListIndex = 0\n")
    (live.folder / "storepass").write_text(pin or live.scratch.user_pin)
    return live.run(
        "keytool", *arguments, "-keystore", "NONE", "-storetype", "PKCS11", "-storepass:file", "storepass",
        "-providerClass", "sun.security.pkcs11.SunPKCS11", "-providerArg", "sunpkcs11.cfg", check=check,
    )  # fmt: skip


@pytest.mark.clause("P9", "P13")
def test_keytool_lists_the_keys_with_their_certificates(certified: Live) -> None:
    with certified.crossing() as link:
        said = lines(keytool(certified, "-list").stdout)
    entries = {line.split(",")[0] for line in said if "PrivateKeyEntry" in line}
    assert entries == {"RSA-2048", "P-256"}
    assert link.round_trips == 1, "the login"


@pytest.mark.clause("P2", "P9")
@pytest.mark.parametrize(
    ("alias", "algorithm"), [("P-256", "SHA256withECDSA"), ("RSA-2048", "SHA256withRSA"), ("RSA-2048", "RSASSA-PSS")]
)
def test_java_signs_a_certificate_request(certified: Live, alias: str, algorithm: str) -> None:
    with certified.crossing() as link:
        request = keytool(certified, "-certreq", "-alias", alias, "-sigalg", algorithm).stdout
    assert link.round_trips == 2
    (certified.folder / "java.req").write_bytes(request)
    verified = certified.run("openssl", "req", "-in", "java.req", "-verify", "-noout")
    assert b"verify OK" in verified.stdout + verified.stderr


def test_java_leaves_the_pin_to_a_phone_with_a_pin_pad(certified: Live) -> None:
    """CKF_PROTECTED_AUTHENTICATION_PATH: it asks nobody, and sends no PIN even if it was given one."""
    assert keytool(certified, "-list", pin="not the PIN").stdout.count(b"PrivateKeyEntry") == 2
