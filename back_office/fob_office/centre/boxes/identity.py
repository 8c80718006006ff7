"""The keys of a process of its own, its pass, and its masters, as they stand sealed in its folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from fob_office.centre.boxes.errors import TamperedError
from fob_office.centre.boxes.folder import BoxFolder
from fob_office.centre.boxes.pkcs11_vault import ModulePlace, Pkcs11Vault, import_master
from fob_office.centre.boxes.separation import Purpose, held_by
from fob_office.centre.boxes.vault import SoftwareVault, Vault
from fob_office.centre.bus.directory import Directory
from fob_office.centre.bus.errors import PassError
from fob_office.centre.bus.own_pass import OwnPass
from fob_office.centre.bus.passes import Kind, Party, Pass, Trust, read_pass
from fob_office.errors import OperatorError
from fob_office.surroundings import Surroundings
from fob_protocol.cose import hpke
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.noise.keys import KeyPair
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import Message, MessageT, Name, Octets32, read

IDENTITY: Final = "identity"
ADMISSION: Final = "admission"
MASTERS: Final = "masters"
MODULE: Final = "module"

# Those whose pass binds an Ed25519 key: of passes and views, of a log, of receipts, of verification certificates.
SIGNING_KINDS: Final = frozenset((Kind.MANUFACTURING, Kind.METER, Kind.TRANSACTION, Kind.PAYMENT))


class Identity(Message, tag=1, frozen=True):
    """Private keys, 32 octets each; `signing` only for SIGNING_KINDS."""

    kind: Kind
    name: Name
    static: Octets32
    sealing: Octets32
    signing: Octets32 | None

    def __repr__(self) -> str:
        return f"Identity({self.kind!r}, {self.name!r}, ...)"


class Public(Message, tag=1, frozen=True):
    """What a process shows of itself to be admitted: public keys, raw."""

    kind: Kind
    name: Name
    static: Octets32
    sealing: Octets32
    signing: Octets32 | None


class Admission(Message, tag=1, frozen=True):
    """The public key of the manufacturing box, and the pass that it signed."""

    manufacturing: Octets32
    shown: Annotated[bytes, Meta(max_length=1024)]


class Master(Message, frozen=True):
    """One master and what it is for."""

    purpose: Purpose
    secret: Octets32

    def __repr__(self) -> str:
        return f"Master({self.purpose!r}, ...)"


class Masters(Message, tag=1, frozen=True):
    """*masters*: what the manufacturing box seals to a box of one kind."""

    masters: Annotated[tuple[Master, ...], Meta(max_length=len(Purpose))]

    def vault(self) -> SoftwareVault:
        """All of them, in memory."""
        return SoftwareVault({master.purpose: master.secret for master in self.masters})

    def __repr__(self) -> str:
        return "Masters(...)"


def make_identity(folder: BoxFolder, kind: Kind, random: Callable[[int], bytes]) -> Public:
    """Keys of its own for a process in a new folder, and what it shows of them. Raises TamperedError, OSError."""
    signing = random(32) if kind in SIGNING_KINDS else None
    identity = Identity(kind, folder.name, random(32), random(32), signing)
    folder.write(IDENTITY, identity.octets())
    return public_of(identity)


def read_identity(folder: BoxFolder) -> Identity:
    """Raises TamperedError, OperatorError."""
    return _state(folder, IDENTITY, Identity)


def public_of(identity: Identity) -> Public:
    """Its public keys."""
    signing = signing_key(identity).public_key().public_bytes_raw() if identity.signing is not None else None
    static, sealing = (KeyPair.from_private_bytes(key).public for key in (identity.static, identity.sealing))
    return Public(identity.kind, identity.name, static, sealing, signing)


def public_of_pass(shown: Pass) -> Public:
    """The public keys of whoever was admitted by it."""
    return Public(shown.kind, shown.name, shown.static, shown.sealing, shown.signing)


def signing_key(identity: Identity) -> Ed25519PrivateKey:
    """Raises ValueError for a kind that has none."""
    if identity.signing is None:
        raise ValueError(f"a process of kind {identity.kind.word} signs nothing")
    return Ed25519PrivateKey.from_private_bytes(identity.signing)


def admit(
    folder: BoxFolder, manufacturing: bytes, shown: bytes, sealed_masters: bytes, module: ModulePlace | None = None
) -> Pass:
    """Keep what the manufacturing box gave out; `module`: the masters go there, and are not in the folder.

    Raises TamperedError, OperatorError when it is for another process, or the module cannot.
    """
    identity = read_identity(folder)
    try:
        given = read_pass(manufacturing, shown)
        masters = open_masters(identity, sealed_masters)
    except (PassError, CoseError, OfficeError) as error:
        raise _not_admitted(folder.name, str(error)) from None
    if (given.kind, given.name, *_keys(given)) != (identity.kind, identity.name, *_keys(public_of(identity))):
        raise _not_admitted(folder.name, f"the pass is for {given.name}, or for other keys")
    if {master.purpose for master in masters.masters} != held_by(identity.kind):
        raise _not_admitted(folder.name, f"these are not the masters of a process of kind {identity.kind.word}")
    if module is None:
        folder.write(MASTERS, masters.octets())
    else:
        for master in masters.masters:
            import_master(module, folder.name, master.purpose, master.secret)
        folder.write(MODULE, module.octets())
    folder.write(ADMISSION, Admission(manufacturing, shown).octets())
    return given


def seal_masters(public: Public, masters: Masters) -> bytes:
    """For the process that showed these keys. Raises SealError."""
    return hpke.seal_to(public.sealing, Label.MASTER, [int(public.kind), public.name], masters.octets())


def open_masters(identity: Identity, sealed: bytes) -> Masters:
    """Raises CoseError, OfficeError."""
    key = KeyPair.from_private_bytes(identity.sealing).private
    return read(Masters, hpke.unseal_with(key, Label.MASTER, [int(identity.kind), identity.name], sealed))


def module_in(folder: BoxFolder) -> ModulePlace:
    """Where its masters are, if its folder has MODULE. Raises TamperedError, OperatorError."""
    return _state(folder, MODULE, ModulePlace)


def open_vault(folder: BoxFolder, kind: Kind) -> Vault:
    """Of the masters in the folder, or of those in a module. Raises TamperedError, OperatorError."""
    if folder.has(MODULE):
        return Pkcs11Vault(module_in(folder), folder.name, held_by(kind))
    masters = _state(folder, MASTERS, Masters)
    if missing := held_by(kind) - {master.purpose for master in masters.masters}:
        why = f"it has no {min(missing)} master: its data centre was made by an earlier version"
        raise OperatorError(f"{folder.name} does not start", why, "fob-office centre init --state NEW")
    return masters.vault()


def read_party(folder: BoxFolder, centre: Path, surroundings: Surroundings) -> tuple[Party, Directory]:
    """The process as the bus knows it, and where it finds others. Raises TamperedError, OperatorError."""
    admission = _state(folder, ADMISSION, Admission)
    static = KeyPair.from_private_bytes(read_identity(folder).static)
    directory = Directory(centre, admission.manufacturing)
    try:
        shown = OwnPass(directory, admission.shown)
    except PassError as error:
        raise _not_admitted(folder.name, str(error)) from None
    trust = Trust(admission.manufacturing, surroundings.clock)
    return Party(static, shown, trust, surroundings.random), directory


def _keys(shown: Pass | Public) -> tuple[bytes | None, ...]:
    return shown.static, shown.sealing, shown.signing


def _state(folder: BoxFolder, file: str, kind: type[MessageT]) -> MessageT:
    try:
        return read(kind, folder.read(file))
    except FileNotFoundError:
        raise _not_admitted(folder.name, f"it has no {file} yet") from None
    except OfficeError:
        folder.zeroise(f"{file} is none")
        raise TamperedError(folder.name) from None


def _not_admitted(name: str, why: str) -> OperatorError:
    return OperatorError(f"{name} is not admitted", why, "let the manufacturing box admit it")
