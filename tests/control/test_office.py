"""The back office at the control socket: what is configured, what devices say, what they are asked to do."""

from dataclasses import replace

import pytest

from control.api import Api, events, next_event
from control.fake_daemon import FakeDaemon
from control.fake_phone import PIN, FakePhone
from control.meter import CONTENT, PAGE, make_meter
from fob_daemon.control.office_refusals import RESULTS
from fob_daemon.control.office_reports import (
    OfficeCheck,
    OfficeReport,
    OptionsChange,
    Progress,
    Relayed,
    RelayReport,
)
from fob_daemon.control.office_words import COMMANDS
from fob_daemon.link.fate import FateUnknownError
from fob_protocol.at.values import Values
from fob_protocol.office.errors import Fault
from fob_protocol.office.refusal_words import MEANINGS, Remedy
from fob_protocol.office.refusals import Refusal
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.relay import RelayStatus
from support.fake_device_office import FakeDeviceOffice, refusing, saying

URL = "https://office.example"
RELAY = RelayReport("pixel", False, 7, 1, "content", "rates", 3, 40, "answered", "", 0.25)


@pytest.fixture
def meter(daemon: FakeDaemon, phone: FakePhone) -> FakeDeviceOffice:
    """The one paired device, 'pixel', with a back office."""
    daemon.office_report = OfficeReport(URL, "/etc/fob/office.pem", (RELAY,))
    make_meter(daemon.offices["pixel"])
    return daemon.offices["pixel"]


async def test_what_is_configured(api: Api, daemon: FakeDaemon, phone: FakePhone) -> None:
    assert await api.get("office") == (200, {"url": "", "ca_file": "", "relays": [], "certificate": ""})
    status, answer = await api.post("office/check", {})
    assert (status, answer["error"]["what"], answer["error"]["exit_code"]) == (409, "there is no office", 7)
    daemon.office_report = OfficeReport(URL, "", (RELAY,))
    daemon.office_check = OfficeCheck(URL, True, "", 12.5)
    assert (await api.get("office"))[1]["relays"][0]["questions"] == 7
    assert await api.post("office/check", {}) == (
        200,
        {"url": URL, "reachable": True, "why": "", "milliseconds": 12.5},
    )


async def test_what_a_device_is_to_its_office(api: Api, meter: FakeDeviceOffice) -> None:
    status, answer = await api.get("devices/pixel/office")
    assert (status, answer["device"], answer["relay"]["result"]) == (200, "pixel", "answered")
    assert answer["office"] == {
        "serial": "M-0001", "hardware": "meter-1", "set_number": 3, "security_counter": 17, "state": "running",
        "words": "", "done": 0, "total": 0,
    }  # fmt: skip
    assert (await api.get("devices/pixel/servers"))[1]["servers"] == [
        {"id": "post", "title": "The post", "application": "postage", "registered": True, "name": "ada"},
        {"id": "bank", "title": "The bank", "application": "money", "registered": False, "name": ""},
    ]
    assert await api.get("devices/pixel/servers/post") == (
        200,
        {
            "version": 4, "active": True, "until": 1_900_000_000, "told": 1_899_990_000,
            "applications": {"postage": 2, "archive": 1},
        },
    )  # fmt: skip
    meter.handlers["+FOBENTITLED"] = saying((4, 2, 1_900_000_000))
    assert (await api.get("devices/pixel/servers/post"))[1]["told"] is None
    assert (await api.get("devices/nokia/office"))[0] == 404


async def test_a_device_without_a_back_office(api: Api, phone: FakePhone) -> None:
    for path in ("office", "servers", "options"):
        status, answer = await api.get(f"devices/pixel/{path}")
        assert (status, answer["error"]["next"]) == (422, "fob options list")
        assert "CKR_FUNCTION_NOT_SUPPORTED" in answer["error"]["why"]


async def test_a_device_that_is_away(api: Api, meter: FakeDeviceOffice) -> None:
    meter.is_away = True
    for path in ("office", "servers", "options", "options/slogan", "servers/post"):
        assert (await api.get(f"devices/pixel/{path}"))[0] == 404
    assert (await api.post("devices/pixel/commands/+XRATE", {"values": []}))[0] == 404


