"""Where the issuer's private key is kept: sealed in the state folder, or in a PEM file that is fetched for the work."""

from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fob_office.errors import OperatorError
from fob_office.secrets.private_file import read_private, write_new
from fob_office.secrets.sealing import Place, Sealer, UnsealError
from fob_office.surroundings import Surroundings

FILE: Final = "issuer.key"
# PEM with room for comments.
_LIMIT: Final = 8192
_PLACE: Final = Place(FILE, "private_key", 1)
_WHAT: Final = "the issuer's key"
_MAKE: Final = "openssl genpkey -algorithm ed25519 -out FILE    (and chmod 600)"
_ELSEWHERE: Final = "the same command with --issuer-key FILE"


def create_issuer_key(state: Path, sealer: Sealer, surroundings: Surroundings) -> Ed25519PrivateKey:
    """A new one, sealed in the state folder, or the one of an `init` that was cut off. Raises OSError."""
    with suppress(OperatorError):
        return load_issuer_key(state, sealer, None)
    forget_issuer_key(state)
    raw = surroundings.random(32)
    write_new(state / FILE, sealer.seal(_PLACE, raw))
    return Ed25519PrivateKey.from_private_bytes(raw)


def is_issuer_key_here(state: Path) -> bool:
    """Or it has to be fetched for each work."""
    return (state / FILE).exists()


def forget_issuer_key(state: Path) -> None:
    """Nothing when there is none."""
    (state / FILE).unlink(missing_ok=True)


def load_issuer_key(state: Path, sealer: Sealer, pem: Path | None) -> Ed25519PrivateKey:
    """From `pem`, or the state folder. Raises OperatorError."""
    if pem is not None:
        return read_pem_key(pem)
    path = state / FILE
    sealed = read_private(path, _WHAT, _LIMIT, _ELSEWHERE)
    try:
        return Ed25519PrivateKey.from_private_bytes(sealer.unseal(_PLACE, sealed))
    except UnsealError:
        raise OperatorError(f"{_WHAT} is damaged", f"{path} does not open with the master key", _ELSEWHERE) from None


def read_pem_key(path: Path) -> Ed25519PrivateKey:
    """Raises OperatorError."""
    octets = read_private(path, _WHAT, _LIMIT, _MAKE)
    try:
        key = load_pem_private_key(octets, password=None)
    except (ValueError, TypeError):
        raise OperatorError(f"{_WHAT} cannot be read", f"{path} is no private key without password", _MAKE) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise OperatorError(f"{_WHAT} cannot be read", f"{path} holds no Ed25519 key", _MAKE)
    return key
