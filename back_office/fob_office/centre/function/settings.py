"""What a function server is told: who it is to devices, and whose software may frank. Sealed in its folder."""

from dataclasses import dataclass, field
from typing import Annotated, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Meta

from fob_office.centre.boxes.folder import BoxFolder
from fob_office.errors import OperatorError
from fob_office.servers.identity import Identity
from fob_protocol.cose import sign1
from fob_protocol.integrity.relying import RelyingParty
from fob_protocol.metering.limits import KINDS_LIMIT
from fob_protocol.metering.values import Amount, ValueKind
from fob_protocol.office.certificate import Certificate
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import Count, Message, Name, Octets32, Version, read

FILE: Final = "function"
# Key pairs of before.
FORMER_LIMIT: Final = 3
# Rate components of one value kind.
PROGRAMS_LIMIT: Final = 32


class Admitted(Message, frozen=True):
    """Rate components of a value kind, by name with their least versions, validated by the server with this key."""

    value_kind: ValueKind
    validation_key: Octets32
    greatest_age: Count
    programs: Annotated[dict[Name, Version], Meta(max_length=PROGRAMS_LIMIT)]


class FormerKeys(Message, frozen=True):
    """Keys before the newest ones: devices that have not heard of those ask by them."""

    certificate: bytes
    signing_key: Octets32
    sealing_key: Octets32

    def __repr__(self) -> str:
        return "FormerKeys(...)"


class Told(Message, tag=1, frozen=True):
    """What stands in the folder; private keys with it."""

    certificate: bytes
    signing_key: Octets32
    sealing_key: Octets32
    admitted: Annotated[tuple[Admitted, ...], Meta(max_length=KINDS_LIMIT)]
    deposit: Amount
    former: Annotated[tuple[FormerKeys, ...], Meta(max_length=FORMER_LIMIT)] = ()
    fee: Amount = 0

    def __repr__(self) -> str:
        return "Told(...)"


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """`identity`: the server certificate with usage METERING and its keys, the same for all function servers.

    `rates`: by value kind, whose tickets are admitted (X5). `deposit` is the least that is loaded at once, `fee` what
    signing up costs (M30). `former`: the same server with its keys of before.
    """

    identity: Identity = field(repr=False)
    rates: dict[str, RelyingParty]
    deposit: int = 0
    former: tuple[Identity, ...] = field(default=(), repr=False)
    fee: int = 0

    @property
    def identities(self) -> tuple[Identity, ...]:
        """Whose questions it answers, the newest keys first."""
        return (self.identity, *self.former)

    @property
    def audience(self) -> str:
        """For whom tickets are presented."""
        return self.identity.name


def write_settings(folder: BoxFolder, told: Told) -> None:
    """Raises TamperedError, OSError."""
    folder.write(FILE, told.octets())


def read_settings(folder: BoxFolder) -> FunctionSettings:
    """Raises TamperedError, OperatorError."""
    told = read_told(folder)
    rates = {one.value_kind: _party(one) for one in told.admitted}
    return FunctionSettings(_identity(told), rates, told.deposit, tuple(map(_identity, told.former)), told.fee)


def read_told(folder: BoxFolder) -> Told:
    """As it stands there. Raises TamperedError, OperatorError."""
    try:
        return read(Told, folder.read(FILE))
    except FileNotFoundError:
        why = "it was not told who it is to devices"
        raise OperatorError(f"{folder.name} does not serve", why, "fob-office centre init") from None
    except OfficeError as error:
        why = f"what it was told cannot be read: {error.why}"
        command = f"fob-office centre box add function    (and box remove {folder.name})"
        raise OperatorError(f"{folder.name} does not serve", why, command) from None


def certificate_in(told: Told | FormerKeys) -> Certificate:
    """Unchecked: the issuer signed it, and nobody else writes here."""
    return read(Certificate, sign1.unverified_payload(told.certificate))


def _identity(told: Told | FormerKeys) -> Identity:
    return Identity(
        certificate_in(told),
        told.certificate,
        Ed25519PrivateKey.from_private_bytes(told.signing_key),
        X25519PrivateKey.from_private_bytes(told.sealing_key),
    )


def _party(admitted: Admitted) -> RelyingParty:
    return RelyingParty(admitted.validation_key, admitted.greatest_age, admitted.programs)
