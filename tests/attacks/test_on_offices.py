"""Attacks that an office refuses: whoever may not have a set is given nothing, by name, and honest devices go on."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from fob_protocol.office.configuration import Configure, Granted
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.limits import CHALLENGE_TIME
from support.octets import flipped
from support.office import OfficeScene, office_scene
from support.office_device import OfficeDevice
from support.office_shop import generic_device, known_device, ordered_device, release, versions

Ask = Callable[[OfficeScene, OfficeDevice], object]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[OfficeScene]:
    (tmp_path / "state").mkdir(mode=0o700)
    with office_scene(tmp_path / "state") as made:
        yield made


def device_that_nobody_knows(scene: OfficeScene, _: OfficeDevice) -> object:
    return generic_device(scene, "M-0666").ask()


def device_without_an_order(scene: OfficeScene, _: OfficeDevice) -> object:
    return known_device(scene, "M-0002").ask()


def serial_of_another(scene: OfficeScene, device: OfficeDevice) -> object:
    other = ordered_device(scene, "rates", serial="M-0002")
    return other.answer_to(other.request(other.challenge(), serial=device.serial))


def request_of_before(scene: OfficeScene, device: OfficeDevice) -> object:
    overheard = device.request(device.challenge())
    device.answer_to(overheard)
    scene.clock.pass_by(CHALLENGE_TIME + 1)
    return device.answer_to(overheard)


def altered_request(_: OfficeScene, device: OfficeDevice) -> object:
    message = device.request(device.challenge())
    return device.answer_to(Configure(message.variant, flipped(message.request)))


def contents_of_a_set_of_before(scene: OfficeScene, device: OfficeDevice) -> object:
    granted, challenge = device.ask()
    assert isinstance(granted, Granted)
    plan = device.check(granted, challenge)
    device.ask()
    return device.chunk(granted.ticket, plan.items[0].digest, 0)


def contents_without_a_ticket(scene: OfficeScene, device: OfficeDevice) -> object:
    granted, challenge = device.ask()
    assert isinstance(granted, Granted)
    return device.chunk(bytes(64), device.check(granted, challenge).items[0].digest, 0)


ATTACKS: Final[dict[str, Ask]] = {
    "a device that nobody knows [SUIT UPD.UNAPPROVED] denied": device_that_nobody_knows,
    "a device without an order [SUIT UPD.UNAPPROVED] denied": device_without_an_order,
    "the serial of another device [SUIT NET.REDIRECT] denied": serial_of_another,
    "a request of before [Uptane eavesdrop] denied": request_of_before,
    "a request that was changed [SUIT NET.ONPATH] denied": altered_request,
    "contents of a set of before [SUIT IMG.DISCLOSURE] no-content": contents_of_a_set_of_before,
    "contents without a ticket [SUIT IMG.DISCLOSURE] no-content": contents_without_a_ticket,
}


@pytest.mark.clause("C2", "C4", "C6", "C22", "C23", "C24")
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack(scene: OfficeScene, attack: str) -> None:
    release(scene, "rates")
    device = ordered_device(scene, "rates")
    with pytest.raises(RefusedError) as raised:
        ATTACKS[attack](scene, device)
    assert raised.value.refusal == attack.rpartition(" ")[2]
    device.configure()
    assert versions(device.catalogue) == {"rates": (1, 0, 0)}
