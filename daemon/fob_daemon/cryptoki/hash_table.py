"""The hash functions and what belongs to each: its names in PKCS#11, its DigestInfo (RFC 8017, 9.2, note 1)."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from cryptography.hazmat.primitives import hashes

from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.constants import Ckg


class Hasher(Protocol):
    """What hashlib and hmac have in common."""

    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class HashFunction:
    """`digest_info` stands before the digest in a PKCS#1 v1.5 signature; `size` in octets."""

    name: str
    mechanism: Ckm
    algorithm: hashes.HashAlgorithm
    mgf: Ckg
    hmac: Ckm
    rsa: Ckm
    pss: Ckm
    ecdsa: Ckm
    digest_info: bytes

    @property
    def size(self) -> int:
        """Octets of a digest."""
        return self.algorithm.digest_size

    def start(self) -> Hasher:
        """A fresh hash; SHA-1 is for old protocols and refused by nobody's policy here."""
        return hashlib.new(self.name, usedforsecurity=False)

    def start_hmac(self, key: bytes) -> Hasher:
        """A fresh HMAC."""
        return hmac.new(key, digestmod=self.name)


SHA1: Final = HashFunction(
    "sha1", Ckm.SHA_1, hashes.SHA1(), Ckg.MGF1_SHA1,  # noqa: S303 - old protocols still name it
    Ckm.SHA_1_HMAC, Ckm.SHA1_RSA_PKCS, Ckm.SHA1_RSA_PKCS_PSS, Ckm.ECDSA_SHA1,
    bytes.fromhex("3021300906052b0e03021a05000414"),
)  # fmt: skip
SHA224: Final = HashFunction(
    "sha224", Ckm.SHA224, hashes.SHA224(), Ckg.MGF1_SHA224,
    Ckm.SHA224_HMAC, Ckm.SHA224_RSA_PKCS, Ckm.SHA224_RSA_PKCS_PSS, Ckm.ECDSA_SHA224,
    bytes.fromhex("302d300d06096086480165030402040500041c"),
)  # fmt: skip
SHA256: Final = HashFunction(
    "sha256", Ckm.SHA256, hashes.SHA256(), Ckg.MGF1_SHA256,
    Ckm.SHA256_HMAC, Ckm.SHA256_RSA_PKCS, Ckm.SHA256_RSA_PKCS_PSS, Ckm.ECDSA_SHA256,
    bytes.fromhex("3031300d060960864801650304020105000420"),
)  # fmt: skip
SHA384: Final = HashFunction(
    "sha384", Ckm.SHA384, hashes.SHA384(), Ckg.MGF1_SHA384,
    Ckm.SHA384_HMAC, Ckm.SHA384_RSA_PKCS, Ckm.SHA384_RSA_PKCS_PSS, Ckm.ECDSA_SHA384,
    bytes.fromhex("3041300d060960864801650304020205000430"),
)  # fmt: skip
SHA512: Final = HashFunction(
    "sha512", Ckm.SHA512, hashes.SHA512(), Ckg.MGF1_SHA512,
    Ckm.SHA512_HMAC, Ckm.SHA512_RSA_PKCS, Ckm.SHA512_RSA_PKCS_PSS, Ckm.ECDSA_SHA512,
    bytes.fromhex("3051300d060960864801650304020305000440"),
)  # fmt: skip

ALL: Final = (SHA1, SHA224, SHA256, SHA384, SHA512)
BY_MECHANISM: Final[Mapping[int, HashFunction]] = MappingProxyType({h.mechanism: h for h in ALL})
BY_HMAC: Final[Mapping[int, HashFunction]] = MappingProxyType({h.hmac: h for h in ALL})
BY_MGF: Final[Mapping[int, HashFunction]] = MappingProxyType({h.mgf: h for h in ALL})


def split_digest_info(data: bytes) -> tuple[HashFunction, bytes] | None:
    """The hash and the bare digest of a DigestInfo, None when `data` is not one."""
    for function in ALL:
        head = function.digest_info
        if len(data) == len(head) + function.size and data.startswith(head):
            return function, data[len(head) :]
    return None