async def test_options_and_what_is_in_them(api: Api, meter: FakeDeviceOffice) -> None:
    _, answer = await api.get("devices/pixel/options")
    assert [(option["id"], option["newest"], option["commands"]) for option in answer["options"]] == [
        ("rate", "1.3.0", ["+XRATE", "+XZONE"]),
        ("slogan", "", []),
    ]
    status, page = await api.get(f"devices/pixel/options/slogan?from={PAGE}")
    assert (status, page["size"]) == (200, len(CONTENT))
    assert bytes.fromhex(page["octets"]) == CONTENT[PAGE : 2 * PAGE]
    status, answer = await api.get("devices/pixel/options/zones")
    assert (status, answer["error"]["next"]) == (422, "fob options list")


async def test_a_command_of_a_component(api: Api, meter: FakeDeviceOffice) -> None:
    assert await api.post("devices/pixel/commands/+XRATE", {"values": [20, "letter", "domestic"]}) == (
        200,
        {"lines": [[80, "cent", {"hex": b"letter domestic".hex()}], [1]]},
    )
    status, answer = await api.post("devices/pixel/commands/+XRATE", {"values": ["20"]})
    assert (status, answer["error"]["why"]) == (422, "the values are not what +XRATE takes (CKR_ARGUMENTS_BAD)")
    status, answer = await api.post("devices/pixel/commands/+XOTHER", {"values": []})
    assert (status, answer["error"]["next"]) == (422, "fob options list")


async def test_every_kind_of_value_arrives_as_it_was_said(api: Api, meter: FakeDeviceOffice) -> None:
    arrived: list[Values] = []

    def echo(values: Values) -> tuple[Values, ...]:
        arrived.append(values)
        return (values,)

    meter.handlers["+XECHO"] = echo
    values = [0, 2**64 - 1, "", 'quote " \\ \u20ac', {"hex": ""}, {"hex": "00ff"}]
    assert await api.post("devices/pixel/commands/+XECHO", {"values": values}) == (200, {"lines": [values]})
    assert arrived == [(0, 2**64 - 1, "", 'quote " \\ \u20ac', b"", b"\x00\xff")]


@pytest.mark.parametrize(
    "values",
    [
        None, "20", {}, [None], [-1], [2**64], [1.5], [True], [[]], [{}], [{"hex": "0"}], [{"hex": 5}],
        [{"hex": "00", "more": 1}], ["\ud800"], [0] * 65,
    ],
    ids=str,
)  # fmt: skip
async def test_what_is_no_value_is_refused(api: Api, meter: FakeDeviceOffice, values: object) -> None:
    status, answer = await api.post("devices/pixel/commands/+XRATE", {"values": values})
    assert (status, answer["error"]["exit_code"], meter.asked) == (400, 2, [])


@pytest.mark.parametrize(
    "command", ["+C_SIGN", "+FOBUNPAIR", "XRATE", "+xrate", "+X RATE", "+XRATE=1", "+X" + "A" * 16]
)
async def test_only_a_components_command_is_run(api: Api, meter: FakeDeviceOffice, command: str) -> None:
    assert (await api.post(f"devices/pixel/commands/{command}", {"values": []}))[0] == 400
    assert meter.asked == []


async def test_a_registration_with_its_template(api: Api, meter: FakeDeviceOffice) -> None:
    status, template = await api.post("devices/pixel/servers/post/registration", {})
    assert (status, template["title"], template["form"]) == (200, "Join the post", 1)
    assert template["fields"] == [
        {"name": "name", "label": "Name", "limit": 64, "required": True},
        {"name": "city", "label": "City", "limit": 8, "required": False},
    ]
    arrived: list[Values] = []

    def register(values: Values) -> tuple[Values, ...]:
        arrived.append(values)
        return ()

    meter.handlers["+FOBREGISTER"] = register
    body = {"fields": {"name": "ada", "city": "Bern"}}
    assert await api.post("devices/pixel/servers/post/registration", body) == (
        200,
        {"device": "pixel", "server": "post"},
    )
    assert arrived == [("post", 2, "name", "ada", "city", "Bern")]


