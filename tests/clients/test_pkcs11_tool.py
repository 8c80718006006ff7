"""pkcs11-tool of OpenSC on a running phone and daemon, through the stock module."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.live import Live, over_both_links

# pkcs11-tool signs with the first key of all unless it is told an id.
KEYS = {"RSA-2048": "01", "P-256": "02", "Ed25519": "03"}
MESSAGE = b"The key that signs this never leaves the phone.\n"

# RSA-2048 with PKCS#1 v1.5: the request with its 19 octets of DigestInfo, and the login.
KILOBYTE = 1024
LONG_FILE = 100_000_000


@pytest.fixture(autouse=True)
def message(live: Live) -> Path:
    """What is signed."""
    path = live.folder / "message"
    path.write_bytes(MESSAGE)
    return path


@pytest.fixture
def generated(live: Live) -> Iterator[None]:
    """Deletes the keys 40 and 41 again."""
    yield
    for kind in ("privkey", "pubkey"):
        for key_id in ("40", "41"):
            live.pkcs11_tool("--delete-object", "--type", kind, "--id", key_id, check=False)


def verify(live: Live, key: str, digest: str, *options: str, message: str = "message") -> None:
    """OpenSSL, which knows nothing of the phone, is content with the signature."""
    verified = live.run(
        "openssl", "dgst", digest, "-verify", str(live.public_key(key)), *options, "-signature", "signature", message
    )
    assert verified.stdout == b"Verified OK\n"


@over_both_links("live")
@pytest.mark.clause("P8", "P9", "P13")
def test_listing_costs_nothing(live: Live) -> None:
    with live.crossing() as link:
        slots = live.pkcs11_tool("--list-slots", login=False).stdout.decode()
        mechanisms = live.pkcs11_tool("--list-mechanisms", login=False).stdout.decode()
        objects = live.pkcs11_tool("--list-objects", login=False).stdout.decode()
        public_keys = live.pkcs11_tool("--list-objects", "--type", "pubkey", login=False).stdout.decode()
        key = live.pkcs11_tool("--read-object", "--type", "pubkey", "--id", "02", login=False).stdout
    assert (link.round_trips, link.octets) == (0, 0)
    assert f"token label        : {live.label}\n" in slots
    assert "SHA256-RSA-PKCS, keySize={2048,4096}, hw, sign, verify\n" in mechanisms
    assert [label for label in KEYS if f"label:      {label}\n" in objects] == list(KEYS)
    assert (objects.count("Public Key Object"), "Private" in objects) == (3, False)
    assert public_keys.count("Public Key Object") == 3
    assert key.startswith(b"0Y0\x13"), "a SubjectPublicKeyInfo"


@over_both_links("live")
@pytest.mark.clause("P9")
def test_after_the_login_the_private_keys_show_and_only_the_login_crosses(live: Live) -> None:
    with live.crossing() as link:
        objects = live.pkcs11_tool("--list-objects").stdout.decode()
    assert link.round_trips == 1
    assert objects.count("Private Key Object") == 3
    assert objects.count("sensitive, always sensitive, never extractable, local") == 3
    assert live.pkcs11_tool("--list-objects", "--type", "privkey").stdout.count(b"Private Key Object") == 3


@over_both_links("live")
@pytest.mark.clause("P2", "P9")
@pytest.mark.parametrize(
    ("key", "mechanism", "options", "digest"),
    [
        ("RSA-2048", "SHA256-RSA-PKCS", (), "-sha256"),
        ("RSA-2048", "SHA512-RSA-PKCS", (), "-sha512"),
        ("P-256", "ECDSA-SHA1", ("--signature-format", "openssl"), "-sha1"),
    ],
)
def test_a_signature_is_one_login_and_one_round_trip(
    live: Live, key: str, mechanism: str, options: tuple[str, ...], digest: str
) -> None:
    with live.crossing() as link:
        live.pkcs11_tool(
            "--sign", "--mechanism", mechanism, "--id", KEYS[key], "--input-file", "message",
            "--output-file", "signature", *options,
        )  # fmt: skip
    assert link.round_trips == 2
    verify(live, key, digest)


def test_pss_over_a_digest(live: Live) -> None:
    (live.folder / "digest").write_bytes(hashlib.sha256(MESSAGE).digest())
    with live.crossing() as link:
        live.pkcs11_tool(
            "--sign", "--mechanism", "RSA-PKCS-PSS", "--hash-algorithm", "SHA256", "--id", "01",
            "--input-file", "digest", "--output-file", "signature",
        )  # fmt: skip
    assert link.round_trips == 2
    verify(live, "RSA-2048", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32")


def test_ecdsa_over_a_digest(live: Live) -> None:
    (live.folder / "digest").write_bytes(hashlib.sha256(MESSAGE).digest())
    with live.crossing() as link:
        live.pkcs11_tool(
            "--sign", "--mechanism", "ECDSA", "--signature-format", "openssl", "--id", "02",
            "--input-file", "digest", "--output-file", "signature",
        )  # fmt: skip
    assert link.round_trips == 2
    verify(live, "P-256", "-sha256")


@pytest.mark.clause("P2", "P9")
def test_a_public_key_of_the_phone_verifies_on_the_pc(live: Live) -> None:
    arguments = ("--mechanism", "SHA256-RSA-PKCS", "--id", "01", "--input-file", "message")
    live.pkcs11_tool("--sign", *arguments, "--output-file", "signature")
    (live.folder / "forged").write_bytes(bytes(256))
    with live.crossing() as link:
        good = live.pkcs11_tool("--verify", *arguments, "--signature-file", "signature", login=False)
        forged = live.pkcs11_tool("--verify", *arguments, "--signature-file", "forged", login=False)
    assert b"Signature is valid" in good.stdout
    assert b"Invalid signature" in forged.stdout
    assert link.octets == 0


@over_both_links("live")
@pytest.mark.clause("P9")
def test_a_file_of_100_megabytes_stays_on_the_pc(live: Live) -> None:
    long_file = live.folder / "long"
    with long_file.open("wb") as file:
        file.truncate(LONG_FILE)
    try:
        with live.crossing() as link:
            live.pkcs11_tool(
                "--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", "01", "--input-file", "long",
                "--output-file", "signature",
            )  # fmt: skip
        assert link.round_trips == 2
        assert link.octets_sent < KILOBYTE
        verify(live, "RSA-2048", "-sha256", message="long")
    finally:
        long_file.unlink()


@over_both_links("live")
@pytest.mark.clause("P2", "P9")
@pytest.mark.parametrize("padding", ["pkcs1", "oaep"])
def test_decryption_is_one_round_trip(live: Live, padding: str) -> None:
    options = ["-pkeyopt", f"rsa_padding_mode:{padding}"]
    mechanism = ["RSA-PKCS"]
    if padding == "oaep":
        options += ["-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256"]
        mechanism = ["RSA-PKCS-OAEP", "--hash-algorithm", "SHA256", "--mgf", "MGF1-SHA256"]
    live.run(
        "openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey", str(live.public_key("RSA-2048")), "-in", "message",
        "-out", "secret", *options,
    )  # fmt: skip
    with live.crossing() as link:
        live.pkcs11_tool(
            "--decrypt", "--mechanism", *mechanism, "--id", "01", "--input-file", "secret",
            "--output-file", "plain",
        )  # fmt: skip
    assert link.round_trips == 2
    assert (live.folder / "plain").read_bytes() == MESSAGE


@pytest.mark.clause("P2")
@pytest.mark.usefixtures("generated")
@pytest.mark.parametrize(
    ("kind", "key_id", "name"), [("rsa:2048", "40", "RSA 2048 bits"), ("EC:secp384r1", "41", "EC_POINT 384 bits")]
)
def test_key_pairs_are_made_used_and_deleted(live: Live, kind: str, key_id: str, name: str) -> None:
    with live.crossing() as link:
        said = live.pkcs11_tool("--keypairgen", "--key-type", kind, "--id", key_id, "--label", f"made {key_id}").stdout
    assert link.round_trips == 2
    assert b"Key pair generated" in said
    assert name.encode() in said
    (live.folder / "digest").write_bytes(hashlib.sha256(MESSAGE).digest())
    mechanism = "RSA-PKCS" if kind.startswith("rsa") else "ECDSA"
    live.pkcs11_tool(
        "--sign", "--mechanism", mechanism, "--id", key_id, "--input-file", "digest", "--output-file", "signature"
    )
    live.pkcs11_tool("--delete-object", "--type", "privkey", "--id", key_id)
    live.pkcs11_tool("--delete-object", "--type", "pubkey", "--id", key_id)
    assert f"made {key_id}".encode() not in live.pkcs11_tool("--list-objects").stdout


def test_data_objects_come_back(live: Live) -> None:
    live.pkcs11_tool("--write-object", "message", "--type", "data", "--label", "note", "--private")
    try:
        assert live.pkcs11_tool("--read-object", "--type", "data", "--label", "note").stdout == MESSAGE
        assert live.pkcs11_tool(
            "--read-object", "--type", "data", "--label", "note", login=False, check=False
        ).returncode, "it is private"
    finally:
        live.pkcs11_tool("--delete-object", "--type", "data", "--label", "note")


@pytest.mark.clause("P2", "P8")
def test_its_own_tests_end_without_errors(live: Live) -> None:
    with live.crossing() as link:
        said = live.pkcs11_tool("--test")
    assert said.stdout.endswith(b"No errors\n")
    assert b"all 4 signature functions seem to work" in said.stdout
    assert b"ERR" not in said.stdout
    assert link.round_trips == 15, "the login, 3 random numbers, 8 signatures and 3 decryptions"


def test_a_key_that_the_stock_module_cannot_use_is_refused_in_words(live: Live) -> None:
    said = live.pkcs11_tool("--sign", "--mechanism", "EDDSA", "--id", "03", "--input-file", "message", check=False)
    assert said.returncode == 1
    assert b"CKR_MECHANISM_INVALID" in said.stderr


def test_the_pin_does_not_show_in_the_daemons_words(live: Live) -> None:
    live.pkcs11_tool("--list-objects")
    for name in ("fobd.log", "phone.log"):
        assert live.scratch.user_pin not in (live.folder / name).read_text()
