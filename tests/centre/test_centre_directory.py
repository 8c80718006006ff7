"""The directory of a data centre: where each process answers, and with which pass."""

import asyncio
import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_office.centre.bus.asking import Link, Links
from fob_office.centre.bus.directory import FILE, Entry, read_entries, write_entries
from fob_office.centre.bus.errors import AwayError, DirectoryError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.limits import DIRECTORY_LIMIT, FIRST_LINK_PAUSE, LONGEST_LINK_PAUSE
from fob_office.centre.operating.here import next_number
from support.centre import Centre, Echo

NOISE = random.Random(5).randbytes(64)


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    made = Centre(tmp_path)
    for kind, name in ((Kind.METER, "meter-2"), (Kind.METER, "meter-1"), (Kind.STEEL, "steel-1")):
        made.enter(made.process(kind, name), f"unix:{tmp_path}/{name}")
    return made


def test_processes_are_found_by_name_and_kind(centre: Centre) -> None:
    directory = centre.directory()
    assert [entry.name for entry in directory.of_kind(Kind.METER)] == ["meter-1", "meter-2"]
    assert directory.of_kind(Kind.TRANSACTION) == ()
    assert directory.named("steel-1").address == f"unix:{centre.folder}/steel-1"
    assert directory.pass_of("steel-1") == centre.process_of("steel-1").shown
    with pytest.raises(DirectoryError, match="the directory knows no meter-3"):
        directory.named("meter-3")


def test_a_change_is_seen_and_a_file_that_did_not_change_is_not_read_again(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = centre.directory()
    before = directory.named("meter-1")
    monkeypatch.setattr("fob_office.centre.bus.directory.read_entries", lambda _: pytest.fail("read again"))
    assert directory.named("meter-1") is before
    monkeypatch.undo()
    centre.enter(centre.process_of("meter-1"), "tcp:[::1]:7300")
    assert directory.named("meter-1").address == "tcp:[::1]:7300"


def test_an_entry_without_a_pass_of_this_data_centre_is_refused(centre: Centre) -> None:
    foreign = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    centre.enter(centre.process(Kind.METER, "meter-3", key=foreign), "tcp:127.0.0.1:1")
    with pytest.raises(DirectoryError, match="meter-3: the pass is not of this data centre"):
        centre.directory().of_kind(Kind.METER)


@pytest.mark.parametrize(("name", "kind"), [("meter-9", Kind.METER), ("meter-1", Kind.STEEL)])
def test_an_entry_is_what_its_pass_says(centre: Centre, name: str, kind: Kind) -> None:
    shown = centre.process_of("meter-1").me.shown()
    write_entries(centre.folder, [Entry(name, kind, "tcp:127.0.0.1:1", shown)])
    with pytest.raises(DirectoryError, match=f"{name} has the pass of meter-1"):
        centre.directory().named(name)


@pytest.mark.parametrize("octets", [b"", b"{}", b"[{}]", b"[" * 100_000, NOISE, bytes(DIRECTORY_LIMIT + 1)])
def test_a_file_that_is_none_is_refused_by_name(centre: Centre, octets: bytes) -> None:
    (centre.folder / FILE).write_bytes(octets)
    with pytest.raises(DirectoryError, match="directory"):
        centre.directory().named("meter-1")


def test_a_directory_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(DirectoryError, match="No such file"):
        Centre(tmp_path).directory().named("meter-1")
    with pytest.raises(DirectoryError, match="No such file"):
        read_entries(tmp_path / FILE)


async def test_links_are_made_once_and_pauses_between_tries_grow(centre: Centre) -> None:
    links = Links(centre.process(Kind.FUNCTION, "function-1").me, centre.directory())
    link = links.to("meter-1")
    assert links.to("meter-1") is link
    pauses = []
    for _ in range(7):
        # As if the pause had passed.
        link._not_before = 0.0
        with pytest.raises(AwayError):
            await link.ask(Echo(b""))
        pauses.append(link._pause)
    assert (pauses[0], pauses[1], pauses[-1]) == (FIRST_LINK_PAUSE, 2 * FIRST_LINK_PAUSE, LONGEST_LINK_PAUSE)
    links.close()


async def test_all_that_wait_for_a_connection_share_one_try(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0

    async def away(*_: object) -> None:
        nonlocal tries
        tries += 1
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr("fob_office.centre.bus.asking.connect", away)
    link = Link(centre.process(Kind.FUNCTION, "function-1").me, centre.directory(), "meter-1")
    ended = await asyncio.gather(*(link.ask(Echo(b"")) for _ in range(20)), return_exceptions=True)
    assert {str(error) for error in ended} == {"meter-1: it does not run (Connection refused)"}
    assert tries == 1


@pytest.mark.parametrize("address", ["", "meter-1", "http://127.0.0.1", "tcp:127.0.0.1", "unix:", "tcp:x:99999"])
async def test_an_address_that_is_none_is_told(centre: Centre, address: str) -> None:
    centre.enter(centre.process_of("meter-1"), address)
    link = Link(centre.process(Kind.FUNCTION, "function-1").me, centre.directory(), "meter-1")
    with pytest.raises(AwayError, match="it is not known where"):
        await link.ask(Echo(b""))


def test_no_number_is_given_twice(tmp_path: Path) -> None:
    assert next_number(tmp_path, Kind.METER) == 1
    assert next_number(tmp_path, Kind.OPERATOR, least=2) == 2
    for name in ("meter-2", "meter-10", "meter-x", "steel-11", "operator-4"):
        (tmp_path / name).mkdir()
    assert next_number(tmp_path, Kind.METER) == 11
    assert next_number(tmp_path, Kind.OPERATOR, least=2) == 5