async def test_a_device_without_a_pad_wants_a_login_first(api: Api, meter: FakeDeviceOffice, phone: FakePhone) -> None:
    def registered(values: Values) -> tuple[Values, ...]:
        if not phone.logins:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN)
        return ()

    meter.handlers["+FOBREGISTER"] = registered
    path, fields = "devices/pixel/servers/post/registration", {"fields": {"name": "ada"}}
    assert (await api.post(path, fields))[0] == 428
    assert (await api.post(path, {**fields, "pin": "1111"}))[1]["error"]["why"].startswith("the PIN is wrong")
    phone.logins.clear()
    assert (await api.post(path, {**fields, "pin": PIN.decode()}))[0] == 200
    assert phone.logins == [PIN]


async def test_an_unlocked_device_whose_power_was_cut_is_used_without_another_pin(
    api: Api, meter: FakeDeviceOffice, phone: FakePhone
) -> None:
    def used(values: Values) -> tuple[Values, ...]:
        if phone.was_cut or not phone.logins:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN)
        return ((200, b"done"),)

    meter.handlers["+FOBUSE"] = used
    path, use = "devices/pixel/servers/post/use", {"application": "postage", "path": "quote"}
    await api.post("unlock", {"device": "pixel", "pin": PIN.decode()})
    assert (await api.post(path, use))[0] == 200
    phone.was_cut = True
    assert ((await api.post(path, use))[0], phone.resumed, phone.logins) == (200, 1, [PIN])
    phone.was_cut, phone.tickets_are_good = True, False
    assert (await api.post(path, use))[0] == 428
    assert (await api.post("unlock", {"device": "pixel", "pin": PIN.decode()}))[0] == 200
    assert ((await api.post(path, use))[0], phone.logins) == (200, [PIN, PIN])


async def test_a_device_that_wants_its_login_again_says_how_to_give_it(
    api: Api, meter: FakeDeviceOffice, phone: FakePhone
) -> None:
    meter.handlers["+FOBUSE"] = refusing(Ckr.USER_NOT_LOGGED_IN)
    use = {"application": "postage", "path": "quote", "pin": PIN.decode()}
    status, answer = await api.post("devices/pixel/servers/post/use", use)
    assert (status, answer["error"]["why"]) == (422, "the device is locked (CKR_USER_NOT_LOGGED_IN)")
    assert answer["error"]["next"] == "fob unlock"


@pytest.mark.parametrize(
    "fields",
    [
        [],
        "name",
        {"name": 5},
        {"name": "a\x1b"},
        {"name": "a" * 257},
        {"": "a"},
        {"n" * 33: "a"},
        {str(n): "a" for n in range(17)},
    ],
    ids=str,
)
async def test_fields_that_cannot_be(api: Api, meter: FakeDeviceOffice, fields: object) -> None:
    assert (await api.post("devices/pixel/servers/post/registration", {"fields": fields}))[0] == 400
    assert meter.asked == []


async def test_the_use_of_an_application(api: Api, meter: FakeDeviceOffice) -> None:
    body = {"application": "postage", "path": "quote", "body": b"letter".hex()}
    assert await api.post("devices/pixel/servers/post/use", body) == (200, {"status": 200, "body": b"LETTER".hex()})
    longest = {**body, "body": "61" * 8192}
    assert (await api.post("devices/pixel/servers/post/use", longest))[1]["body"] == "41" * 8192
    assert (await api.post("devices/pixel/servers/post/use", {**body, "body": "61" * 8193}))[0] == 400


@pytest.mark.parametrize("ckr", [Ckr.FUNCTION_REJECTED, Ckr.GENERAL_ERROR])
@pytest.mark.parametrize("reason", ["name-taken", "name-taken: by somebody else"])
async def test_a_refusal_is_said_in_words_with_its_name(
    api: Api, meter: FakeDeviceOffice, ckr: Ckr, reason: str
) -> None:
    meter.handlers["+FOBREGISTER"] = refusing(ckr, reason)
    status, answer = await api.post("devices/pixel/servers/post/registration", {"fields": {"name": "ada"}})
    assert (status, answer["error"]) == (
        422,
        {
            "what": "not registered",
            "why": "somebody else is registered there by that name (name-taken)",
            "next": "the same command with another --name",
            "exit_code": 1,
        },
    )


