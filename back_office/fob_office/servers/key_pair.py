"""A server's private keys, and the PEM file in which they are kept when they are not kept here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from fob_office.errors import OperatorError
from fob_office.secrets.private_file import read_private, write_new
from fob_office.surroundings import Surroundings

# Two keys, with room for comments.
_LIMIT: Final = 8192
_BEGIN: Final = b"-----BEGIN "
_MAKE: Final = "fob-office server change-keys NAME --keys-file FILE"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """To sign, and to be sealed to."""

    signing: Ed25519PrivateKey
    sealing: X25519PrivateKey

    def __repr__(self) -> str:
        return "KeyPair(...)"

    @classmethod
    def made(cls, surroundings: Surroundings) -> "KeyPair":
        """New ones."""
        random = surroundings.random
        return cls(Ed25519PrivateKey.from_private_bytes(random(32)), X25519PrivateKey.from_private_bytes(random(32)))

    def write(self, path: Path) -> None:
        """Into a new file (mode 0600). Raises OperatorError."""
        pem = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) for key in self._keys()]
        try:
            write_new(path, b"".join(pem))
        except OSError as error:
            why = f"{path}: {error.strerror}"
            raise OperatorError("the keys were not made", why, "the same command with another --keys-file") from None

    @classmethod
    def read(cls, path: Path) -> "KeyPair":
        """Raises OperatorError."""
        what = "the server's keys"
        blocks = read_private(path, what, _LIMIT, _MAKE).split(_BEGIN)[1:]
        try:
            signing, sealing = (load_pem_private_key(_BEGIN + block, password=None) for block in blocks)
        except (ValueError, TypeError):
            raise OperatorError(f"{what} cannot be read", f"{path} does not hold two keys in PEM", _MAKE) from None
        if not isinstance(signing, Ed25519PrivateKey) or not isinstance(sealing, X25519PrivateKey):
            raise OperatorError(f"{what} cannot be read", f"{path} holds no Ed25519 and X25519 key", _MAKE)
        return cls(signing, sealing)

    def _keys(self) -> tuple[Ed25519PrivateKey, X25519PrivateKey]:
        return self.signing, self.sealing
