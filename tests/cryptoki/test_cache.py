"""The cache of a token: pages, syncs, its file; and answers that no device should give."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptoki.desk import SLOT, Desk
from fob_daemon.device import object_cache
from fob_daemon.device.cache_file import CacheFile, snapshot
from fob_daemon.device.object_cache import ObjectCache
from fob_daemon.device.remote_token import PrivateInput, RemoteToken
from fob_daemon.device.slot import open_slot
from fob_daemon.device.views import DeviceObject, Page
from fob_device.approval.rules import Rules
from fob_protocol.at.answer import Answer, Event
from fob_protocol.catalogue import EVENT_GENERATION, EVENT_TOKEN
from fob_protocol.limits import TEXT_LIMIT
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.flags import MechanismFlag, TokenFlag
from fob_protocol.pkcs11.infos import MechanismInfo, TokenDescription
from fob_protocol.pkcs11.mechanisms import GcmParameters, Mechanism
from support.loopback_link import LoopbackLink
from support.token_bench import Bench, data_template, refused


def made(handle: int, generation: int, label: bytes = b"") -> DeviceObject:
    """A token object."""
    return DeviceObject(handle, generation, {Cka.TOKEN: True, Cka.LABEL: label})


def page(generation: int, *objects: DeviceObject, gone: Sequence[int] = (), full: bool = False) -> Page:
    """A page without more to come."""
    return Page(generation, full, False, objects, tuple(gone))


def known(cache: ObjectCache) -> tuple[int, list[int]]:
    """Generation and handles."""
    return cache.generation, sorted(cache.objects)


def test_answers_in_order_keep_the_cache_current() -> None:
    cache = ObjectCache()
    assert cache.apply(page(2, made(1, 1), made(2, 2), full=True))
    assert cache.apply(page(3, made(3, 3)))
    assert cache.apply(page(4, gone=[1]))
    assert cache.apply(page(6, made(4, 5), made(5, 6)))
    assert cache.apply(page(6, made(4, 5))), "an old answer says nothing new"
    assert known(cache) == (6, [2, 3, 4, 5])


def test_a_gap_is_noticed_and_the_page_known_all_the_same() -> None:
    cache = ObjectCache(generation=4)
    assert not cache.apply(page(6, made(9, 6)))
    assert known(cache) == (4, [9])
    assert not cache.apply(page(8, made(7, 5))), "the generation of the page says that more happened"
    assert known(cache) == (4, [7, 9])


def test_a_late_answer_brings_nothing_back() -> None:
    cache = ObjectCache()
    cache.apply(page(1, made(1, 1, b"old"), full=True))
    cache.apply(page(2, made(1, 2, b"new")))
    cache.apply(page(1, made(1, 1, b"old")))
    assert cache.objects[1].attributes[Cka.LABEL] == b"new"
    cache.apply(page(3, gone=[1]))
    cache.apply(page(2, made(1, 2, b"new")))
    assert known(cache) == (3, [])


def test_session_objects_of_the_device_are_not_cached() -> None:
    cache = ObjectCache(generation=3)
    assert cache.apply(page(3, DeviceObject(1 << 20, 0, {Cka.TOKEN: False})))
    assert known(cache) == (3, [])


def test_a_device_from_an_earlier_life_replaces_everything() -> None:
    cache = ObjectCache(generation=90)
    cache.apply(page(91, made(70, 91)))
    cache.apply_sync([Page(1, True, True, (made(1, 1),), ()), page(2, made(2, 2))])
    assert known(cache) == (2, [1, 2])


def test_too_many_objects_are_a_broken_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_cache, "OBJECTS_LIMIT", 3)
    cache = ObjectCache()
    with refused(Ckr.DEVICE_ERROR):
        cache.apply(page(4, *(made(number, number) for number in range(1, 5)), full=True))
    assert known(cache) == (0, [])


# Syncs with a real token.


async def test_a_long_list_comes_in_pages(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "token.db")
    phone = bench.user()
    for number in range(120):
        phone.create_object(data_template(b"%d" % number * 200))
    link = LoopbackLink(bench.token, Rules())
    link.connect()
    slot = open_slot(SLOT, "phone", link)
    await slot.idle()
    assert link.crossed["+C_FINDOBJECTS"] > 1
    assert len(slot.cache.objects) == 120
    assert slot.cache.generation == bench.token.generation
    await slot.close()
    bench.token.close()


async def test_an_answer_during_a_sync_is_not_lost(desk: Desk) -> None:
    client = desk.client()
    session = await client.user_session()
    other = desk.bench.user()
    other.create_object(data_template(b"elsewhere"))
    desk.link.announce(Event(EVENT_GENERATION, (desk.bench.token.generation,)))
    await client.application.create_object(session, data_template(b"here"))
    await desk.slot.idle()
    assert desk.slot.cache.generation == desk.bench.token.generation
    assert len(client.find(session, CLASS=0)) == 2


async def test_an_announced_generation_that_is_known_costs_nothing(desk: Desk) -> None:
    with desk.crossing():
        desk.link.announce(Event(EVENT_GENERATION, (desk.slot.cache.generation,)))
        desk.link.announce(Event(EVENT_GENERATION, ("soon",)))
        desk.link.announce(Event("+FOBNEWS", (1,)))
        await desk.slot.idle()


async def test_announced_flags_show(desk: Desk) -> None:
    desk.link.announce(Event(EVENT_TOKEN, (int(TokenFlag.TOKEN_INITIALIZED | TokenFlag.USER_PIN_LOCKED),)))
    flags = desk.client().application.get_token_info(SLOT).flags
    assert flags == TokenFlag.TOKEN_INITIALIZED | TokenFlag.USER_PIN_LOCKED


@pytest.mark.parametrize(
    "answer",
    [
        Answer(),
        Answer(((1, 0),)),
        Answer(((1, 0, 2),)),
        Answer(((1, 0, 0), (5,))),
        Answer(((1, 0, 0), (0, 1, 3, b"label"))),
        Answer(((1, 0, 0), (5, 1, 3))),
        Answer(((1, 0, 0), (5, 1, 1, 7))),
        Answer(((1, 0, 0), (b"h", 0))),
        Answer(((5, 0, 1), (1, 5, 1, 1))),
        Answer(ckr=99_999),
    ],
)
async def test_a_senseless_page_changes_nothing(desk: Desk, answer: Answer) -> None:
    before = snapshot(desk.slot.cache)
    desk.link.replies["+C_FINDOBJECTS"] = answer
    desk.link.announce(Event(EVENT_GENERATION, (1_000_000,)))
    await desk.slot.idle()
    assert snapshot(desk.slot.cache) == before


async def test_answers_of_the_wrong_form_are_the_devices_fault(desk: Desk) -> None:
    remote, replies = desk.slot.remote, desk.link.replies
    for name, answer, ask in (
        ("+C_SIGN", Answer(((5,),)), lambda: remote.sign(PrivateInput(1, None, b""))),
        ("+C_LOGIN", Answer(), lambda: remote.login(Cku.USER, b"1234")),
        ("+C_GETTOKENINFO", Answer(((b"label",),)), remote.token_info),
        ("+C_GETTOKENINFO", Answer(((b"l", b"m", b"m", b"s", 1, 4, 8, b"1", b"1.0"),)), remote.token_info),
        ("+C_GETTOKENINFO", Answer(((5, b"m", b"m", b"s", 1, 4, 8, b"1.0", b"1.0"),)), remote.token_info),
        ("+C_GETMECHLIST", Answer(((1, 2, 3),)), remote.mechanisms),
        ("+C_GENERATERANDOM", Answer(((b"short",),)), lambda: remote.generate_random(6)),
    ):
        replies[name] = answer
        with refused(Ckr.DEVICE_ERROR):
            await ask()


async def test_what_cannot_be_sent_is_not_sent(desk: Desk) -> None:
    remote = desk.slot.remote
    with desk.crossing():
        with refused(Ckr.DATA_LEN_RANGE):
            await remote.sign(PrivateInput(1, None, bytes(TEXT_LIMIT)))
        with refused(Ckr.MECHANISM_PARAM_INVALID):
            await remote.sign(PrivateInput(1, 1, b"", GcmParameters(b"", b"", 128)))
        with refused(Ckr.MECHANISM_PARAM_INVALID):
            await remote.derive_key(1, Mechanism(Ckm.AES_GCM, b"iv"), {})
        with refused(Ckr.ATTRIBUTE_TYPE_INVALID):
            await remote.create_object({Cka.WRAP_TEMPLATE: b""})


# The file.

VALUES = st.one_of(
    st.booleans(), st.integers(0, 1 << 63), st.binary(max_size=40), st.lists(st.integers(0, 9)).map(tuple)
)


@given(st.dictionaries(st.integers(0, 1 << 40), VALUES, max_size=8), st.integers(0, 1 << 40))
def test_what_is_stored_is_loaded(tmp_path_factory: pytest.TempPathFactory, attributes: Attributes, flags: int) -> None:
    cache = ObjectCache(
        generation=5,
        token=TokenDescription("Tëst", "maker", "model", "serial", TokenFlag(flags), 4, 64, (1, 2), (3, 4)),
        mechanisms={1: MechanismInfo(2048, 4096, MechanismFlag.SIGN)},
        objects={7: DeviceObject(7, 5, attributes)},
    )
    file = CacheFile(tmp_path_factory.getbasetemp() / "cache.json")
    file.save(snapshot(cache))
    loaded = ObjectCache()
    file.load(loaded)
    assert loaded == cache
    types = {attribute: type(value) for attribute, value in attributes.items()}
    assert {attribute: type(value) for attribute, value in loaded.objects[7].attributes.items()} == types


def stored(**changes: object) -> bytes:
    """A good file with some entries changed."""
    good: dict[str, object] = {"format": 2, "generation": 5, "token": None, "mechanisms": {}, "objects": []}
    return json.dumps(good | changes).encode()


def test_a_good_file_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "good.json"
    path.write_bytes(stored())
    cache = ObjectCache()
    CacheFile(path).load(cache)
    assert cache == ObjectCache(generation=5)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'"text"',
        b"{}",
        stored(format=1),
        stored(mechanisms={"1": {}}),
        stored(token={"label": "x"}),
        stored(objects=[{"device_handle": 1, "generation": 2, "attributes": {"3": "no base64"}}]),
        stored(objects=[{"device_handle": 1, "generation": 2, "attributes": {"label": 1}}]),
        stored(generation=None),
        stored(colour="blue"),
        b"[" * 200_000,
        stored().replace(b"5", b"1e400"),
    ],
)
async def test_a_damaged_file_is_an_empty_cache(desk: Desk, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.json"
    path.write_bytes(content)
    cache = ObjectCache()
    CacheFile(path).load(cache)
    assert cache == ObjectCache()
    slot = open_slot(SLOT, "phone", desk.link, cache_path=path)
    await slot.idle()
    assert json.loads(path.read_bytes())["generation"] == desk.bench.token.generation
    await slot.close()


async def test_a_folder_that_cannot_be_written_stops_nothing(desk: Desk, tmp_path: Path) -> None:
    slot = open_slot(SLOT, "phone", desk.link, cache_path=tmp_path / "no folder" / "cache.json")
    await slot.idle()
    assert len(slot.cache.objects) == 6
    await slot.close()


async def test_the_file_holds_nothing_secret_and_is_its_owners(desk: Desk) -> None:
    await desk.slot.idle()
    assert desk.cache_path.stat().st_mode & 0o077 == 0
    document = desk.cache_path.read_text()
    assert json.loads(document)["generation"] == desk.slot.cache.generation


async def test_background_work_ends_with_the_slot(desk: Desk) -> None:
    never = asyncio.Event()
    desk.slot.background.run("wait", never.wait)
    await desk.slot.close()
    desk.slot.background.run("refused", lambda: RemoteToken(desk.link).logout(77))
    await desk.slot.idle()