async def test_the_next_command_names_the_server(api: Api, meter: FakeDeviceOffice) -> None:
    use = {"application": "postage", "path": "quote"}
    for refusal, command in (("not-entitled", "entitled"), ("not-proved", "register")):
        meter.handlers["+FOBUSE"] = refusing(Ckr.FUNCTION_REJECTED, refusal)
        _, answer = await api.post("devices/pixel/servers/post/use", use)
        assert answer["error"]["next"] == f"fob office {command} post"


async def test_a_person_who_says_no_is_no_office_that_refuses(api: Api, meter: FakeDeviceOffice) -> None:
    meter.handlers["+FOBREGISTER"] = refusing(Ckr.FUNCTION_REJECTED)
    assert (await api.post("devices/pixel/servers/post/registration", {}))[0] == 403


async def test_an_unknown_server(api: Api, meter: FakeDeviceOffice) -> None:
    status, answer = await api.post("devices/pixel/servers/shop/registration", {})
    assert (status, answer["error"]["why"]) == (422, "the device knows no such server (CKR_ARGUMENTS_BAD)")
    meter.handlers["+FOBENTITLED"] = refusing(Ckr.ARGUMENTS_BAD, "not registered at bank")
    assert (await api.get("devices/pixel/servers/bank"))[1]["error"] == {
        "what": "the entitlements were not read",
        "why": "not registered at bank (CKR_ARGUMENTS_BAD)",
        "next": "fob office status",
        "exit_code": 1,
    }


async def test_an_office_that_could_not_be_reached_by_another_computer(api: Api, meter: FakeDeviceOffice) -> None:
    meter.handlers["+FOBREGISTER"] = refusing(Ckr.GENERAL_ERROR, "unreachable")
    status, answer = await api.post("devices/pixel/servers/post/registration", {})
    assert (status, answer["error"]["why"]) == (422, "the office cannot be reached (unreachable)")


@pytest.mark.parametrize(
    ("ckr", "words"),
    [
        (Ckr.GENERAL_ERROR, "unavailable"),
        (Ckr.GENERAL_ERROR, "unreachable"),
        (Ckr.FUNCTION_CANCELED, ""),
        (Ckr.FUNCTION_FAILED, ""),
    ],
)
async def test_an_office_that_cannot_be_reached_is_why(
    api: Api, daemon: FakeDaemon, meter: FakeDeviceOffice, ckr: Ckr, words: str
) -> None:
    meter.handlers["+FOBREGISTER"] = refusing(ckr, words)
    for result, why, remedy in (
        ("unreachable", "Connection refused", "fob doctor"),
        ("no-office", "none", "set [office] url in fobd.toml (docs/configuration.md), restart fobd"),
    ):
        daemon.office_report = OfficeReport(URL, "", (replace(RELAY, result=result, why=why),))
        status, answer = await api.post("devices/pixel/servers/post/registration", {})
        assert (status, answer["error"]["why"]) == (422, f"the office did not answer: {why}")
        assert answer["error"]["next"] == remedy


async def test_a_link_that_is_lost_loses_nothing(api: Api, meter: FakeDeviceOffice) -> None:
    meter.broken = FateUnknownError("the link was lost")
    status, answer = await api.post("devices/pixel/servers/post/registration", {})
    assert (status, answer["error"]["why"]) == (422, "the link was lost, and nothing with it (CKR_DEVICE_ERROR)")
    assert answer["error"]["next"] == "the same command again; it goes on where it was"


def test_every_refusal_has_words() -> None:
    assert {*Refusal, *Fault, *RESULTS.values()} - set(MEANINGS) == {RESULTS[RelayStatus.ANSWERED]}
    assert set(COMMANDS) == set(Remedy)


async def test_a_configuration_tells_how_far_it_is(api: Api, daemon: FakeDaemon, meter: FakeDeviceOffice) -> None:
    daemon.add_phone("other", FakePhone("Other", "FOB-0002"))

    def configure(values: Values) -> tuple[Values, ...]:
        assert values == (2,)
        daemon.announce(Progress("other", "not this one", 1, 2))
        daemon.announce(Progress("pixel", "fetching", 1, 2))
        daemon.announce(Relayed("pixel", "content", "fetching", 1, 2, "answered", "", 0.1))
        return ()

    meter.handlers["+FOBCONFIGURE"] = configure
    async with api.session.post("/v1/devices/pixel/configuration", json={"purpose": "reconfigure"}) as response:
        stream = events(response)
        assert await next_event(stream) == ("progress", {"device": "pixel", "words": "fetching", "done": 1, "total": 2})
        name, data = await next_event(stream)
        assert (name, data["result"]) == ("relay", "answered")
        name, data = await next_event(stream)
        assert (name, data["office"]["set_number"], data["device"]) == ("configured", 3, "pixel")
        assert [event async for event in stream] == []
    assert daemon.queues == []


