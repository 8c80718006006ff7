"""What a component is known by, in catalogues, manifests and codes (C10, C16, C18)."""

from enum import IntEnum
from typing import Annotated

from msgspec import Meta

from fob_protocol.office.limits import COMPONENTS_LIMIT
from fob_protocol.office.message import Message, Name, Octets32, Version


class Kind(IntEnum):
    """C7: software and data."""

    MODULE = 1
    DATA = 2


class Component(Message, frozen=True):
    """One that is installed, or shall be; `digest` is that of its content."""

    id: Name
    version: Version
    digest: Octets32


Catalogue = Annotated[tuple[Component, ...], Meta(max_length=COMPONENTS_LIMIT)]


def words(version: Version) -> str:
    """`1.4.0`."""
    return ".".join(map(str, version))
