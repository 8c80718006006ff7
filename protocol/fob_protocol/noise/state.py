"""CipherState and SymmetricState (Noise revision 34, sections 5.1 and 5.2), with ChaChaPoly and SHA256."""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from fob_protocol.errors import HandshakeError

HASH_SIZE = 32
TAG_SIZE = 16
KEY_SIZE = 32


class CipherState:
    """A key and its counter. Without a key, plaintext passes through (section 5.1)."""

    def __init__(self) -> None:
        self._cipher: ChaCha20Poly1305 | None = None
        self._counter = 0

    @property
    def has_key(self) -> bool:
        """True once a DH has been mixed in."""
        return self._cipher is not None

    def set_key(self, key: bytes) -> None:
        """Take a 32-octet key and start counting."""
        self._cipher = ChaCha20Poly1305(key)
        self._counter = 0

    def encrypt(self, associated_data: bytes, plaintext: bytes) -> bytes:
        """Ciphertext and 16-octet tag, or the plaintext while there is no key."""
        if self._cipher is None:
            return plaintext
        return self._cipher.encrypt(self._next_nonce(), plaintext, associated_data)

    def decrypt(self, associated_data: bytes, ciphertext: bytes) -> bytes:
        """The plaintext. Raises HandshakeError when the tag is wrong."""
        if self._cipher is None:
            return ciphertext
        try:
            return self._cipher.decrypt(self._next_nonce(), ciphertext, associated_data)
        except InvalidTag:
            raise HandshakeError("a handshake message does not open: another key, or somebody changed it") from None

    def _next_nonce(self) -> bytes:
        nonce = bytes(4) + self._counter.to_bytes(8, "little")
        self._counter += 1
        return nonce


class SymmetricState:
    """Chaining key and handshake hash (section 5.2)."""

    def __init__(self, protocol_name: bytes) -> None:
        if len(protocol_name) <= HASH_SIZE:
            self.hash = protocol_name.ljust(HASH_SIZE, b"\0")
        else:
            self.hash = hashlib.sha256(protocol_name).digest()
        self._chaining_key = self.hash
        self.cipher = CipherState()

    def mix_key(self, input_key_material: bytes) -> None:
        """Fold a DH result in."""
        self._chaining_key, key = _hkdf(self._chaining_key, input_key_material)
        self.cipher.set_key(key)

    def mix_hash(self, data: bytes) -> None:
        """Fold data that both sides see into the handshake hash."""
        self.hash = hashlib.sha256(self.hash + data).digest()

    def encrypt_and_hash(self, plaintext: bytes) -> bytes:
        """Seal under the handshake hash, then fold the result in."""
        ciphertext = self.cipher.encrypt(self.hash, plaintext)
        self.mix_hash(ciphertext)
        return ciphertext

    def decrypt_and_hash(self, ciphertext: bytes) -> bytes:
        """Open under the handshake hash, then fold the ciphertext in. Raises HandshakeError."""
        plaintext = self.cipher.decrypt(self.hash, ciphertext)
        self.mix_hash(ciphertext)
        return plaintext

    def split(self) -> tuple[bytes, bytes]:
        """The two transport keys, 32 octets each: initiator to responder, responder to initiator."""
        return _hkdf(self._chaining_key, b"")


def _hkdf(chaining_key: bytes, input_key_material: bytes) -> tuple[bytes, bytes]:
    """Noise's HKDF with two outputs (section 4.3): RFC 5869 with the chaining key as salt and no info."""
    secret = hmac.digest(chaining_key, input_key_material, "sha256")
    first = hmac.digest(secret, b"\x01", "sha256")
    return first, hmac.digest(secret, first + b"\x02", "sha256")
