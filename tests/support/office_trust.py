"""An issuer and what it signs, for tests of what a device believes."""

from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from fob_protocol.office.certificate import Certificate, RevocationList, Usage

NOW: Final = 1_790_000_000
DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class TestServer:
    """Private keys of a server."""

    __test__ = False

    signing: Ed25519PrivateKey = field(default_factory=lambda: Ed25519PrivateKey.from_private_bytes(bytes([2] * 32)))
    sealing: X25519PrivateKey = field(default_factory=lambda: X25519PrivateKey.from_private_bytes(bytes([3] * 32)))

    def certificate(self, **changes: object) -> Certificate:
        """Of epoch 3, good for a day before NOW and a day after."""
        drafted = Certificate(
            "bank", "The bank", (Usage.REGISTRATION, Usage.ENTITLEMENT),
            self.signing.public_key().public_bytes_raw(), self.sealing.public_key().public_bytes_raw(),
            3, NOW - DAY, NOW + DAY,
        )  # fmt: skip
        return replace(drafted, **changes)


ISSUER: Final = Ed25519PrivateKey.from_private_bytes(bytes([1] * 32))
ISSUER_KEY: Final = ISSUER.public_key().public_bytes_raw()
OTHER_ISSUER: Final = Ed25519PrivateKey.from_private_bytes(bytes([9] * 32))
SERVER: Final = TestServer()


def revocations(number: int = 5, epochs: dict[str, int] | None = None, until: int = NOW + DAY) -> RevocationList:
    """A list of yesterday."""
    return RevocationList(number, NOW - DAY, until, epochs or {})
