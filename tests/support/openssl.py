"""OpenSSL, which has never heard of the phone, judges its signatures."""

import subprocess
from pathlib import Path

from support.required import program


def verify_with_openssl(folder: Path, *options: str) -> None:
    """Check the file `signature` with the PEM file `key`; `options` name what was signed."""
    verify = ("pkeyutl", "-verify", "-pubin", "-inkey", "key", "-sigfile", "signature")
    command = (program("openssl"), *verify, *options)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert "Signature Verified Successfully" in done.stdout, done.stderr
