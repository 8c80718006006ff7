"""The meter at the control socket: what is asked and told, refusals in a person's words, and batches as streams."""

from typing import Any

import pytest

from control.api import Api, events
from control.fake_daemon import FakeDaemon
from control.fake_phone import PIN, FakePhone
from fob_daemon.control.limits import MAX_BODY
from fob_daemon.control.meter_refusals import FAULTS
from fob_protocol.at.values import Values
from fob_protocol.metering.faults import MeterFault
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.fake_device_office import refusing, saying
from support.fake_meter import SERIAL, FakeMeter

PIECE = {"destination": "20095", "address": "Erika 1, Hamburg", "service": "letter", "grams": 20, "zone": "domestic"}
SIGN_UP = {"name": "ada", "value_kind": "eur-cent", "payment": "prepaid", "origins": ["10115"]}
METER = {
    "stage": "ready", "name": "ada", "serial": SERIAL, "value_kind": "eur-cent", "counter": 1, "ascending": 0,
    "descending": 100_000, "pieces": 0, "loads": 100_000, "owed": 0, "state": 1, "payment": 1, "order": "", "word": "",
    "fault": "", "fee": 0, "ahead": 0,
}  # fmt: skip


@pytest.fixture
def meter(daemon: FakeDaemon, phone: FakePhone) -> FakeMeter:
    """The one paired device, 'pixel', with a meter."""
    return FakeMeter(daemon.offices["pixel"]).rich()


async def franked(api: Api, job: int, **body: object) -> list[tuple[str, Any]]:
    """The events of a batch, but of how far it is looked at before."""
    async with api.session.post(f"/v1/devices/pixel/meter/jobs/{job}/franking", json=body) as response:
        return [(event.name, event.data) async for event in events(response) if event.name != "looked"]


async def test_what_a_device_has_of_a_meter(api: Api, meter: FakeMeter) -> None:
    assert await api.get("meters") == (200, {"meters": []})
    assert await api.get("devices/pixel/meter") == (200, {"device": "pixel", "meter": METER})
    assert await api.get("meters") == (200, {"meters": [{"device": "pixel", "meter": METER, "waiting": 0, "last": 0}]})
    assert meter.device.asked == ["+FOBMETER"]
    _, told = await api.post("devices/pixel/meter/about", {})
    assert (told["about"]["origins"], told["about"]["refill_below"]) == (["10115", "20095"], 1000)
    terms = {"device": "pixel", "deposit": 500, "fee": 0, "value_kinds": ["eur-cent", "pages"]}
    assert await api.get("devices/pixel/meter/terms") == (200, terms)


async def test_one_letter(api: Api, meter: FakeMeter) -> None:
    assert await api.post("devices/pixel/meter/jobs", {}) == (
        200,
        {"device": "pixel", "job": 1, "dropped": 0, "ended": []},
    )
    answer = await api.post("devices/pixel/meter/jobs/1/pieces", {"pieces": [PIECE]})
    assert answer == (200, {"device": "pixel", "job": 1, "total": 1})
    told = await franked(api, 1)
    assert told[0] == ("franked", {"job": 1, "counter": 2, "pieces": 1, "amount": 95, "done": 1, "total": 1})
    assert (told[1][0], told[1][1]["done"], told[1][1]["meter"]["descending"]) == ("finished", 1, 99_905)
    # Whose batch it is, and the batch.
    assert meter.device.asked == ["+FOBMETER", "+FOBMETERFRANK", "+FOBMETERTAKEN"]
    _, listed = await api.get("devices/pixel/meter/franked")
    assert [(one["counter"], one["job"], one["pieces"]) for one in listed["franked"]] == [(2, 1, 1)]
    _, found = await api.get("devices/pixel/meter/franked/2")
    assert (found["deed"], found["labels"], len(found["indicia"])) == ("frank", 1, 1)
    assert found["indicia"][0].keys() == {"indicium", "token", "given_back"}
    _, history = await api.post("devices/pixel/meter/history", {"after": 0})
    assert [(one["counter"], one["deed"]) for one in history["transactions"]] == [(1, "load"), (2, "frank")]
    assert [one["value_kind"] for one in history["transactions"]] == ["eur-cent", "eur-cent"]


