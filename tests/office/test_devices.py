"""Device records: one for each device, complete or refused (C1)."""

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from fob_office.devices.service import add_device, authorisation_key, device_of
from fob_office.devices.tables import Device
from fob_office.errors import OperatorError
from fob_protocol.cose import hpke, sign1
from fob_protocol.cose.cbor import decode, encode
from fob_protocol.cose.labels import Label
from fob_protocol.office.factory import FactoryRecord, Region, RegionUse
from support.octets import octet_flips
from support.office import OfficeScene
from support.office_device import OfficeDevice
from support.office_shop import OPERATOR, generic_device, known_device

CODE = Region("code", 0x1000, 0x1000, RegionUse.MODULES)
DATA = Region("data", 0x2000, 0x1000, RegionUse.DATA)


def sealed(device: OfficeDevice, octets: bytes) -> bytes:
    """What the device signs, whatever it is."""
    signed = sign1.sign(device.system_key, Label.FACTORY_RECORD, [], octets)
    return hpke.seal_to(device.server.sealing_key, Label.FACTORY_RECORD, [], signed)


def count(scene: OfficeScene) -> int:
    with scene.office.database.read() as session:
        return session.scalar(select(func.count()).select_from(Device)) or 0


@pytest.mark.clause("C1")
def test_a_record_holds_what_the_factory_said(scene: OfficeScene) -> None:
    device = known_device(scene)
    with scene.office.database.read() as session:
        row = device_of(session, device.serial)
    assert (row.hardware, row.signing_key, row.counter) == (device.hardware, device.public_key, 0)
    assert device.authorisation_key not in row.authorisation_key
    assert authorisation_key(scene.office, row) == device.authorisation_key


@pytest.mark.clause("C1")
def test_a_record_that_lacks_any_element_is_refused(scene: OfficeScene) -> None:
    device = generic_device(scene)
    elements = decode(device.factory_record().octets())
    assert isinstance(elements, list)
    for missing in range(len(elements)):
        shorter = elements[:missing] + elements[missing + 1 :]
        emptied = [*elements[:missing], None, *elements[missing + 1 :]]
        for wrong in (shorter, emptied):
            with pytest.raises(OperatorError, match="the device was not added"):
                add_device(scene.office, sealed(device, encode(wrong)), OPERATOR)
    assert count(scene) == 0
    add_device(scene.office, sealed(device, encode(elements)), OPERATOR)


@pytest.mark.clause("C1")
@pytest.mark.parametrize(
    ("regions", "why"),
    [
        ((CODE,), "no region for data"),
        ((DATA,), "no region for modules"),
        ((CODE, replace(DATA, name="code")), "two regions have one name"),
        ((CODE, replace(DATA, start=0x1FFF)), "region code overlaps data"),
    ],
)
def test_a_memory_map_in_which_nothing_can_be_placed_is_refused(
    sqlite_scene: OfficeScene, regions: tuple[Region, ...], why: str
) -> None:
    device = generic_device(sqlite_scene, regions=regions)
    with pytest.raises(OperatorError, match=why):
        add_device(sqlite_scene.office, device.sealed_record(), OPERATOR)


@pytest.mark.clause("C1")
def test_a_serial_and_a_key_have_one_record(scene: OfficeScene) -> None:
    device = known_device(scene)
    clone = generic_device(scene, "M-0002")

    def record(of: OfficeDevice, **changes: object) -> bytes:
        changed: FactoryRecord = replace(of.factory_record(), **changes)
        return sealed(of, changed.octets())

    for taken in (record(device, serial="M-0003"), record(clone, serial=device.serial), device.sealed_record()):
        with pytest.raises(OperatorError, match="has a record already"):
            add_device(scene.office, taken, OPERATOR)
    assert count(scene) == 1


@pytest.mark.clause("C1")
def test_a_record_is_the_devices_own_and_for_this_office(sqlite_scene: OfficeScene) -> None:
    scene = sqlite_scene
    device, other = generic_device(scene), generic_device(scene, "M-0002")

    def refused(octets: bytes) -> bool:
        with pytest.raises(OperatorError):
            add_device(scene.office, octets, OPERATOR)
        return True

    assert refused(other.factory_record().sealed(device.system_key, device.server.sealing_key))
    assert refused(device.factory_record().sealed(device.system_key, other.sealing_key.public_key().public_bytes_raw()))
    registration = scene.certificate("registration").sealing_key
    assert refused(device.factory_record().sealed(device.system_key, registration))
    assert refused(b"")
    with pytest.raises(OperatorError) as told:
        add_device(scene.office, b"a photograph", OPERATOR)
    assert told.value.why == "what is there is no factory record"
    assert refused(sealed(device, b"no record"))


@pytest.mark.clause("C1")
def test_no_octet_of_a_record_can_be_changed(sqlite_scene: OfficeScene) -> None:
    record = generic_device(sqlite_scene).sealed_record()
    for flipped in octet_flips(record):
        with pytest.raises(OperatorError):
            add_device(sqlite_scene.office, flipped, OPERATOR)
    assert count(sqlite_scene) == 0
