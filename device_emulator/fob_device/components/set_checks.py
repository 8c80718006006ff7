"""Every rule that a set has to keep before anything of it is fetched (docs/office-protocol.md, section 6.3)."""

from dataclasses import dataclass

from fob_device.components.boot_record import BootRecord
from fob_device.components.equipment import Equipment
from fob_device.components.offer import Certify, Item, Offer, OpenedOffer, open_offer
from fob_device.components.sealed_size import check_chunk_count
from fob_device.components.vector_table import check_commands, check_dependencies, check_order, check_places
from fob_protocol.office.authorisation import authorisation_code
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.component import words
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import is_same
from fob_protocol.office.limits import COUNTER_STEP, SET_LIMIT
from fob_protocol.office.manifest import Manifest
from fob_protocol.office.release import Release
from fob_protocol.office.trust import Trust


@dataclass(frozen=True, slots=True)
class Plan:
    """A set that may be fetched and installed. `trust` is what the device knows after it, for the caller to keep."""

    offer: Offer
    opened: OpenedOffer
    trust: Trust

    @property
    def manifest(self) -> Manifest:
        """The program vector table with what is said of it."""
        return self.opened.manifest

    @property
    def items(self) -> tuple[Item, ...]:
        """In the order of the list."""
        return self.opened.items


def check_offer(
    offer: Offer, equipment: Equipment, held: BootRecord, trust: Trust, challenge: bytes | None = None
) -> Plan:
    """What a device with this boot record is granted; with `challenge` when it is the answer to a request of now.

    Raises OfficeError; keeps nothing.
    """
    opened = open_offer(offer, equipment, _judged_by(trust), challenge)
    _check_manifest(opened.manifest, equipment, held, trust.time)
    for item in opened.items:
        _check_release(item.release, opened.manifest, equipment, held, trust.time)
    _check_sizes(opened.items)
    check_places(opened.items, equipment.memory_map)
    check_dependencies(opened.items)
    check_order(opened.items)
    check_commands(opened.items)
    _check_authorisation(opened, equipment)
    return Plan(offer, opened, trust.with_certificate(opened.server))


def _judged_by(trust: Trust) -> Certify:
    """Who answers now is not older than what was seen; who signed a release once need only not be revoked (R27)."""

    def certify(signed: bytes, server: str | None, usage: Usage) -> Certificate:
        check = trust.check_signer if usage is Usage.RELEASE else trust.check
        return check(signed, server, usage)

    return certify


def _check_manifest(manifest: Manifest, equipment: Equipment, held: BootRecord, time: int) -> None:
    if manifest.hardware != equipment.hardware:
        raise OfficeError(Fault.OTHER_HARDWARE, f"a set for {manifest.hardware}, and this is {equipment.hardware}")
    if manifest.until < time:
        raise OfficeError(Fault.EXPIRED, "the set is over")
    if manifest.set_number != held.set_number + 1:
        raise OfficeError(Fault.SET_ROLLBACK, f"set {manifest.set_number} does not follow set {held.set_number}")
    _check_counter("the set", manifest.security_counter, held.security_counter, held.security_counter)


def _check_release(release: Release, manifest: Manifest, equipment: Equipment, held: BootRecord, time: int) -> None:
    if equipment.hardware not in release.hardware:
        raise OfficeError(Fault.OTHER_HARDWARE, f"{release.id} is not for {equipment.hardware}")
    if release.until < time:
        raise OfficeError(Fault.EXPIRED, f"{release.id} {words(release.version)} is over")
    _check_counter(release.id, release.security_counter, manifest.security_counter, held.security_counter)
    least = held.least_version(release.id)
    if least is not None and release.version < least:
        why = f"{release.id} {words(release.version)} comes after {words(least)}"
        raise OfficeError(Fault.VERSION_ROLLBACK, why)


def _check_counter(what: str, counter: int, least: int, held: int) -> None:
    if counter < least:
        raise OfficeError(Fault.COUNTER_ROLLBACK, f"security counter {counter} of {what} is below {least}")
    if counter > held + COUNTER_STEP:
        raise OfficeError(Fault.COUNTER_TOO_FAR, f"security counter {counter} of {what} is far above {held}")


def _check_sizes(items: tuple[Item, ...]) -> None:
    total = sum(item.release.size for item in items)
    if total > SET_LIMIT:
        raise OfficeError(Fault.TOO_LARGE, f"a set of {total} octets")
    for item in items:
        check_chunk_count(item.release)


def _check_authorisation(opened: OpenedOffer, equipment: Equipment) -> None:
    code = authorisation_code(
        equipment.authorisation_key, equipment.serial, opened.manifest.set_number, opened.catalogue
    )
    if not is_same(code, opened.granted.code):
        raise OfficeError(Fault.WRONG_AUTHORISATION, "the authorisation code is not that of this device and set")
