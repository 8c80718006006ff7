"""A power cut at every step of an installation, a confirmation and a revert, with all that it may leave on the disk.

`FOB_POWER_CUTS=all` tears boot records at every octet, where there is one cut.
"""

from collections.abc import Callable, Iterator, Mapping

import pytest
from msgspec.structs import replace

from components.change_scene import TEARS, ChangeScene, Started, some_tears
from fob_device.components.boot_record import Phase
from fob_device.components.runtime.errors import RunFault
from fob_protocol.office.configuration import Granted, Outcome
from fob_protocol.office.limits import BOOT_TRIES
from fob_protocol.office.message import read
from support.faulty_storage import Disk, FaultyStorage, Files, Tears
from support.office_signers import CHALLENGE

pytestmark = pytest.mark.clause("C27")

FAILS = {"slogan": RunFault.SELF_TEST}


@pytest.fixture(scope="module")
def scene() -> ChangeScene:
    return ChangeScene()


class Film:
    """The disk before each step of what a device does, and after the last one."""

    def __init__(self, files: Files) -> None:
        self.pictures: list[Disk] = []
        self.storage = FaultyStorage(Disk.holding(files), watch=self.pictures.append)

    def end(self) -> list[Disk]:
        self.pictures.append(self.storage.disk)
        return self.pictures


def every_cut(pictures: list[Disk], tears: Tears = TEARS) -> Iterator[Files]:
    """What cuts at all of these moments may leave, each once."""
    seen: set[frozenset[tuple[str, bytes]]] = set()
    for picture in pictures:
        for files in picture.every_cut(tears):
            state = frozenset(files.items())
            if state not in seen:
                seen.add(state)
                yield files


def film_of(
    scene: ChangeScene, files: Files, do: Callable[[Started], None], fails: Mapping[str, RunFault] | None = None
) -> list[Disk]:
    film = Film(files)
    do(scene.start(film.storage, fails))
    return film.end()


def staged(scene: ChangeScene) -> Files:
    """Set 2 waits for its trial."""
    started = scene.start(FaultyStorage(Disk.holding(scene.old)))
    started.machine.installer.take(scene.offers[2], CHALLENGE, scene.trust)
    scene.shelf.fetch(started.machine.installer)
    started.machine.installer.stage(scene.trust)
    return started.storage.disk.files


class Continued:
    """Goes on after a cut, to the end; many cuts leave what is the same after the next start."""

    def __init__(self, scene: ChangeScene, number: int) -> None:
        self._scene = scene
        self._number = number
        self._done: set[frozenset[tuple[str, bytes]]] = set()

    def __call__(self, started: Started) -> None:
        state = frozenset(started.storage.disk.files.items())
        if state in self._done:
            return
        self._done.add(state)
        self._scene.go_on(started.machine, self._number)
        self._scene.start(started.storage)
        ended = self._scene.start(FaultyStorage(Disk.holding(started.storage.disk.files)))
        assert self._scene.check(ended, self._number, self._number) == self._number
        assert len(started.storage.names()) == 3 + len(self._scene.sets[self._number])


@pytest.mark.parametrize(("old", "new"), [(0, 1), (1, 2)], ids=["the first set", "another set"])
def test_an_installation_that_is_cut_leaves_one_of_the_two_sets_and_goes_on(
    scene: ChangeScene, old: int, new: int
) -> None:
    before = scene.old if old else scene.generic
    pictures = film_of(scene, before, lambda started: scene.go_on(started.machine, new))
    go_on = Continued(scene, new)
    ran = set()
    for files in every_cut(pictures):
        started = scene.start(FaultyStorage(Disk.holding(files)))
        ran.add((scene.check(started, old, new), started.machine.boot.record.phase))
        go_on(started)
    assert ran == {(old, Phase.IDLE), (old, Phase.FETCHING), (new, Phase.TRIAL), (new, Phase.IDLE)}


def test_a_confirmation_holds_from_the_moment_that_it_was_given(scene: ChangeScene) -> None:
    started = scene.start(FaultyStorage(Disk.holding(staged(scene))))
    started.machine.loader.confirm()
    assert {
        scene.check(scene.start(FaultyStorage(Disk.holding(files))), 1, 2)
        for files in every_cut([started.storage.disk])
    } == {2}


