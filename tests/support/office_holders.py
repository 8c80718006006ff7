"""Offices with programs, and holders of their copies."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from fob_office.components.service import highest_version
from fob_office.distribution.tables import Copy
from fob_office.office import Office
from fob_office.programs.service import add_installation, change_setting
from fob_office.programs.views import change_of
from fob_office.role import Body
from fob_office.roles import ROLES
from fob_office.servers.service import identity
from fob_office.validation.log import Line, lines_after
from fob_protocol.integrity.installation import File, Installation
from fob_protocol.integrity.validation import State
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.message import Message, Version
from fob_protocol.office.refusals import Refusal
from support.holder import Ask, ReferenceHolder
from support.office import OfficeScene
from support.office_shop import OPERATOR, ordered_device, release
from support.shipped_holder import ShippedHolder

RATES = b"the octets of the rates"


def sealed(scene: OfficeScene) -> Ask:
    """As a device asks: sealed both ways."""
    return lambda service, server, message: scene.ask(service, server, message).body


def direct(office: Office) -> Ask:
    """Without seals: ten times as fast, and the same rules."""
    handlers = {service: handler for role in ROLES for service, handler in role.handlers(office).items()}
    servers = {}

    def ask(service: Service, server: str, message: Message) -> bytes:
        if server not in servers:
            with office.database.read() as session:
                servers[server] = identity(session, office.sealer, server)
        return handlers[service](Body(service, servers[server], message.octets(), bytes(32)))

    return ask


def holder_of(
    scene: OfficeScene, key: Ed25519PrivateKey | None = None, *, ask: Ask | None = None, seed: int = 1,
    distribution: str = "integrity",
) -> ReferenceHolder:  # fmt: skip
    """Whoever has this key; a device of the office has its system key."""
    return ReferenceHolder(
        scene.issuer, scene.certificate(distribution), ask or sealed(scene), lambda: scene.clock.time,
        key=key, seed=seed,
    )  # fmt: skip


def rates_holder(
    scene: OfficeScene, *, ask: Ask | None = None, serial: str = "M-0001", distribution: str = "integrity"
) -> ReferenceHolder:
    """A device that has its copy of component `rates`."""
    with scene.office.database.read() as session:
        is_there = highest_version(session, "rates") > 0
    if not is_there:
        release(scene, "rates", octets=RATES)
    device = ordered_device(scene, "rates", serial=serial)
    holder = holder_of(scene, device.system_key, ask=ask, distribution=distribution)
    holder.fetch({"rates": RATES})
    return holder


def shipped_holder(scene: OfficeScene, *, ask: Ask | None = None, serial: str = "M-0001") -> ShippedHolder:
    """A device that has its copy of component `rates`, and speaks as devices do. There is a release already."""
    device = ordered_device(scene, "rates", serial=serial)
    holder = ShippedHolder(
        scene.issuer, scene.certificate("integrity"), ask or direct(scene.office), lambda: scene.clock.time,
        key=device.system_key, octets=RATES,
    )  # fmt: skip
    holder.fetch("rates")
    return holder


def policy(scene: OfficeScene, name: str, version: Version | None = None, **told: Any) -> None:
    """What an operator says of a program."""
    words = dict.fromkeys(("technique", "embedder", "variant", "lifetime", "interval", "grace", "rolls")) | told
    change_setting(scene.office, name, version, change_of(**words), OPERATOR)


def installation(octets: bytes) -> Installation:
    """Of one file."""
    return Installation([File("fobd/main.py", len(octets), lambda at, size: octets[at : at + size])])


def octets_of(files: Installation) -> bytes:
    """As they are measured."""
    return files.read(0, files.length)


def add_program(scene: OfficeScene, name: str, octets: bytes, version: Version = (1, 0, 0)) -> bytes:
    """An installation of one file; its octets as a holder has them."""
    add_installation(scene.office, name, version, installation(octets), OPERATOR)
    return octets_of(installation(octets))


def refused(asking: Callable[[], object]) -> Refusal:
    """The word of the office."""
    with pytest.raises(RefusedError) as error:
        asking()
    return error.value.refusal


def state_of(scene: OfficeScene, number: bytes) -> State:
    """Of a copy, as the office has it."""
    with scene.office.database.read() as session:
        return State(session.scalars(select(Copy.state).where(Copy.number == number)).one())


def results(scene: OfficeScene, number: bytes | None = None) -> list[tuple[int, str]]:
    """Of the usage log: PSI and result of each line."""
    lines: list[Line] = []
    with scene.office.database.read() as session:
        while page := lines_after(session, lines[-1].validation.id if lines else 0, number):
            lines += page
    return [(line.validation.program_number, line.validation.result) for line in lines]
