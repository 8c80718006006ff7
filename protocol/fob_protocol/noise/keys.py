"""X25519 key pairs (RFC 7748) made from injected randomness."""

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from fob_protocol.errors import HandshakeError

DH_SIZE = 32

# Gives as many random octets as asked: `os.urandom`, or a seeded source in tests.
Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key and its 32-octet public key."""

    private: X25519PrivateKey = field(repr=False)
    public: bytes

    @classmethod
    def generate(cls, random: Random) -> "KeyPair":
        """A fresh pair from 32 random octets."""
        return cls.from_private_bytes(random(DH_SIZE))

    @classmethod
    def from_private_bytes(cls, secret: bytes) -> "KeyPair":
        """The pair of a stored 32-octet private key."""
        private = X25519PrivateKey.from_private_bytes(secret)
        return cls(private, private.public_key().public_bytes_raw())

    def private_bytes(self) -> bytes:
        """The 32 octets to store."""
        return self.private.private_bytes_raw()

    def exchange(self, public: bytes) -> bytes:
        """The shared secret, 32 octets. Raises HandshakeError for a point of low order."""
        try:
            return self.private.exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError:
            raise HandshakeError("a public key that is no good point") from None