@pytest.mark.parametrize("by_the_runtime", [True, False], ids=["a component fails", "the device reverts"])
def test_a_revert_that_is_cut_ends_in_the_old_set(scene: ChangeScene, by_the_runtime: bool) -> None:
    fails = FAILS if by_the_runtime else {}

    def revert(started: Started) -> None:
        if not by_the_runtime:
            started.machine.loader.revert("self-test")

    pictures = film_of(scene, staged(scene), revert, fails)
    go_on = Continued(scene, 2)
    for files in every_cut(pictures):
        started = scene.start(FaultyStorage(Disk.holding(files)), FAILS)
        # The trial is begun again, fails again, and is over.
        assert scene.check(started, 1, 2, new_may_run=False) == 1
        ended = started.machine.boot.record.ended
        assert ended is not None
        assert (ended.outcome, ended.reason) in ((Outcome.REVERTED, "self-test"), (Outcome.REVERTED, "out-of-tries"))
        started.runtime.fails.clear()
        go_on(started)


def test_a_trial_that_is_cut_again_and_again_is_over_after_its_tries(scene: ChangeScene) -> None:
    files = staged(scene)
    for _ in range(BOOT_TRIES):
        started = scene.start(FaultyStorage(Disk.holding(files)))
        assert scene.check(started, 1, 2) == 2
        files = started.storage.disk.files
    pictures = film_of(scene, files, lambda started: None)
    for files in every_cut(pictures):
        started = scene.start(FaultyStorage(Disk.holding(files)))
        assert scene.check(started, 1, 2, new_may_run=False) == 1
        ended = started.machine.boot.record.ended
        assert ended is not None
        assert (ended.set_number, ended.outcome, ended.reason) == (2, Outcome.REVERTED, "out-of-tries")


def test_power_cycles_that_are_too_quick_for_the_loader_cost_no_try(scene: ChangeScene) -> None:
    """Before the count is on the disk nothing of the set has run; a hundred cuts there change nothing."""
    pictures = film_of(scene, staged(scene), lambda started: None)
    before = pictures[0].files
    for _ in range(100):
        scene.start(FaultyStorage(Disk.holding(before)))
        assert scene.start(FaultyStorage(Disk.holding(before))).machine.boot.record.tries == 1


def test_a_set_that_is_replaced_while_it_is_fetched_is_cut(scene: ChangeScene) -> None:
    """A second grant, as the ticket of the first has run out: what was fetched is not fetched again."""
    film = Film(scene.old)
    installer = scene.start(film.storage).machine.installer
    installer.take(scene.offers[2], CHALLENGE, scene.trust)
    assert len(installer.wanted()) == 3
    scene.shelf.fetch(installer)
    begin = len(film.pictures)
    granted = read(Granted, scene.offers[2].granted)
    again = replace(scene.offers[2], granted=replace(granted, ticket=bytes(32)).octets())
    installer.take(again, CHALLENGE, scene.trust)
    assert installer.wanted() == []
    go_on = Continued(scene, 2)
    for files in every_cut(film.end()[begin:]):
        started = scene.start(FaultyStorage(Disk.holding(files)))
        assert scene.check(started, 1, 2) == 1
        go_on(started)


def test_a_program_that_is_killed_goes_on_too_and_so_when_the_power_goes_after_that(scene: ChangeScene) -> None:
    """What it had not flushed is seen by the next one, which must not build on it before it is kept."""
    for picture in film_of(scene, scene.old, lambda started: scene.go_on(started.machine, 2)):
        again: list[Disk] = []
        started = scene.start(FaultyStorage(picture, watch=again.append))
        ran = scene.check(started, 1, 2)
        confirmed = started.machine.boot.record.set_number
        for files in every_cut([*again, started.storage.disk], some_tears):
            scene.check(scene.start(FaultyStorage(Disk.holding(files))), 1, 2)
        for files in every_cut([started.storage.disk]):
            after = scene.start(FaultyStorage(Disk.holding(files)))
            assert scene.check(after, confirmed, ran) in (ran, confirmed)
        scene.go_on(started.machine, 2)
        assert scene.check(scene.start(started.storage), 2, 2) == 2


@pytest.mark.parametrize("fails", [{}, FAILS], ids=["a good set", "a bad set"])
def test_starts_that_are_cut_again_and_again(scene: ChangeScene, fails: Mapping[str, RunFault]) -> None:
    """Every disk that cuts of a start may leave, and cuts of the start from that, until there are no new ones."""
    waiting = [staged(scene)]
    seen = {frozenset(waiting[0].items())}
    ended = set()
    while waiting:
        film = Film(waiting.pop())
        started = scene.start(film.storage, fails)
        ran = scene.check(started, 1, 2, new_may_run=not fails)
        ended.add((ran, started.machine.boot.record.phase))
        for files in every_cut(film.end(), some_tears):
            if (state := frozenset(files.items())) not in seen:
                seen.add(state)
                waiting.append(files)
    assert ended == ({(1, Phase.IDLE)} if fails else {(2, Phase.TRIAL), (1, Phase.IDLE)})
