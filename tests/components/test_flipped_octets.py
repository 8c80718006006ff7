"""Each octet of everything that is signed or sealed, changed in turn, is refused, and by its name."""

from collections.abc import Callable
from typing import Final

import pytest
from msgspec.structs import replace

from components.change_scene import ChangeScene
from components.offer_case import Case
from fob_device.components.boot_record import COPIES, BootRecord
from fob_device.components.contents import Contents, content_file
from fob_device.components.equipment import Equipment
from fob_device.components.offer import Offer
from fob_device.components.set_checks import check_offer
from fob_protocol.office.configuration import Granted
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import read
from support.faulty_storage import Disk, FaultyStorage
from support.octets import flipped
from support.office_signers import OfficeSigners

Spoil = Callable[[Offer, bytes], Offer]


def granted(offer: Offer) -> Granted:
    return read(Granted, offer.granted)


def with_granted(offer: Offer, **changes: object) -> Offer:
    return replace(offer, granted=replace(granted(offer), **changes).octets())


# Which octets, where they are put back when they are changed, and by which name the device refuses them.
OBJECTS: Final[dict[str, tuple[Callable[[Offer], bytes], Spoil, Fault]]] = {
    "certificate": (
        lambda offer: offer.certificate,
        lambda offer, octets: replace(offer, certificate=octets),
        Fault.WRONG_ISSUER,
    ),
    "manifest": (
        lambda offer: granted(offer).manifest,
        lambda offer, octets: with_granted(offer, manifest=octets),
        Fault.WRONG_SIGNATURE,
    ),
    "release": (
        lambda offer: granted(offer).releases[0],
        lambda offer, octets: with_granted(offer, releases=(octets, *granted(offer).releases[1:])),
        Fault.WRONG_SIGNATURE,
    ),
    "release certificate": (
        lambda offer: granted(offer).release_certificates[0],
        lambda offer, octets: with_granted(offer, release_certificates=(octets,)),
        Fault.WRONG_ISSUER,
    ),
    "content key": (
        lambda offer: granted(offer).keys[0],
        lambda offer, octets: with_granted(offer, keys=(octets, *granted(offer).keys[1:])),
        Fault.OTHER_DEVICE,
    ),
    "authorisation code": (
        lambda offer: granted(offer).code,
        lambda offer, octets: with_granted(offer, code=octets),
        Fault.WRONG_AUTHORISATION,
    ),
}


@pytest.mark.clause("C20", "C25")
@pytest.mark.parametrize(("get", "put", "fault"), OBJECTS.values(), ids=OBJECTS)
def test_each_octet_of_a_signed_object(
    signers: OfficeSigners, device: Equipment, get: Callable[[Offer], bytes], put: Spoil, fault: Fault
) -> None:
    case = Case(signers, device)
    offer = case.offer()
    octets = get(offer)
    faults = {case.fault(offer=put(offer, flipped(octets, at))) for at in range(len(octets))}
    assert faults == {fault}


@pytest.fixture(scope="module")
def scene() -> ChangeScene:
    return ChangeScene()


@pytest.mark.clause("C8", "C25")
def test_each_octet_of_a_chunk(scene: ChangeScene) -> None:
    storage = FaultyStorage(Disk())
    item = check_offer(scene.offers[1], scene.device, BootRecord(), scene.trust).items[0]
    (chunk,) = scene.sets[1][0].chunks
    contents = Contents(storage)
    for at in range(len(chunk)):
        with pytest.raises(OfficeError) as raised:
            contents.add(item, 0, flipped(chunk, at))
        assert raised.value.fault is Fault.WRONG_DIGEST
    assert storage.names() == []


@pytest.mark.clause("C16", "C25", "C27")
def test_each_octet_on_the_disk(scene: ChangeScene) -> None:
    """The gap between check and use: what was changed is not run, nor what needs it; a boot record is there twice."""
    assert len(scene.old) == 5
    table, rates = (content_file(released.digest) for released in scene.sets[1])
    contents = scene.contents[1]
    for name, octets in scene.old.items():
        for at in range(len(octets)):
            started = scene.start(FaultyStorage(Disk.holding(scene.old | {name: flipped(octets, at)})))
            if name in COPIES:
                assert scene.check(started, 1, 1) == 1
                assert started.storage.disk.files == scene.old
                continue
            faults = [failure.fault for failure in started.machine.running.failures]
            runs = {"table": contents["table"]} if name == rates else {}
            assert (started.runs, faults) == (runs, ["wrong-digest", "no-dependency"][: 2 if name == table else 1])
