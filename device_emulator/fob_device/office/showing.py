"""What of a back office is shown on the device's own screen."""

from collections.abc import Iterator

from fob_device.components.boot_record import Held
from fob_device.integrity.own_program import NAME as OWN_PROGRAM
from fob_device.integrity.standings import Standings
from fob_device.office.back_office import BackOffice
from fob_device.office.desk import OfficeDesk
from fob_device.office.store import Registration
from fob_device.overview.office import (
    HeldSet,
    InstalledComponent,
    ListedServer,
    OfficeOverview,
    RegisteredAt,
    ShownCopy,
)
from fob_protocol.office.certificate import Usage
from fob_protocol.office.component import words
from fob_protocol.office.entitlements import State


def overview(office: BackOffice, desk: OfficeDesk, *, has_relay: bool) -> OfficeOverview:
    """As it is now. `has_relay`: computers carry its questions."""
    told, record = office.progress.now, office.machine.boot.record
    return OfficeOverview(
        office.device.serial,
        office.device.hardware,
        office.state,
        told.words,
        told.done,
        told.total,
        office.progress.seconds_left,
        office.trouble,
        _held(record.confirmed),
        _held(record.candidate),
        tuple(_components(office)),
        tuple(map(_registered, office.store.registrations())),
        tuple(ListedServer(one.server, one.title) for one in office.talker.known.listed(Usage.REGISTRATION)),
        desk.doing,
        desk.ended,
        desk.form,
        has_relay,
        tuple(_copies(office.standings)) if office.copies.is_required else (),
    )


def _held(held: Held | None) -> HeldSet | None:
    return None if held is None else HeldSet(held.set_number, held.slot.upper())


def _components(office: BackOffice) -> Iterator[InstalledComponent]:
    running, installed = office.machine.running, office.machine.boot.record.catalogue
    newest = {notice.component: words(notice.newest) for notice in office.store.notices(installed)}
    for component in running.components:
        release = component.release
        yield InstalledComponent(release.id, release.title, words(release.version), newer=newest.get(release.id, ""))
    versions = {component.id: words(component.version) for component in installed}
    for failure in running.failures:
        name = failure.component or f"Set {failure.set_number}"
        yield InstalledComponent(name, name, versions.get(name, ""), failure.fault, newest.get(name, ""))


def _copies(standings: Standings) -> Iterator[ShownCopy]:
    for program in standings.programs:
        held, name = standings.copy(program.name), program.name
        yield ShownCopy(
            name,
            words(program.version),
            standings.word(name),
            standings.reason(name) or program.damage,
            held.validated if held else 0,
            name == OWN_PROGRAM,
        )


def _registered(registration: Registration) -> RegisteredAt:
    held = registration.entitlements
    if held is None:
        return RegisteredAt(registration.server, registration.title, registration.name, ())
    return RegisteredAt(
        registration.server,
        registration.title,
        registration.name,
        tuple(sorted(held.applications.items())),
        held.components,
        held.state is State.ACTIVE,
        held.until,
    )
