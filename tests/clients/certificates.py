"""Certificates of the phone's own keys, made through OpenSSL's engine. Many programs find a key by its certificate."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clients.engine import ENGINE, openssl, private_uri
from support.live import Live


def self_signed(live: Live, label: str) -> Path:
    """A PEM file with a certificate of a key, signed by that key on the phone."""
    path = live.folder / f"{label}.crt"
    openssl(
        live, "req", "-x509", "-new", *ENGINE, "-key", private_uri(live, label, pin=live.scratch.user_pin),
        "-subj", f"/CN={label}", "-days", "30", "-out", str(path),
    )  # fmt: skip
    return path


@contextmanager
def certificate_on_phone(live: Live, label: str, key_id: str) -> Iterator[None]:
    """A certificate stands beside its key, with the same CKA_ID, until the end."""
    encoded = live.folder / f"{label}.der"
    openssl(live, "x509", "-in", str(self_signed(live, label)), "-outform", "DER", "-out", str(encoded))
    live.pkcs11_tool("--write-object", str(encoded), "--type", "cert", "--id", key_id, "--label", label)
    try:
        yield
    finally:
        live.pkcs11_tool("--delete-object", "--type", "cert", "--id", key_id)