@pytest.mark.clause("M32")
async def test_a_transaction_has_the_value_kind_of_its_meter(api: Api, meter: FakeMeter) -> None:
    """A load has no indicium that says it; the device does, who never told it to this computer before."""
    meter.rich(100)
    _, history = await api.post("devices/pixel/meter/history", {"after": 0})
    assert {one["value_kind"] for one in history["transactions"]} == {"eur-cent"}
    assert meter.device.asked == ["+FOBMETERHISTORY", "+FOBMETER"]


@pytest.mark.clause("M32")
async def test_a_value_kind_that_nobody_knows_is_left_out(api: Api, meter: FakeMeter) -> None:
    (state,) = meter._state(())
    meter.device.handlers["+FOBMETER"] = saying((*state[:4], "", *state[5:]))
    _, history = await api.post("devices/pixel/meter/history", {"after": 0})
    assert [one["deed"] for one in history["transactions"]] == ["load"]
    assert "value_kind" not in history["transactions"][0]


async def test_a_batch_that_is_cut_goes_on(api: Api, meter: FakeMeter) -> None:
    meter.descending = 95
    await api.post("devices/pixel/meter/jobs", {})
    await api.post("devices/pixel/meter/jobs/1/pieces", {"pieces": [PIECE] * 65})
    [(name, error)] = await franked(api, 1)
    assert name == "error"
    assert error["why"] == "there is not enough left on the meter (insufficient-funds)"
    assert error["next"] == "fob meter refill AMOUNT, and then: fob meter frank --resume"
    _, loaded = await api.post("devices/pixel/meter/loads", {"amount": 10_000})
    assert (loaded["amount"], loaded["is_resumed"], loaded["meter"]["descending"]) == (10_000, False, 10_095)
    told = await franked(api, 0)
    assert [name for name, _ in told] == ["franked", "franked", "finished"]
    [(_, error)] = await franked(api, 0)
    assert (error["why"], error["exit_code"]) == ("no batch waits to go on", 7)


async def test_a_device_without_a_pad_needs_its_pin_once(api: Api, meter: FakeMeter, phone: FakePhone) -> None:
    meter.needs_pin = True
    await api.post("devices/pixel/meter/jobs", {})
    await api.post("devices/pixel/meter/jobs/1/pieces", {"pieces": [PIECE]})
    [(name, error)] = await franked(api, 1)
    assert (name, error["status"], error["what"]) == ("error", 428, "'pixel' needs its PIN")
    status, _ = await api.post("devices/pixel/meter/loads", {"amount": 500})
    assert status == 428
    assert meter.paid == []
    load = meter.device.handlers["+FOBMETERLOAD"]

    def unlocked_then(values: Values) -> tuple[Values, ...]:
        """Asked once in vain; then the daemon has logged in."""
        meter.needs_pin, was_locked = False, meter.needs_pin
        if was_locked:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN)
        return load(values)

    meter.device.handlers["+FOBMETERLOAD"] = unlocked_then
    status, answer = await api.post("devices/pixel/meter/loads", {"amount": 500, "pin": PIN.decode()})
    assert (status, answer["amount"], [amount for _, amount in meter.paid]) == (200, 500, [500])


async def test_a_device_that_is_lost_midway_or_sends_what_is_none(api: Api, meter: FakeMeter) -> None:
    meter.device.handlers["+FOBMETER"] = refusing(Ckr.DEVICE_REMOVED)
    what = "what there is to know of the meter of 'pixel' was not told"
    _, answer = await api.post("devices/pixel/meter/about", {})
    assert answer["error"]["what"] == what
    meter.device.handlers["+FOBMETERHISTORY"] = lambda values: ((b"no transaction",),)
    _, answer = await api.post("devices/pixel/meter/history", {"after": 0})
    assert answer["error"]["what"] == what


