"""One bit changed anywhere in what is signed, sealed or proved: it is worth nothing (C5, C8, C20, C25)."""

import pytest
from msgspec.structs import replace

from fob_protocol.office.configuration import Configure, Granted, Outcome, Report, SendReport, Variant, sign_report
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.release import check_chunk
from support.octets import octet_flips
from support.office import OfficeScene
from support.office_device import OfficeDevice
from support.office_shop import ordered_device, release

REFUSED = {Refusal.DENIED, Refusal.MALFORMED}


@pytest.fixture
def device(sqlite_scene: OfficeScene) -> OfficeDevice:
    release(sqlite_scene, "rates")
    return ordered_device(sqlite_scene, "rates")


def refusal(device: OfficeDevice, service: Service, octets: bytes) -> Refusal:
    with pytest.raises(RefusedError) as refused:
        device.say(service, octets)
    return refused.value.refusal


@pytest.mark.clause("C4", "C5", "C24")
@pytest.mark.parametrize("variant", list(Variant))
def test_no_octet_of_a_request_can_be_changed(device: OfficeDevice, variant: Variant) -> None:
    message = device.request(device.challenge(), variant=variant)
    for flipped in octet_flips(message.request):
        assert refusal(device, Service.CONFIGURATION, Configure(variant, flipped).octets()) in REFUSED
    other = Variant(3 - variant)
    assert refusal(device, Service.CONFIGURATION, replace(message, variant=other).octets()) in REFUSED
    assert isinstance(device.answer_to(message), Granted)


@pytest.mark.clause("C10")
def test_no_octet_of_a_report_can_be_changed(device: OfficeDevice) -> None:
    signed = sign_report(device.system_key, Report(device.public_key, 1, 1, Outcome.CONFIRMED, "", 0, ()))
    for flipped in octet_flips(signed):
        assert refusal(device, Service.REPORT, SendReport(flipped).octets()) in REFUSED
    device.send_report(signed)


@pytest.mark.clause("C24")
def test_no_octet_of_a_challenge_can_be_changed(device: OfficeDevice) -> None:
    challenge = device.challenge()
    for flipped in octet_flips(challenge):
        message = device.request(flipped)
        assert refusal(device, Service.CONFIGURATION, message.octets()) is Refusal.DENIED
    assert isinstance(device.answer_to(device.request(challenge)), Granted)


@pytest.mark.clause("C8", "C16", "C20", "C23", "C25")
@pytest.mark.parametrize("part", ["manifest", "releases", "release_certificates", "keys", "code"])
def test_no_octet_of_what_is_granted_can_be_changed(device: OfficeDevice, part: str) -> None:
    granted, challenge = device.ask()
    assert isinstance(granted, Granted)
    whole = getattr(granted, part)
    octets: bytes = whole[0] if isinstance(whole, tuple) else whole
    for flipped in octet_flips(octets):
        changed = replace(granted, **{part: (flipped,) if isinstance(whole, tuple) else flipped})
        with pytest.raises(OfficeError):
            device.check(changed, challenge)
    device.check(granted, challenge)


@pytest.mark.clause("C23")
def test_no_octet_of_a_ticket_can_be_changed(device: OfficeDevice) -> None:
    granted, challenge = device.ask()
    assert isinstance(granted, Granted)
    plan = device.check(granted, challenge)
    wanted = plan.items[0].digest
    for flipped in octet_flips(granted.ticket):
        with pytest.raises(RefusedError) as refused:
            device.chunk(flipped, wanted, 0)
        assert refused.value.refusal is Refusal.NO_CONTENT
    for flipped in octet_flips(wanted):
        with pytest.raises(RefusedError):
            device.chunk(granted.ticket, flipped, 0)
    chunk = device.chunk(granted.ticket, wanted, 0)
    for flipped in octet_flips(chunk):
        with pytest.raises(OfficeError) as error:
            check_chunk(plan.items[0].release, 0, flipped)
        assert error.value.fault is Fault.WRONG_DIGEST


@pytest.mark.clause("C20")
def test_an_older_set_is_not_taken_for_a_newer_one(device: OfficeDevice) -> None:
    granted, challenge = device.ask()
    assert isinstance(granted, Granted)
    plan = device.check(granted, challenge)
    later, again = device.ask()
    assert isinstance(later, Granted)
    with pytest.raises(OfficeError) as error:
        device.check(granted, again)
    assert error.value.fault is Fault.STALE_ANSWER
    device.install(plan, {})
    with pytest.raises(OfficeError) as error:
        device.check(later, again)
    assert error.value.fault is Fault.SET_ROLLBACK
    device.catalogue = ()
    newer, now = device.ask()
    assert isinstance(newer, Granted)
    with pytest.raises(OfficeError) as error:
        device.check(replace(newer, code=granted.code), now)
    assert error.value.fault is Fault.WRONG_AUTHORISATION


def test_octets_that_are_no_message_are_malformed(device: OfficeDevice) -> None:
    for octets in (b"", b"\x80", b"\x81\x03", b"\x83\x02\x01\x40", b"\x83\x02\x03\x40", b"\x82\x01\x01"):
        assert refusal(device, Service.CONFIGURATION, octets) is Refusal.MALFORMED
    for service in (Service.CONTENT, Service.REPORT):
        assert refusal(device, service, b"\x81\x01") is Refusal.MALFORMED
