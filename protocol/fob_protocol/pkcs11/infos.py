"""What a token tells of itself, on the device, on the link and in the PC's cache alike."""

from dataclasses import dataclass

from fob_protocol.pkcs11.flags import MechanismFlag, TokenFlag

# Major, minor: CK_VERSION, an octet each.
Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class TokenDescription:
    """CK_TOKEN_INFO without what each application counts for itself; PIN lengths in octets."""

    label: str
    manufacturer: str
    model: str
    serial: str
    flags: TokenFlag
    min_pin: int
    max_pin: int
    hardware_version: Version
    firmware_version: Version


@dataclass(frozen=True, slots=True)
class MechanismInfo:
    """CK_MECHANISM_INFO; key sizes in bits for RSA and EC, in octets for AES."""

    min_key_size: int
    max_key_size: int
    flags: MechanismFlag
