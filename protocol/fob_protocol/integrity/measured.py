"""What was found where a program is, to be measured and compared."""

from dataclasses import dataclass, field

from fob_protocol.office.hashing import digest


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found this time; `digest` is H of it, by which the device itself knows whether it is the same."""

    octets: bytes = field(repr=False)
    digest: bytes

    @classmethod
    def of(cls, octets: bytes) -> "Measured":
        """All of it."""
        return cls(octets, digest(octets))
