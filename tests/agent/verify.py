"""Checks SSH signatures by the book, with none of the agent's own code."""

import base64

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from agent.fake_keys import FakeKey

EC_HASHES: dict[str, hashes.HashAlgorithm] = {
    "ecdsa-sha2-nistp256": hashes.SHA256(),
    "ecdsa-sha2-nistp384": hashes.SHA384(),
    "ecdsa-sha2-nistp521": hashes.SHA512(),
}


def blob_of(key: FakeKey) -> bytes:
    """The SSH public key blob."""
    return base64.b64decode(key.line.split()[1])


def verify(key: FakeKey, algorithm: str, blob: bytes, data: bytes) -> None:
    """Raises InvalidSignature."""
    match key.private_key.public_key():
        case rsa.RSAPublicKey() as public:
            used = {"rsa-sha2-256": hashes.SHA256(), "rsa-sha2-512": hashes.SHA512()}[algorithm]
            public.verify(blob, data, padding.PKCS1v15(), used)
        case ec.EllipticCurvePublicKey() as public:
            public.verify(encode_dss_signature(*mpints(blob)), data, ec.ECDSA(EC_HASHES[algorithm]))
        case ed25519.Ed25519PublicKey() as public:
            assert algorithm == "ssh-ed25519"
            public.verify(blob, data)


def mpints(blob: bytes) -> tuple[int, int]:
    """Two SSH mpints and nothing else, in their shortest form (RFC 4251, section 5)."""
    values = []
    while blob:
        length = int.from_bytes(blob[:4], "big")
        number, blob = blob[4 : 4 + length], blob[4 + length :]
        value = int.from_bytes(number, "big", signed=True)
        assert len(number) == ((value.bit_length() + 8) // 8 if value else 0)
        values.append(value)
    r, s = values
    return r, s
