"""What a device says of its copies by itself: told on, and kept for the status until it says otherwise."""

from fob_daemon.control.interface import ControlEvent
from fob_daemon.control.office_reports import IntegrityChange
from fob_daemon.device.back_office import BackOffice
from fob_daemon.device.timeouts import Timeouts
from fob_daemon.relay.office import NoOffice
from fob_protocol.integrity.limits import HOLDINGS_LIMIT
from support.fake_device_office import FakeDeviceOffice


def back_office(device: FakeDeviceOffice, told: list[ControlEvent]) -> BackOffice:
    return BackOffice(lambda: "meter", device, Timeouts(), NoOffice(), told.append)


async def test_which_copies_do_not_run_is_kept_and_told() -> None:
    device, told = FakeDeviceOffice(), list[ControlEvent]()
    office = back_office(device, told)
    for program, state in (("rate", "not-validated"), ("rate", "cloned"), ("slogan", "disabled"), ("zones", "valid")):
        device.say("+FOBINTEGRITY", program, state)
    assert office.report().refused == {"rate": "cloned", "slogan": "disabled"}
    assert told[1] == IntegrityChange("meter", "rate", "cloned")
    device.say("+FOBINTEGRITY", "rate", "valid")
    device.say("+FOBINTEGRITY", "slogan", "needs-none")
    assert office.report().refused == {}
    await office.close()


async def test_a_new_session_says_it_anew() -> None:
    device = FakeDeviceOffice()
    office = back_office(device, [])
    device.say("+FOBINTEGRITY", "rate", "cloned")
    device.come_back()
    assert office.report().refused == {}
    await office.close()


async def test_what_a_device_may_say_has_bounds() -> None:
    device = FakeDeviceOffice()
    office = back_office(device, [])
    for number in range(100):
        device.say("+FOBINTEGRITY", f"{number}-{'p' * 100}", "s" * 100)
    device.say("+FOBINTEGRITY", "rate")
    device.say("+FOBINTEGRITY", 1, "cloned")
    refused = office.report().refused
    assert (len(refused), max(map(len, refused)), max(map(len, refused.values()))) == (HOLDINGS_LIMIT, 32, 32)
    await office.close()
