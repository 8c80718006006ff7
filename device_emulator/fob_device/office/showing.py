"""What of a back office is shown on the device's own screen."""

from collections.abc import Iterator

from fob_device.office.back_office import BackOffice
from fob_device.office.store import Registration
from fob_device.overview.office import InstalledComponent, OfficeOverview, RegisteredAt
from fob_protocol.office.component import words


def overview(office: BackOffice) -> OfficeOverview:
    """As it is now."""
    told, record = office.progress.now, office.machine.boot.record
    return OfficeOverview(
        office.device.serial,
        office.device.hardware,
        office.state,
        office.words,
        told.done,
        told.total,
        record.set_number,
        tuple(_components(office)),
        tuple(map(_registered, office.store.registrations())),
    )


def _components(office: BackOffice) -> Iterator[InstalledComponent]:
    running = office.machine.running
    newest = {notice.component: words(notice.newest) for notice in office.store.notices(running.catalogue)}
    for component in running.components:
        release = component.release
        yield InstalledComponent(release.id, release.title, words(release.version), newer=newest.get(release.id, ""))
    versions = {component.id: words(component.version) for component in office.machine.boot.record.catalogue}
    for failure in running.failures:
        name = failure.component or f"set {failure.set_number}"
        yield InstalledComponent(name, name, versions.get(name, ""), fault=failure.fault)


def _registered(registration: Registration) -> RegisteredAt:
    held = registration.entitlements
    return RegisteredAt(registration.title, registration.name, tuple(sorted(held.applications.items())) if held else ())
