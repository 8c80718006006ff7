"""What the token shows of itself."""

from dataclasses import dataclass

from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.flags import MechanismFlag, TokenFlag

Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """CK_TOKEN_INFO; PIN lengths in octets."""

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
    """CK_MECHANISM_INFO; key sizes in bits."""

    min_key_size: int
    max_key_size: int
    flags: MechanismFlag


@dataclass(frozen=True, slots=True)
class ObjectView:
    """An object as a computer may see it: never a secret value. A session object has generation 0."""

    handle: int
    generation: int
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Page:
    """What changed after a generation.

    `generation`: what to ask from next. `full`: forget what you knew. `more`: this is not all. `deleted`: handles.
    """

    generation: int
    full: bool
    more: bool
    objects: list[ObjectView]
    deleted: list[int]
