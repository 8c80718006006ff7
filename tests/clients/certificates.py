"""Certificates of the phone's own keys, made through OpenSSL's engine. Many programs find a key by its certificate."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.live import Live

ENGINE = ("-engine", "pkcs11", "-keyform", "engine")


def private_uri(live: Live, label: str, *, pin: str | None = None) -> str:
    """Of a private key (RFC 7512)."""
    return f"pkcs11:token={live.label};object={label};type=private" + (f";pin-value={pin}" if pin else "")


def self_signed(live: Live, label: str) -> Path:
    """A PEM file with a certificate of a key, signed by that key on the phone."""
    path = live.folder / f"{label}.crt"
    live.run(
        "openssl", "req", "-x509", "-new", *ENGINE, "-key", private_uri(live, label, pin=live.scratch.user_pin),
        "-subj", f"/CN={label}", "-days", "30", "-out", str(path), PKCS11_MODULE_PATH=live.module,
    )  # fmt: skip
    return path


@contextmanager
def certificate_on_phone(live: Live, label: str, key_id: str) -> Iterator[None]:
    """A certificate stands beside its key, with the same CKA_ID, until the end."""
    encoded = live.folder / f"{label}.der"
    live.run("openssl", "x509", "-in", str(self_signed(live, label)), "-outform", "DER", "-out", str(encoded))
    live.pkcs11_tool("--write-object", str(encoded), "--type", "cert", "--id", key_id, "--label", label)
    try:
        yield
    finally:
        live.pkcs11_tool("--delete-object", "--type", "cert", "--id", key_id)
