"""Short words for what an operator does in tests of configurations."""

from collections.abc import Callable
from random import Random

from wasmtime import wat2wasm

from fob_office.components.drafts import Draft
from fob_office.components.service import add_release
from fob_office.components.tables import ReleaseState, SignedRelease
from fob_office.devices.inventory import catalogue_of
from fob_office.devices.service import add_device, device_of
from fob_office.orders.service import create_order
from fob_protocol.cose import sign1
from fob_protocol.office.component import Component, Kind
from fob_protocol.office.configuration import Granted
from fob_protocol.office.envelope import Service
from fob_protocol.office.factory import Region
from fob_protocol.office.message import Version, read
from fob_protocol.office.release import Dependency, Release
from support.office import OfficeScene
from support.office_device import HARDWARE, REGIONS, OfficeDevice

OPERATOR = "operator"
_MODULE = bytes(
    wat2wasm("""(module (memory (export "memory") 1)
      (func (export "fob_alloc") (param i32) (result i32) (i32.const 0))
      (func (export "fob_call") (param i32 i32 i32) (result i64) (i64.const 0)))""")
)
_SECTION = 7


def content(size: int, seed: int = 3) -> bytes:
    """So many octets."""
    return Random(seed).randbytes(size)


def module(said: bytes = b"", size: int = 0) -> bytes:
    """One that devices would run, which says something and does nothing; `size`: padded to so many octets."""
    padded = said.ljust(size - len(_MODULE) - _SECTION)
    length = len(padded) + 1
    # A custom section without a name; its length in five octets, whatever it is (LEB128).
    leb = bytes((length >> shift & 0x7F) | (0x80 if shift < 28 else 0) for shift in range(0, 35, 7))
    return _MODULE + b"\0" + leb + b"\0" + padded


def release(
    scene: OfficeScene, name: str, version: Version = (1, 0, 0), octets: bytes | None = None,
    *, needs: dict[str, Version] | None = None, commands: tuple[str, ...] = (), hardware: tuple[str, ...] = (HARDWARE,),
    security_counter: int = 0, kind: Kind | None = None, state: ReleaseState = ReleaseState.AVAILABLE,
    days: int = 1000,
) -> SignedRelease:  # fmt: skip
    """A release; what it holds tells its name and version. With commands it is a module."""
    found = kind or (Kind.MODULE if commands else Kind.DATA)
    said = f"{name} {version}".encode()
    held = octets if octets is not None else module(said) if found is Kind.MODULE else said
    needed = tuple(Dependency(one, least) for one, least in (needs or {}).items())
    draft = Draft(
        name, version, name.title(), found, held, hardware, needed, commands, security_counter, days
    )  # fmt: skip
    return add_release(scene.office, draft, OPERATOR, state=state)


def generic_device(
    scene: OfficeScene, serial: str = "M-0001", *, hardware: str = HARDWARE, regions: tuple[Region, ...] = REGIONS,
    carry: Callable[[Service, bytes], bytes] | None = None,
) -> OfficeDevice:  # fmt: skip
    """As it leaves the factory: the office does not know of it."""
    return OfficeDevice(
        serial, carry or scene.answering.answer, scene.issuer, scene.signed_certificate("configuration"),
        lambda: scene.clock.time, hardware=hardware, regions=regions,
    )  # fmt: skip


def known_device(scene: OfficeScene, serial: str = "M-0001") -> OfficeDevice:
    """With a record, and without an order."""
    device = generic_device(scene, serial)
    add_device(scene.office, device.sealed_record(), OPERATOR)
    return device


def ordered_device(scene: OfficeScene, *options: str, serial: str = "M-0001") -> OfficeDevice:
    """With a record and an order."""
    device = known_device(scene, serial)
    create_order(scene.office, serial, options, OPERATOR)
    return device


def versions(catalogue: tuple[Component, ...] | list[Component]) -> dict[str, Version]:
    """What is held, by id."""
    return {component.id: component.version for component in catalogue}


def granted_versions(granted: object) -> dict[str, Version]:
    """What an answer grants, unchecked."""
    assert isinstance(granted, Granted)
    releases = [read(Release, sign1.unverified_payload(signed)) for signed in granted.releases]
    return {one.id: one.version for one in releases}


def inventory(scene: OfficeScene, serial: str) -> tuple[Component, ...]:
    """What the office believes that a device holds."""
    with scene.office.database.read() as session:
        return tuple(catalogue_of(session, device_of(session, serial).id))
