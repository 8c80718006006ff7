"""The two owners' keys of a value kind, made here for whoever has no owners apart (M8)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fob_office.centre.boxes.folder import BoxFolder
from fob_office.centre.boxes.identity import read_identity
from fob_office.centre.boxes.steel.beginnings import Beginnings
from fob_office.centre.boxes.steel.owners import Owner, Owners, OwnersKey, seal_owners_key
from fob_office.centre.bus.passes import Pass
from fob_office.centre.places import KindSettings
from fob_office.secrets.private_file import write_new
from fob_protocol.noise.keys import KeyPair

_KEY_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class Gift:
    """A key of one owner, sealed to one steel box."""

    box: str
    owner: Owner
    value_kind: str
    version: int
    sealed: bytes = field(repr=False)


def begin_in(folder: BoxFolder, name: str, kind: KindSettings) -> Owners:
    """A steel box that does not run yet hears of a value kind; what takes its owners' keys there.

    Raises TamperedError, OSError.
    """
    Beginnings(folder).set(name, kind.freshness, kind.limits.octets(), is_public=kind.is_public)
    return Owners(folder, KeyPair.from_private_bytes(read_identity(folder).sealing).private)


def make_gifts(
    boxes: Iterable[Pass], value_kind: str, version: int, random: Callable[[int], bytes], keep: Path | None
) -> list[Gift]:
    """New keys of both owners, the same for all steel boxes; kept nowhere but in `keep`. Raises OSError, SealError."""
    keys = [OwnersKey(owner, value_kind, version, random(_KEY_SIZE)) for owner in Owner]
    if keep is not None:
        keep.mkdir(mode=0o700, parents=True, exist_ok=True)
        for key in keys:
            write_new(keep / f"{value_kind}-{version}.{key.owner}", key.secret.hex().encode() + b"\n")
    return [
        Gift(box.name, key.owner, value_kind, version, seal_owners_key(box.sealing, key))
        for box in boxes
        for key in keys
    ]
