"""The phone's history at the control socket: handed on as it is, and what was seen of it."""

import pytest

from control.api import Api
from control.fake_daemon import FakeDaemon
from control.fake_phone import FakePhone
from fob_daemon.control.device_history import SeenError
from fob_protocol.history.entry import computer_id
from fob_protocol.history.record import SignedRecord
from fob_protocol.history.verify import Anchor
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.fake_history import FakeHistory
from support.history import LOG_KEY, NONCE, PC, chain, head_of

RECORDS = chain(6)
HISTORY = "devices/pixel/history"


@pytest.fixture
def history(daemon: FakeDaemon, phone: FakePhone) -> FakeHistory:
    daemon.histories["pixel"] = FakeHistory(
        [record.without_details() if i % 2 else record for i, record in enumerate(RECORDS)]
    )
    return daemon.histories["pixel"]


def as_json(record: SignedRecord) -> dict[str, str | None]:
    return {
        "record": record.block.hex(),
        "signature": record.signature.hex(),
        "salt": None if record.salt is None else record.salt.hex(),
        "details": None if record.details is None else record.details.hex(),
    }


async def test_records_come_page_by_page(api: Api, history: FakeHistory) -> None:
    status, answer = await api.get(HISTORY)
    assert (status, answer["next"], answer["more"]) == (200, 5, True)
    assert answer["records"] == [as_json(record) for record in history.records[:4]]
    status, answer = await api.get(f"{HISTORY}?from=5")
    assert (status, answer["next"], answer["more"], len(answer["records"])) == (200, 7, False, 2)
    assert history.asked == [1, 5]


async def test_the_end_is_signed_for_the_nonce_of_whoever_asks(api: Api, history: FakeHistory) -> None:
    assert await api.get(f"{HISTORY}/head?nonce={NONCE.hex()}") == (
        200,
        {
            "first": 1,
            "length": 6,
            "hash": RECORDS[-1].hash.hex(),
            "key": LOG_KEY.public.hex(),
            "signature": head_of(RECORDS).signature.hex(),
            "computer": computer_id(PC).hex(),
            "seen": None,
        },
    )
    assert history.nonces == [NONCE]


async def test_what_was_seen_is_kept(api: Api, history: FakeHistory) -> None:
    seen = {"key": LOG_KEY.public.hex(), "length": 6, "hash": RECORDS[-1].hash.hex()}
    assert await api.post(f"{HISTORY}/seen", seen) == (200, {})
    assert history.anchor == Anchor(LOG_KEY.public, 6, RECORDS[-1].hash)
    _, answer = await api.get(f"{HISTORY}/head?nonce={NONCE.hex()}")
    assert answer["seen"] == seen


@pytest.mark.parametrize(
    "query", ["", "?nonce=", "?nonce=00", f"?nonce={NONCE.hex()}00", f"?nonce={'zz' * 32}", f"?nonce={NONCE.hex()}&x=1"]
)
async def test_a_nonce_has_32_octets(api: Api, history: FakeHistory, query: str) -> None:
    status, answer = await api.get(f"{HISTORY}/head{query}")
    assert (status, answer["error"]["what"]) == (400, "the request is not understood")
    assert history.nonces == []


@pytest.mark.parametrize(
    "change",
    [
        {"key": "00"},
        {"key": "00" * 33},
        {"hash": "00" * 31},
        {"length": -1},
        {"length": "6"},
        {"length": True},
        {"length": 1 << 63},
        {"more": 1},
        {"length": None},
    ],
)
async def test_what_is_no_end_of_a_history_is_not_kept(
    api: Api, history: FakeHistory, change: dict[str, object]
) -> None:
    body = {"key": LOG_KEY.public.hex(), "length": 6, "hash": "00" * 32} | change
    status, _ = await api.post(f"{HISTORY}/seen", body)
    assert (status, history.anchor) == (400, None)


@pytest.mark.parametrize("query", ["?from=-1", "?from=x", "?from=9223372036854775808", "?to=1"])
async def test_what_is_no_place_to_begin(api: Api, history: FakeHistory, query: str) -> None:
    status, _ = await api.get(HISTORY + query)
    assert (status, history.asked) == (400, [])


async def test_a_phone_that_has_no_history(api: Api, history: FakeHistory) -> None:
    history.refusal = CkrError(Ckr.FUNCTION_NOT_SUPPORTED, "no command +FOBHISTORY")
    status, answer = await api.get(HISTORY)
    assert status == 422
    assert answer["error"]["what"] == "the history of 'pixel' was not read"
    assert "CKR_FUNCTION_NOT_SUPPORTED" in answer["error"]["why"]


async def test_an_unknown_phone(api: Api, history: FakeHistory) -> None:
    for path in ("devices/none/history", f"devices/none/history/head?nonce={NONCE.hex()}"):
        status, answer = await api.get(path)
        assert (status, answer["error"]["what"]) == (404, "no such device")


async def test_what_was_seen_and_cannot_be_read_any_more(api: Api, history: FakeHistory) -> None:
    history.refusal = SeenError("history-00.json is damaged", "mv it")
    status, answer = await api.get(f"{HISTORY}/head?nonce={NONCE.hex()}")
    assert (status, answer["error"]["why"], answer["error"]["next"]) == (422, "history-00.json is damaged", "mv it")
