"""The conversation of a pairing: a stream of what happens, and the person's answer by another request."""

import asyncio

import aiohttp

from control.api import Api, events, next_event
from control.fake_daemon import CODE, URL, FakeDaemon
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.events import EventQueue
from fob_daemon.control.pairings import Pairings
from fob_daemon.control.requests import Pair
from fob_daemon.control.sse import ServerEvent

PAIR = {"url": URL, "name": "pixel"}
COMPARE = {"id": "0000000000000001", "code": CODE, "device": "Ada's phone", "serial": "FOB-0001"}


async def test_both_see_the_same_code(api: Api, daemon: FakeDaemon) -> None:
    async with api.session.post("/v1/pairings", json=PAIR) as response:
        stream = events(response)
        assert await next_event(stream) == ("say", {"text": f"opening {URL}"})
        assert await next_event(stream) == ("compare", COMPARE)

        assert await api.post(f"pairings/{COMPARE['id']}", {"equal": True}) == (200, {})

        assert await next_event(stream) == ("say", {"text": "look at your phone: confirm the code there too"})
        name, report = await next_event(stream)
        assert (name, report["name"], report["url"]) == ("paired", "pixel", URL)
        assert await anext(stream, None) is None
    assert list(daemon.devices) == ["pixel"]


async def test_the_person_sees_another_code(api: Api, daemon: FakeDaemon) -> None:
    async with api.session.post("/v1/pairings", json=PAIR) as response:
        stream = events(response)
        await next_event(stream)
        await next_event(stream)

        await api.post(f"pairings/{COMPARE['id']}", {"equal": False})

        name, error = await next_event(stream)
        assert (name, error["why"], error["exit_code"]) == ("error", "the codes were not equal", ExitCode.REJECTED)
        assert await anext(stream, None) is None
    assert (daemon.compared, daemon.devices) == ([False], {})


async def test_the_device_refuses_before_any_code(api: Api, daemon: FakeDaemon) -> None:
    daemon.pairing_error = ControlError("not paired", "pairing is closed on the device", "fob pair", ExitCode.FAILED)

    async with api.session.post("/v1/pairings", json={"url": URL}) as response:
        assert response.status == 200  # a stream, whose events tell
        stream = events(response)
        assert (await next_event(stream))[0] == "say"
        assert await next_event(stream) == (
            "error",
            {"what": "not paired", "why": "pairing is closed on the device", "next": "fob pair", "exit_code": 1},
        )


async def test_hanging_up_in_the_middle_breaks_the_pairing_off(api: Api, daemon: FakeDaemon) -> None:
    async with api.session.post("/v1/pairings", json=PAIR) as response:
        stream = events(response)
        await next_event(stream)
        await next_event(stream)
        response.close()

    async with asyncio.timeout(5):
        await daemon.pairing_cancelled.wait()
    assert daemon.devices == {}
    status, body = await api.post(f"pairings/{COMPARE['id']}", {"equal": True})
    assert (status, body["error"]["why"]) == (404, "that pairing is over, or was answered already")


async def test_a_phone_that_disappears_withdraws_the_question(api: Api, daemon: FakeDaemon) -> None:
    async with api.session.post("/v1/pairings", json=PAIR) as response:
        stream = events(response)
        await next_event(stream)
        await next_event(stream)

        daemon.phone_lost.set()

        name, error = await next_event(stream)
        assert (name, error["why"]) == ("error", "the pairing was broken off: the line ended")
        assert await anext(stream, None) is None
    assert (await api.post(f"pairings/{COMPARE['id']}", {"equal": True}))[0] == 404
    assert (daemon.compared, daemon.devices) == ([], {})


async def test_an_answer_to_nothing_and_a_second_answer(api: Api) -> None:
    assert (await api.post("pairings/77", {"equal": True}))[0] == 404

    async with api.session.post("/v1/pairings", json=PAIR) as response:
        stream = events(response)
        await next_event(stream)
        await next_event(stream)
        await api.post(f"pairings/{COMPARE['id']}", {"equal": False})

        status, body = await api.post(f"pairings/{COMPARE['id']}", {"equal": True})

        assert (status, body["error"]["exit_code"]) == (404, ExitCode.FAILED)


async def test_a_pairing_that_nobody_answers_ends(daemon: FakeDaemon) -> None:
    pairings = Pairings(daemon, bytes, time_limit=0.01)
    queue: EventQueue[ServerEvent] = EventQueue()

    await pairings.run(Pair(URL, None), queue)

    seen = [(await queue.get())[0] for _ in range(3)]
    assert [event.name for event in seen] == ["say", "compare", "error"]
    assert seen[-1].data == {
        "what": "not paired",
        "why": "the device or a person did not answer in time",
        "next": f"fob pair '{URL}'",
        "exit_code": ExitCode.TIMEOUT,
    }


async def test_a_request_that_is_none_gets_no_stream(api: Api) -> None:
    async with api.session.post("/v1/pairings", json={"name": "pixel"}) as response:
        assert response.status == 400
        assert (await response.json())["error"]["why"] == "'url' is missing"


async def test_a_quiet_pairing_still_beats(api: Api) -> None:
    async with api.session.post("/v1/pairings", json=PAIR) as response:
        lines = [await response.content.readline() for _ in range(12)]
    assert lines[-2:] == [b":\n", b"\n"]
    assert isinstance(response, aiohttp.ClientResponse)
