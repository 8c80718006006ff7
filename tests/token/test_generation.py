"""The generation: a computer that asks for what changed always ends with what the token has."""

import random
from itertools import pairwise

import pytest

from fob_device.token.views import ObjectView, Page
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from support.token_bench import Bench, data_template, make_ec, refused


class Computer:
    """The cache of a paired computer."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.generation = 0
        self.objects: dict[int, Attributes] = {}
        self.pages: list[Page] = []

    def ask(self, limit_bytes: int = 1000) -> bool:
        """One page; whether there is more."""
        page = self.bench.token.changes_since(self.generation, limit_bytes=limit_bytes)
        self.pages.append(page)
        if page.full:
            self.objects.clear()
        for view in page.objects:
            self.objects[view.handle] = view.attributes
        for handle in page.deleted:
            self.objects.pop(handle, None)
        self.generation = page.generation
        return page.more

    def catch_up(self, limit_bytes: int = 1000) -> None:
        while self.ask(limit_bytes):
            pass


def view_pairs(views: list[ObjectView]) -> list[tuple[int, int]]:
    return [(view.handle, view.generation) for view in views]


def test_every_change_takes_the_next_generation(bench: Bench) -> None:
    session = bench.user()
    assert bench.token.generation == 0
    first = session.create_object(data_template())
    assert view_pairs(list(make_ec(session))) == [(2, 2), (3, 3)]
    assert session.set_attributes(first.handle, {Cka.LABEL: b"x"}).generation == 4
    session.destroy_object(2)
    assert bench.token.generation == 5
    page = bench.token.changes_since(0, limit_bytes=10_000)
    assert (page.generation, page.full, page.more, page.deleted) == (5, True, False, [])
    assert view_pairs(page.objects) == [(3, 3), (1, 4)]
    page = bench.token.changes_since(3, limit_bytes=10_000)
    assert (page.full, view_pairs(page.objects), page.deleted) == (False, [(1, 4)], [2])
    page = bench.token.changes_since(5, limit_bytes=10_000)
    assert page == Page(5, full=False, more=False, objects=[], deleted=[])


def test_refused_and_session_changes_count_nothing(bench: Bench) -> None:
    session = bench.user()
    view = session.create_object(data_template())
    with refused(Ckr.ATTRIBUTE_READ_ONLY):
        session.set_attributes(view.handle, {Cka.LABEL: b"x", Cka.PRIVATE: True})
    session.create_object({Cka.CLASS: 0})
    session.generate_random(5)
    assert bench.token.generation == 1


def test_handles_are_never_given_again(bench: Bench) -> None:
    session = bench.user()
    for expected in range(1, 4):
        view = session.create_object(data_template())
        assert view.handle == expected
        session.destroy_object(view.handle)
        bench.restart()
        session = bench.user()
    bench.token.init_token(b"so-pin-87654321", "again")
    assert bench.session(Cku.SO).create_object(data_template()).handle == 4


def test_a_computer_that_knows_the_future_starts_again(bench: Bench) -> None:
    bench.user().create_object(data_template())
    for generation in (2, 1 << 70, -1):
        page = bench.token.changes_since(generation, limit_bytes=1000)
        assert (page.generation, page.full, len(page.objects)) == (1, True, 1)


def test_an_object_larger_than_a_page_comes_alone(bench: Bench) -> None:
    session = bench.user()
    for _ in range(3):
        session.create_object(data_template(bytes(5000)))
    computer = Computer(bench)
    computer.catch_up(limit_bytes=100)
    assert [(len(page.objects), page.more, page.full) for page in computer.pages] == [
        (1, True, True),
        (1, True, False),
        (1, False, False),
    ]


def test_pages_are_filled_up_to_their_limit(bench: Bench) -> None:
    session = bench.user()
    for _ in range(20):
        session.create_object(data_template(bytes(1000)))
    computer = Computer(bench)
    computer.catch_up(limit_bytes=5000)
    assert [len(page.objects) for page in computer.pages] == [4, 4, 4, 4, 4]


@pytest.mark.parametrize("seed", range(8))
def test_a_computer_that_catches_up_now_and_then_knows_all(bench: Bench, seed: int) -> None:
    """Also when objects change between the pages of one catching up."""
    chance = random.Random(seed)
    session = bench.user()
    computer = Computer(bench)
    alive: list[int] = []
    for _ in range(120):
        action = chance.choice(["create", "change", "destroy", "ask", "ask", "catch up", "restart"])
        if action == "create":
            private = chance.random() < 0.3
            alive.append(session.create_object(data_template(bytes(chance.randrange(300)), PRIVATE=private)).handle)
        elif action == "change" and alive:
            session.set_attributes(chance.choice(alive), {Cka.LABEL: chance.randbytes(5)})
        elif action == "destroy" and alive:
            session.destroy_object(alive.pop(chance.randrange(len(alive))))
        elif action == "ask":
            computer.ask(limit_bytes=chance.randrange(1, 800))
        elif action == "catch up":
            computer.catch_up(limit_bytes=chance.randrange(1, 800))
        elif action == "restart":
            bench.restart()
            session = bench.user()
    computer.catch_up()
    assert computer.objects == {handle: session.attributes(handle) for handle in alive}
    assert all(not page.full for before, page in pairwise(computer.pages) if before.generation > 0)


def test_private_keys_are_listed_without_login_and_without_their_secret(bench: Bench) -> None:
    _, private = make_ec(bench.user())
    bench.restart()
    (_, shown) = bench.token.changes_since(0, limit_bytes=10_000).objects
    assert shown == private
    assert Cka.VALUE not in shown.attributes