@pytest.mark.parametrize(
    ("ckr", "words", "why"),
    [
        (Ckr.GENERAL_ERROR, "set-rollback", "the office sent a set out of turn (set-rollback)"),
        (Ckr.FUNCTION_REJECTED, "denied", MEANINGS["denied"][0] + " (denied)"),
        (Ckr.GENERAL_ERROR, "bad-module", "the component is no module that the device can run (bad-module)"),
    ],
)
async def test_a_configuration_that_is_refused(
    api: Api, meter: FakeDeviceOffice, ckr: Ckr, words: str, why: str
) -> None:
    meter.handlers["+FOBCONFIGURE"] = refusing(ckr, words)
    async with api.session.post("/v1/devices/pixel/configuration", json={"purpose": "look"}) as response:
        name, data = await next_event(events(response))
    assert (name, data["what"], data["why"]) == ("error", "'pixel' was not configured", why)
    assert data["next"] == ("fob office status" if words == "bad-module" else "ask who runs the office")


async def test_a_purpose_that_there_is_not(api: Api, meter: FakeDeviceOffice) -> None:
    assert (await api.post("devices/pixel/configuration", {"purpose": "all"}))[0] == 400
    assert (await api.post("devices/pixel/configuration", {}))[0] == 400


@pytest.mark.parametrize(
    ("command", "lines", "path"),
    [
        ("+FOBOFFICE", ((1, 2),), "office"),
        ("+FOBOFFICE", (), "office"),
        ("+FOBSERVERS", (("a", "b"),), "servers"),
        ("+FOBSERVERS", (("a", "b", "c", 2, "d"),), "servers"),
        ("+FOBSERVERS", (("a", "b", "c", 0, "d"),) * 65, "servers"),
        ("+FOBENTITLED", ((1, 3, 5),), "servers/post"),
        ("+FOBENTITLED", ((1, 1, 5, "now"),), "servers/post"),
        ("+FOBENTITLED", ((1, 1, 5, 6, 7),), "servers/post"),
        ("+FOBENTITLED", ((1, 1, 5), ("a",)), "servers/post"),
        ("+FOBOPTIONS", (("a", "b", 1, "c"),), "options"),
        ("+FOBOPTIONS", (("a", "b", 1, "c", 5, None, None, 8),), "options"),
        ("+FOBOPTIONS", (("a", "1.0.0", 1, "c", 5),) * 33, "options"),
        ("+FOBOPTION", (("a",),), "options/slogan"),
    ],
)
async def test_an_answer_that_makes_no_sense(
    api: Api, meter: FakeDeviceOffice, command: str, lines: tuple[Values, ...], path: str
) -> None:
    meter.handlers[command] = saying(*lines)
    status, answer = await api.get(f"devices/pixel/{path}")
    assert (status, "CKR_DEVICE_ERROR" in answer["error"]["why"]) == (422, True)


async def test_who_follows_events_hears_of_the_office(api: Api, daemon: FakeDaemon, meter: FakeDeviceOffice) -> None:
    async with api.session.get("/v1/events") as response:
        stream = events(response)
        daemon.announce(Relayed("pixel", "content", "rates", 3, 40, "unreachable", "it hung up", 0.25))
        daemon.announce(Progress("pixel", "rates", 3, 40))
        daemon.announce(OptionsChange("pixel", 4))
        name, data = await next_event(stream)
        assert (name, data["result"], data["why"]) == ("relay", "unreachable", "it hung up")
        steps = {"device": "pixel", "words": "rates", "done": 3, "total": 40}
        assert await next_event(stream) == ("progress", steps)
        assert await next_event(stream) == ("options", {"device": "pixel", "set_number": 4})
