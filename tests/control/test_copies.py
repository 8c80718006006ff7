"""The copies of a device's programs at the control socket: how they stand, tickets, presentations, letters."""

import pytest

from control.api import Api, events, next_event
from control.fake_daemon import FakeDaemon
from control.fake_phone import FakePhone
from control.meter import COPY, REFUSED, TICKET, make_meter
from fob_daemon.control.copy_requests import EnterLetter
from fob_daemon.control.office_reports import IntegrityChange
from fob_protocol.at.values import Values
from fob_protocol.pkcs11.ckr import Ckr
from support.fake_device_office import FakeDeviceOffice, refusing, saying

NONCE = "00" * 16
LETTER = "ABCD-" * 13 + "ABCD"


@pytest.fixture
def meter(daemon: FakeDaemon, phone: FakePhone) -> FakeDeviceOffice:
    """The one paired device, 'pixel', with copies."""
    make_meter(daemon.offices["pixel"])
    return daemon.offices["pixel"]


async def test_how_the_copies_of_a_device_stand(api: Api, meter: FakeDeviceOffice) -> None:
    status, answer = await api.get("devices/pixel/copies")
    assert (status, answer["copies"][:2]) == (200, [
        {
            "program": "rate", "version": "1.2.0", "copy": "000102030405060708090a0b0c0d0e0f", "state": "valid",
            "reason": "", "validated": 1_900_000_000, "until": 1_900_086_400,
        },
        {
            "program": "slogan", "version": "2.0.1", "copy": "00" * 16, "state": "cloned", "reason": "cloned",
            "validated": None, "until": None,
        },
    ])  # fmt: skip
    assert [copy["reason"] for copy in answer["copies"]] == ["", "cloned", "needs-letter"]


async def test_a_validation_is_answered_by_how_the_copy_stands_then(api: Api, meter: FakeDeviceOffice) -> None:
    status, answer = await api.post("devices/pixel/copies/rate/validation", {})
    assert (status, answer["program"], answer["state"]) == (200, "rate", "valid")
    assert meter.asked == ["+FOBVALIDATE", "+FOBCOPIES"]
    status, answer = await api.post("devices/pixel/copies/slogan/validation", {})
    assert (status, answer["error"]) == (422, {
        "what": "'slogan' was not validated",
        "why": "there are two of this copy, and nobody can say which one is honest (cloned)",
        "next": "ask who runs the office", "exit_code": 1,
    })  # fmt: skip
    status, answer = await api.post("devices/pixel/copies/other/validation", {})
    assert (status, answer["error"]["next"]) == (422, "fob integrity status")
    meter.handlers["+FOBCOPIES"] = saying(REFUSED)
    status, answer = await api.post("devices/pixel/copies/rate/validation", {})
    assert (status, answer["error"]["what"]) == (422, "what came of 'rate' was not told")


@pytest.mark.clause("V18")
async def test_a_ticket_and_a_presentation_of_it(api: Api, meter: FakeDeviceOffice) -> None:
    assert await api.get("devices/pixel/copies/rate/ticket") == (200, {"ticket": TICKET.hex()})
    status, answer = await api.post(
        "devices/pixel/copies/rate/presentation", {"audience": "work.example", "nonce": NONCE}
    )
    assert (status, bytes.fromhex(answer["presentation"])) == (200, TICKET + str(("work.example", bytes(16))).encode())
    assert (await api.get("devices/pixel/copies/slogan/ticket"))[1]["error"]["what"] == "there is no ticket of 'slogan'"


@pytest.mark.parametrize(
    "body",
    [
        {}, {"audience": "a"}, {"nonce": NONCE}, {"audience": "", "nonce": NONCE},
        {"audience": "a" * 129, "nonce": NONCE},
        {"audience": "a", "nonce": "00" * 15}, {"audience": "a", "nonce": "00" * 65}, {"audience": "a", "nonce": "xy"},
        {"audience": "a", "nonce": NONCE, "pin": "1"},
    ],
    ids=str,
)  # fmt: skip
async def test_what_cannot_be_presented(api: Api, meter: FakeDeviceOffice, body: dict[str, str]) -> None:
    assert (await api.post("devices/pixel/copies/rate/presentation", body))[0] == 400
    assert meter.asked == []