@pytest.mark.parametrize("fault", MeterFault)
async def test_what_the_device_finds_wrong_is_said_in_words(api: Api, meter: FakeMeter, fault: MeterFault) -> None:
    meter.device.handlers["+FOBMETERLOAD"] = refusing(Ckr.GENERAL_ERROR, fault)
    status, answer = await api.post("devices/pixel/meter/loads", {"amount": 500})
    words, deed = FAULTS[fault]
    assert (status, answer["error"]["why"], answer["error"]["next"]) == (422, f"{words} ({fault})", deed)


@pytest.mark.parametrize(
    ("refusal", "code", "why"),
    [
        (CkrError(Ckr.FUNCTION_REJECTED, "refused on the device"), 5, "the person said no on the phone"),
        (CkrError(Ckr.FUNCTION_CANCELED, ""), 6, "nobody answered on the phone in time"),
        (CkrError(Ckr.FUNCTION_REJECTED, "stopped"), 1, "the meter is stopped"),
        (CkrError(Ckr.FUNCTION_REJECTED, "payment-refused"), 1, "the payment was refused"),
        (CkrError(Ckr.ARGUMENTS_BAD, "an amount is 1 to 1000000000000"), 1, "an amount is"),
    ],
)
async def test_refusals(api: Api, meter: FakeMeter, refusal: CkrError, code: int, why: str) -> None:
    meter.device.handlers["+FOBMETERLOAD"] = refusing(refusal.ckr, refusal.reason)
    _, answer = await api.post("devices/pixel/meter/loads", {"amount": 500})
    assert (answer["error"]["what"], answer["error"]["exit_code"]) == ("nothing was loaded", code)
    assert answer["error"]["why"].startswith(why)


OPERATOR = "ask who runs the data centre"
GO_ON = "fob meter frank --resume    (or --give-up)"
OTHER_AMOUNT = "the same command with another AMOUNT"


@pytest.mark.parametrize(
    ("reason", "words", "deed"),
    [
        ("over-limit", "that is more than the meter may do", f"{OPERATOR}, and then: {GO_ON}"),
        ("stopped", "the meter is stopped", f"{OPERATOR}, and then: {GO_ON}"),
        (
            "tampering", "the data centre has found a record that somebody changed or put back",
            f"{OPERATOR}, and then: {GO_ON}",
        ),
        (
            "wrong-origin", "the mailer does not post there",
            "fob meter frank --give-up, and then the batch anew with other origins",
        ),
        ("payment-refused", "the payment was refused", f"ask who pays for the meter, and then: {GO_ON}"),
    ],
)  # fmt: skip
async def test_what_helps_a_batch_that_is_refused(
    api: Api, meter: FakeMeter, reason: str, words: str, deed: str
) -> None:
    await api.post("devices/pixel/meter/jobs", {})
    await api.post("devices/pixel/meter/jobs/1/pieces", {"pieces": [PIECE]})
    meter.refusal = CkrError(Ckr.FUNCTION_REJECTED, reason)
    [(_, error)] = await franked(api, 1)
    assert (error["why"], error["next"]) == (f"{words} ({reason})", deed)


async def test_values_that_the_device_does_not_take_need_another_batch(api: Api, meter: FakeMeter) -> None:
    await api.post("devices/pixel/meter/jobs", {})
    await api.post("devices/pixel/meter/jobs/1/pieces", {"pieces": [PIECE]})
    meter.refusal = CkrError(Ckr.ARGUMENTS_BAD, "the rates are not in pages")
    [(_, error)] = await franked(api, 1)
    assert error["why"] == "the rates are not in pages (CKR_ARGUMENTS_BAD)"
    assert error["next"] == "fob meter frank --give-up, and then the batch anew with what is wrong mended"


