"""What is on a device's disk is changed between check and use: it is not run, by name, and the device goes on."""

from collections.abc import Callable
from typing import Final

import pytest

from components.change_scene import ChangeScene
from fob_device.components.boot_record import Ended
from fob_device.components.contents import content_file
from fob_protocol.office.configuration import Outcome
from support.faulty_storage import Disk, FaultyStorage, Files
from support.office_signers import CHALLENGE


@pytest.fixture(scope="module")
def scene() -> ChangeScene:
    return ChangeScene()


@pytest.fixture(scope="module")
def checked(scene: ChangeScene) -> Files:
    """Set 2 came, and all of it was checked; it runs from the next start on."""
    started = scene.start(FaultyStorage(Disk.holding(scene.old)))
    started.machine.installer.take(scene.offers[2], CHALLENGE, scene.trust)
    scene.shelf.fetch(started.machine.installer)
    started.machine.installer.stage(scene.trust)
    return started.storage.disk.files


def image(scene: ChangeScene, files: Files) -> Files:
    """The genuine content of another release of the same component."""
    old, new = scene.sets[1][-1], scene.sets[2][-1]
    return files | {content_file(new.digest): files[content_file(old.digest)]}


def manifest(_: ChangeScene, files: Files) -> Files:
    """The genuine set that ran before."""
    return files | {"set-b": files["set-a"]}


ATTACKS: Final[dict[str, Callable[[ChangeScene, Files], Files]]] = {
    "an image that is replaced after its check [SUIT IMG.REPLACE] wrong-digest": image,
    "a manifest that is replaced after its check [SUIT MFST.TOCTOU] wrong-digest": manifest,
}


@pytest.mark.clause("C16", "C25", "C27")
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_attack(scene: ChangeScene, checked: Files, attack: Callable[[ChangeScene, Files], Files]) -> None:
    started = scene.start(FaultyStorage(Disk.holding(attack(scene, checked))))
    assert scene.check(started, 1, 2, new_may_run=False) == 1
    assert started.machine.boot.record.ended == Ended(2, Outcome.REVERTED, "wrong-digest")
    scene.go_on(started.machine, 2)
    assert scene.check(scene.start(started.storage), 2, 2) == 2
