"""What the loader hands on: components at their places, to the runtime that executes them."""

from dataclasses import dataclass, field
from typing import Protocol

from fob_device.components.boot_record import Held
from fob_protocol.office.component import Component
from fob_protocol.office.hashing import digest
from fob_protocol.office.release import Release


@dataclass(frozen=True, slots=True)
class LoadedComponent:
    """`content` is the very octets that were measured, at `address`; `release` is its header."""

    release: Release
    address: int
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FoundComponent:
    """One of the set, whether it runs or not. `octets` are what is measured: its content as it stands in memory.

    Of a content that does not open they are the sealed octets, as they stand on the disk. `fault`: why it does not run.
    """

    release: Release
    # H of the release as it was signed, by which its content is stored.
    stored_as: bytes
    octets: bytes = field(repr=False)
    fault: str = ""


class Runtime(Protocol):
    """Executes components."""

    def start(self, component: LoadedComponent) -> None:
        """What it depends on has been started. Raises RunError: it does not load, or its self test fails."""

    def stop(self) -> None:
        """Forget every component that was started."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What did not run, and why: a component, or with None a whole set. `fault` is the name of the rule."""

    set_number: int
    component: str | None
    fault: str
    why: str


@dataclass(frozen=True, slots=True)
class Running:
    """What a start came to. With `held` None no set runs; in a trial somebody has to confirm or revert."""

    held: Held | None
    trial: bool
    components: tuple[LoadedComponent, ...]
    failures: tuple[Failure, ...]
    found: tuple[FoundComponent, ...] = ()

    @property
    def damaged(self) -> frozenset[str]:
        """Components of the set whose content is not what was released: they have to be fetched anew."""
        return frozenset(one.release.id for one in self.found if digest(one.octets) != one.release.digest)

    def with_command(self, command: str) -> FoundComponent | None:
        """Whose command it is, `XRATE`, whether it runs or not."""
        return next((one for one in self.found if command in one.release.commands), None)

    @property
    def catalogue(self) -> tuple[Component, ...]:
        """The software ids of what runs (C18), as requests and reports have them."""
        components = (component.release.component for component in self.components)
        return tuple(sorted(components, key=lambda component: component.id))