@pytest.mark.parametrize(
    ("path", "body", "reason", "why", "deed"),
    [
        (
            "loads",
            {"amount": 1},
            "payment-refused",
            "the payment was refused",
            f"{OTHER_AMOUNT}, or ask who pays for the meter",
        ),
        ("loads", {"amount": 1}, "over-limit", "so much may not be owed", OTHER_AMOUNT),
        ("refunds", {"amount": 5}, "insufficient-funds", "so much was not paid, or is not left", OTHER_AMOUNT),
        ("refunds", {"amount": 5}, "stopped", "the meter is stopped", OPERATOR),
        (
            "sign-up",
            SIGN_UP,
            "name-taken",
            "somebody else is registered there by that name",
            "the same command with another NAME, or where it is yours: fob meter sign-on NAME",
        ),
        (
            "sign-on",
            {"name": "ada"},
            "not-authenticated",
            "the data centre does not know this mailer by that",
            "the same command with the right NAME and password",
        ),
    ],
)
async def test_what_helps_with_money_and_accounts(
    api: Api, meter: FakeMeter, path: str, body: object, reason: str, why: str, deed: str
) -> None:
    name = {"loads": "LOAD", "refunds": "REFUND", "sign-up": "SIGNUP", "sign-on": "SIGNON"}[path]
    meter.device.handlers[f"+FOBMETER{name}"] = refusing(Ckr.FUNCTION_REJECTED, reason)
    _, answer = await api.post(f"devices/pixel/meter/{path}", body)
    assert (answer["error"]["why"], answer["error"]["next"]) == (f"{why} ({reason})", deed)


async def test_an_indicium_that_was_given_back_before(api: Api, meter: FakeMeter) -> None:
    await api.post("devices/pixel/meter/jobs", {})
    await api.post("devices/pixel/meter/jobs/1/pieces", {"pieces": [PIECE]})
    await franked(api, 1)
    meter.refusal = CkrError(Ckr.FUNCTION_REJECTED, "no-refund: it was given back before")
    _, answer = await api.post("devices/pixel/meter/refunds", {"counter": 2, "piece": 0})
    assert answer["error"]["why"] == "there is nothing to give back for it: it was given back before (no-refund)"
    assert answer["error"]["next"] == "fob meter history"


async def test_what_the_data_centre_says_of_it_is_short_and_cannot_steer_a_terminal(api: Api, meter: FakeMeter) -> None:
    meter.refusal = CkrError(Ckr.FUNCTION_REJECTED, "payment-refused: at least 500 at once")
    _, answer = await api.post("devices/pixel/meter/loads", {"amount": 1})
    assert answer["error"]["why"] == "the payment was refused: at least 500 at once (payment-refused)"
    meter.refusal = CkrError(Ckr.FUNCTION_REJECTED, "payment-refused: \x1b[2J\n" + "x" * 200)
    _, answer = await api.post("devices/pixel/meter/loads", {"amount": 1})
    said = "\ufffd[2J\ufffd" + "x" * 74 + "\u2026"
    assert answer["error"]["why"] == f"the payment was refused: {said} (payment-refused)"


async def test_a_component_that_the_data_centre_does_not_admit_is_named(api: Api, meter: FakeMeter) -> None:
    """Other than one whose ticket is old, which is the device's own refusal: to validate it again mends nothing."""
    meter.refusal = CkrError(Ckr.FUNCTION_REJECTED, "not-validated: postage-rates 1.0.0 is not admitted for kwh-milli")
    _, answer = await api.post("devices/pixel/meter/loads", {"amount": 500})
    assert (answer["error"]["why"], answer["error"]["next"]) == (
        "the data centre does not admit the component that says the amounts: "
        "postage-rates 1.0.0 is not admitted for kwh-milli (not-validated)",
        "fob office configure, or ask who runs the data centre",
    )


