"""Power cuts and kills at random, several in one installation: 10,000 runs with FOB_POWER_CUTS=all, some otherwise."""

import random

import pytest

from components.change_scene import THOROUGH, ChangeScene, Started
from fob_device.components.boot_state import BootState
from fob_device.components.runtime.errors import RunFault
from support.faulty_storage import Disk, FaultyStorage, PowerCutError

RUNS = 10_000 if THOROUGH else 300
GROUPS = 10
MOST_CUTS = 12
# An installation has about eighty steps: cuts fall into each of its parts, and often soon after a cut.
STEPS = (5, 20, 80)


@pytest.fixture(scope="module")
def scene() -> ChangeScene:
    return ChangeScene()


class Life:
    """One device, from set 1 on, with a seed of its own."""

    def __init__(self, scene: ChangeScene, seed: int) -> None:
        self.scene = scene
        self.random = random.Random(seed)
        self.disk = Disk.holding(scene.old)
        self.confirmed = 1
        self.cuts = 0

    def fails(self) -> dict[str, RunFault]:
        """Now and then the new set does not start; once it is confirmed it does."""
        is_confirmed = BootState(FaultyStorage(self.disk)).record.set_number == 2
        return {"slogan": RunFault.TRAP} if self.random.random() < 0.1 and not is_confirmed else {}

    def cut_run(self) -> None:
        """Some way, then no power, or no program."""
        storage = FaultyStorage(self.disk, cut_after=self.random.randrange(self.random.choice(STEPS)))
        try:
            started = self.scene.start(storage, self.fails())
            self.check(started)
            self.scene.go_on(started.machine, 2)
            self.confirmed = started.machine.boot.record.set_number
        except PowerCutError:
            self.cuts += 1
        self.disk = storage.disk
        if self.random.random() < 0.8:
            files = self.disk.after_cut(self.random.randrange, lambda size: [self.random.randrange(max(size, 1))])
            self.disk = Disk.holding(files)

    def last_run(self) -> None:
        """Nothing more happens to it, and so it comes to the end."""
        storage = FaultyStorage(self.disk)
        started = self.scene.start(storage)
        self.check(started)
        self.scene.go_on(started.machine, 2)
        assert self.scene.check(self.scene.start(storage), 2, 2) == 2
        assert len(storage.names()) == 3 + len(self.scene.sets[2])

    def check(self, started: Started) -> None:
        """What was confirmed once stays so, and counters with it; the counter never steps early."""
        self.scene.check(started, self.confirmed, 2)
        record = started.machine.boot.record
        assert record.set_number >= self.confirmed
        self.confirmed = record.set_number


@pytest.mark.clause("C27")
@pytest.mark.parametrize("group", range(GROUPS))
def test_a_device_that_is_cut_at_random_runs_one_set_and_ends_with_the_new_one(scene: ChangeScene, group: int) -> None:
    cuts = 0
    for seed in range(group, RUNS, GROUPS):
        life = Life(scene, seed)
        for _ in range(life.random.randint(1, MOST_CUTS)):
            life.cut_run()
        life.last_run()
        cuts += life.cuts
    assert cuts > 2 * RUNS // GROUPS