async def test_a_letter_is_the_devices_to_read(api: Api, meter: FakeDeviceOffice) -> None:
    arrived: list[Values] = []

    def take(values: Values) -> tuple[Values, ...]:
        arrived.append(values)
        return ()

    meter.handlers["+FOBLETTER"] = take
    status, answer = await api.post("devices/pixel/copies/zones/letter", {"letter": LETTER})
    assert (status, answer["program"], arrived) == (200, "zones", [("zones", LETTER)])
    meter.handlers["+FOBLETTER"] = refusing(Ckr.FUNCTION_REJECTED, "letter-used")
    answer = (await api.post("devices/pixel/copies/zones/letter", {"letter": LETTER}))[1]
    assert answer["error"]["why"] == "this letter was used before, or is over (letter-used)"
    for body in ({}, {"letter": ""}, {"letter": 5}, {"letter": "A" * 257}):
        assert (await api.post("devices/pixel/copies/zones/letter", body))[0] == 400


def test_a_letter_is_not_shown() -> None:
    assert LETTER not in repr(EnterLetter("pixel", "zones", LETTER))


async def test_a_device_that_has_no_copies(api: Api, phone: FakePhone, daemon: FakeDaemon) -> None:
    status, answer = await api.get("devices/pixel/copies")
    assert (status, answer["error"]["next"]) == (422, "fob office status")
    assert (await api.get("devices/nokia/copies"))[0] == 404
    daemon.offices["pixel"].is_away = True
    assert (await api.get("devices/pixel/copies"))[0] == 404


async def test_a_copy_that_stands_otherwise_is_an_event(api: Api, daemon: FakeDaemon, phone: FakePhone) -> None:
    async with api.session.get("/v1/events") as response:
        await daemon.followers.get()
        daemon.announce(IntegrityChange("pixel", "rate", "disabled"))
        assert await next_event(events(response)) == (
            "integrity", {"device": "pixel", "program": "rate", "state": "disabled"},
        )  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [(), ("rate",), (*COPY[:2], "number", *COPY[3:]), (*COPY, 1), (*COPY[:3], None, *COPY[4:]), (1, *COPY[1:])],
    ids=str,
)
async def test_lines_that_are_no_copies(api: Api, meter: FakeDeviceOffice, line: Values) -> None:
    meter.handlers["+FOBCOPIES"] = saying(line)
    assert (await api.get("devices/pixel/copies"))[0] == 422
    meter.handlers["+FOBCOPIES"] = saying(*[COPY] * 41)
    assert (await api.get("devices/pixel/copies"))[0] == 422


@pytest.mark.parametrize(
    ("reason", "why", "remedy"),
    [
        (
            "out-of-sequence",
            "the office does not remember what it told this copy last (out-of-sequence)",
            "ask who runs the office: fob-office copy resynchronise",
        ),
        (
            "needs-letter",
            "somebody has to type the letter of this copy in (needs-letter)",
            "fob integrity letter rate",
        ),
        (None, "the office has not said yet that this copy is genuine (not-validated)", "fob integrity validate"),
    ],
)
async def test_a_copy_without_a_yes_says_why_it_has_none(
    api: Api, meter: FakeDeviceOffice, reason: str | None, why: str, remedy: str
) -> None:
    meter.handlers["+FOBVALIDATE"] = refusing(Ckr.GENERAL_ERROR, "not-validated")
    meter.handlers["+FOBCOPIES"] = saying(("rate", "1.2.0", bytes(16), "not-validated", reason, None, None))
    status, answer = await api.post("devices/pixel/copies/rate/validation", {})
    assert (status, answer["error"]["why"], answer["error"]["next"]) == (422, why, remedy)
    meter.handlers["+FOBCOPIES"] = refusing(Ckr.DEVICE_ERROR)
    assert "(not-validated)" in (await api.post("devices/pixel/copies/rate/validation", {}))[1]["error"]["why"]
