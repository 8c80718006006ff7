"""Grants at the control socket: as they are asked for, and as events."""

import pytest

from control.api import Api, events, next_event
from control.fake_daemon import FakeDaemon
from control.fake_phone import FakePhone
from fob_daemon.control.grant_reports import Granted
from fob_daemon.control.interface import Ask, Settled
from fob_daemon.device.grants import Grant

LOGIN = Grant(1, 272, "log in to github.com with 'work' for ssh <- zsh on me@pc")


async def test_what_is_granted(api: Api, phone: FakePhone) -> None:
    phone.grants = [LOGIN]
    grants = [{"device": "pixel", "number": 1, "seconds": 272, "words": LOGIN.words}]
    assert await api.get("grants") == (200, {"grants": grants, "unasked": []})
    assert await api.get("grants?device=pixel") == (200, {"grants": grants, "unasked": []})
    assert (await api.get("grants?device=nokia"))[0] == 404
    assert (await api.get("grants?devise=pixel"))[0] == 400


@pytest.mark.parametrize("number", ["all", "0"])
async def test_all_by_a_word_or_by_zero(api: Api, phone: FakePhone, number: str) -> None:
    phone.grants = [LOGIN, Grant(4, 5, "more")]
    assert await api.delete(f"grants/pixel/{number}") == (200, {"device": "pixel", "revoked": [1, 4]})
    assert (await api.delete(f"grants/pixel/{number}"))[0] == 409


async def test_one_by_its_number(api: Api, phone: FakePhone) -> None:
    phone.grants = [LOGIN]
    assert (await api.delete("grants/pixel/2"))[0] == 409
    assert (await api.delete("grants/pixel/one"))[0] == 400
    assert (await api.delete("grants/pixel/-1"))[0] == 400
    assert (await api.delete("grants/nokia/1"))[0] == 404
    assert await api.delete("grants/pixel/1") == (200, {"device": "pixel", "revoked": [1]})


async def test_a_phone_that_is_away(api: Api, phone: FakePhone) -> None:
    phone.is_away = True
    status, answer = await api.get("grants")
    assert (status, answer["grants"], answer["unasked"][0]["device"]) == (200, [], "pixel")
    assert (await api.get("grants?device=pixel"))[0] == 404
    assert (await api.delete("grants/pixel/all"))[0] == 404


async def test_who_follows_events_hears_of_questions_and_grants(api: Api, daemon: FakeDaemon, phone: FakePhone) -> None:
    async with api.session.get("/v1/events") as response:
        stream = events(response)
        daemon.announce(Ask("pixel", LOGIN.words, 60.0, 7))
        daemon.announce(Settled("pixel", 7))
        daemon.announce(Granted("pixel", 1, 300, LOGIN.words))
        phone.grants = [LOGIN]
        await api.delete("grants/pixel/1")

        asked = {"device": "pixel", "words": LOGIN.words, "seconds": 60.0, "request": 7}
        assert await next_event(stream) == ("ask", asked)
        assert await next_event(stream) == ("settled", {"device": "pixel", "request": 7})
        granted = {"device": "pixel", "number": 1, "seconds": 300, "words": LOGIN.words}
        assert await next_event(stream) == ("granted", granted)
        assert await next_event(stream) == ("revoked", {"device": "pixel", "number": 1})
