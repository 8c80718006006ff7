"""OpenSSL with its PKCS#11 engine (libp11), which finds the stock module by PKCS11_MODULE_PATH."""

import subprocess

from support.live import Live
from support.required import OPENSSL_ENGINE, library

ENGINE = ("-engine", "pkcs11", "-keyform", "engine")


def openssl(live: Live, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    """openssl, which finds the engine."""
    library(OPENSSL_ENGINE)
    return live.run("openssl", *arguments, check=check, PKCS11_MODULE_PATH=live.module)


def private_uri(live: Live, label: str, *, pin: str | None = None) -> str:
    """Of a private key (RFC 7512)."""
    return f"pkcs11:token={live.label};object={label};type=private" + (f";pin-value={pin}" if pin else "")
