"""OpenSSL through its PKCS#11 engine (libp11), which finds the stock module by PKCS11_MODULE_PATH."""

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clients.certificates import self_signed
from clients.engine import ENGINE, openssl, private_uri
from support.live import Live

MESSAGE = b"Signed by the engine\n"
HANDSHAKE_TIME = 20


@pytest.fixture(autouse=True)
def message(live: Live) -> None:
    (live.folder / "message").write_bytes(MESSAGE)


@pytest.mark.clause("P8", "P9", "P13")
@pytest.mark.parametrize("label", ["RSA-2048", "P-256"])
@pytest.mark.parametrize("has_pin", [True, False], ids=["PIN in the URI", "PIN pad"])
def test_the_engine_signs(live: Live, label: str, has_pin: bool) -> None:
    """Beside these two there is an Ed25519 key, at which libp11 gives up when it meets it in a list."""
    key = private_uri(live, label, pin=live.scratch.user_pin if has_pin else None)
    with live.crossing() as link:
        openssl(live, "dgst", *ENGINE, "-sha256", "-sign", key, "-out", "signature", "message")
    assert link.round_trips == 2
    verified = openssl(
        live, "dgst", "-sha256", "-verify", str(live.public_key(label)), "-signature", "signature", "message"
    )
    assert verified.stdout == b"Verified OK\n"


def test_the_engine_signs_with_pss(live: Live) -> None:
    key, pss = private_uri(live, "RSA-2048", pin=live.scratch.user_pin), ("-sigopt", "rsa_padding_mode:pss")
    with live.crossing() as link:
        openssl(live, "dgst", *ENGINE, "-sha256", *pss, "-sign", key, "-out", "signature", "message")
    assert link.round_trips == 2
    verified = openssl(
        live, "dgst", "-sha256", *pss, "-verify", str(live.public_key("RSA-2048")), "-signature", "signature", "message"
    )
    assert verified.stdout == b"Verified OK\n"


@pytest.mark.clause("P9")
@pytest.mark.parametrize("padding", ["pkcs1", "oaep"])
def test_the_engine_decrypts(live: Live, padding: str) -> None:
    options = ("-pkeyopt", f"rsa_padding_mode:{padding}")
    public, private = str(live.public_key("RSA-2048")), private_uri(live, "RSA-2048", pin=live.scratch.user_pin)
    openssl(live, "pkeyutl", "-encrypt", "-pubin", "-inkey", public, "-in", "message", "-out", "secret", *options)
    with live.crossing() as link:
        plain = openssl(live, "pkeyutl", "-decrypt", *ENGINE, "-inkey", private, "-in", "secret", *options).stdout
    assert plain == MESSAGE
    assert link.round_trips == 2


@pytest.mark.clause("P9")
def test_the_engine_reads_a_public_key_without_the_phone(live: Live) -> None:
    key = f"pkcs11:token={live.label};object=P-256;type=public"
    with live.crossing() as link:
        read = openssl(live, "pkey", "-engine", "pkcs11", "-inform", "engine", "-pubin", "-in", key, "-pubout")
    assert read.stdout == live.public_key("P-256").read_bytes()
    assert link.octets == 0


def test_a_pin_in_the_uri_is_not_looked_at_by_a_phone_with_a_pad(live: Live) -> None:
    key = private_uri(live, "RSA-2048", pin="0000")
    with live.crossing() as link:
        openssl(live, "dgst", *ENGINE, "-sha256", "-sign", key, "-out", "signature", "message")
    assert link.round_trips == 2
    assert b"count low" not in live.pkcs11_tool("--list-slots", login=False).stdout


@pytest.mark.clause("P9")
@pytest.mark.parametrize("label", ["RSA-2048", "P-256"])
def test_a_tls_client_proves_who_it_is(live: Live, label: str) -> None:
    """A certificate made with the key, and a handshake that the phone signs once."""
    with live.crossing() as link:
        own = self_signed(live, label)
    assert link.round_trips == 2
    server = folder_of_server(live)
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:
        listening.settimeout(HANDSHAKE_TIME)
        seen = pool.submit(serve_one, listening, server, own)
        with live.crossing() as link:
            openssl(
                live, "s_client", "-connect", f"127.0.0.1:{listening.getsockname()[1]}", "-cert", str(own), *ENGINE,
                "-key", private_uri(live, label, pin=live.scratch.user_pin), "-CAfile", str(server),
                "-verify_return_error",
            )  # fmt: skip
        assert seen.result(HANDSHAKE_TIME) == ssl.PEM_cert_to_DER_cert(own.read_text())
    assert link.round_trips == 2


def folder_of_server(live: Live) -> Path:
    """A PEM file with an ordinary key and its certificate."""
    path = live.folder / "server.pem"
    key, cert = live.folder / "server.key", live.folder / "server.crt"
    openssl(
        live, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(key),
        "-out", str(cert), "-subj", "/CN=localhost",
    )  # fmt: skip
    path.write_bytes(key.read_bytes() + cert.read_bytes())
    return path


def serve_one(listening: socket.socket, server: Path, trusted: Path) -> bytes | None:
    """Accept one TLS client that has to show a certificate; the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    context.load_verify_locations(trusted)
    context.verify_mode = ssl.CERT_REQUIRED
    connection, _ = listening.accept()
    connection.settimeout(HANDSHAKE_TIME)
    with context.wrap_socket(connection, server_side=True) as secured:
        secured.recv(1)  # The client has nothing to say and hangs up.
        return secured.getpeercert(binary_form=True)