async def test_what_is_mended_first_is_said_first(api: Api, meter: FakeMeter) -> None:
    meter.device.handlers["+FOBMETERLOAD"] = refusing(Ckr.GENERAL_ERROR, "not-validated: postage-rates")
    _, answer = await api.post("devices/pixel/meter/loads", {"amount": 500})
    assert answer["error"]["next"] == (
        "fob integrity validate, and then: the same command again; it goes on where it was"
    )


async def test_a_device_without_a_meter(api: Api, phone: FakePhone) -> None:
    status, answer = await api.get("devices/pixel/meter")
    assert (status, answer["error"]["why"]) == (422, "'pixel' has no meter (CKR_FUNCTION_NOT_SUPPORTED)")
    assert (await api.get("devices/nokia/meter"))[0] == 404


async def test_signing_up_and_on(api: Api, meter: FakeMeter) -> None:
    meter.stage = "none"
    wanted = {
        "name": "ada", "value_kind": "eur-cent", "payment": "postpaid", "origins": ["10115"], "refill_below": 1000,
        "refill_amount": 5000,
    }  # fmt: skip
    joined = {"device": "pixel", "account": bytes(range(16)).hex(), "serial": SERIAL, "unsettled": 0, "ended": []}
    assert await api.post("devices/pixel/meter/sign-up", wanted) == (200, joined)
    assert meter.joined == [("ada", "eur-cent", 2, 1000, 5000, "10115")]
    assert await api.post("devices/pixel/meter/sign-on", {"name": "ada"}) == (200, joined)


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        ("sign-up", {"name": "ada", "value_kind": "eur-cent", "payment": "later", "origins": ["1"]}, "'payment'"),
        ("sign-up", {"name": "ada", "value_kind": "eur-cent", "payment": "prepaid", "origins": []}, "'origins'"),
        (
            "sign-up",
            {"name": "ada", "value_kind": "x", "payment": "prepaid", "origins": ["1"], "refill_below": 1},
            "together",
        ),
        ("loads", {"amount": 0}, "'amount' has to be a number"),
        ("loads", {"amount": "5"}, "'amount' has to be a number"),
        ("refunds", {"amount": 0}, "from 1"),
        ("refunds", {"counter": 1}, "'piece'"),
        ("jobs/1/pieces", {"pieces": []}, "'pieces' has to be a list of 1 to 256"),
        ("jobs/1/pieces", {"pieces": [1]}, "has to be an object"),
        ("jobs/1/pieces", {"pieces": [PIECE | {"colour": "red"}]}, "too many"),
        ("jobs/1/pieces", {"pieces": [PIECE | {"grams": -1}]}, "'grams'"),
        ("jobs/x/pieces", {"pieces": [PIECE]}, "'job'"),
        ("jobs/9/pieces", {"pieces": [PIECE]}, "nothing is added"),
        ("jobs/9/pieces", {"pieces": [PIECE | {"destination": "!"}]}, "piece 1 of 1: the destination"),
        ("password", {}, "nothing at this path"),
        ("sign-on", {"name": "ada", "password": "x"}, "too many"),
    ],
)
async def test_malformed_requests(api: Api, meter: FakeMeter, path: str, body: object, why: str) -> None:
    status, answer = await api.post(f"devices/pixel/meter/{path}", body)
    assert status in (400, 404)
    assert why in answer["error"]["why"]
    assert meter.paid == []


async def test_pieces_of_the_longest_address_fit_a_body(api: Api, meter: FakeMeter) -> None:
    await api.post("devices/pixel/meter/jobs", {})
    piece = PIECE | {"address": "a" * 512}
    count = MAX_BODY // len(str(piece)) - 4
    answer = await api.post("devices/pixel/meter/jobs/1/pieces", {"pieces": [piece] * count})
    assert answer == (200, {"device": "pixel", "job": 1, "total": count})


async def test_layout_and_slogan(api: Api, meter: FakeMeter) -> None:
    assert await api.get("devices/pixel/meter/appearance") == (200, {"layout": None, "slogan": None})
