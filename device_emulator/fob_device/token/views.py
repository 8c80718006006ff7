"""What the token shows of its objects."""

from dataclasses import dataclass

from fob_protocol.pkcs11.attributes import Attributes


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
