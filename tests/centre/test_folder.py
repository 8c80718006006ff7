"""A box that finds its folder changed erases its keys, and is `tampered` ever after (M3)."""

import os
import random
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from fob_office.centre.boxes.errors import TamperedError
from fob_office.centre.boxes.folder import HARDWARE_KEY, INDEX, TAMPERED, BoxFolder, create_folder, open_folder
from fob_office.centre.boxes.identity import ADMISSION, IDENTITY, MASTERS
from fob_office.centre.bus.passes import Kind
from fob_office.errors import OperatorError
from support.centre_boxes import Boxes

SEALED = (INDEX, IDENTITY, ADMISSION, MASTERS)


@pytest.fixture
def boxes(tmp_path: Path) -> Boxes:
    return Boxes(tmp_path)


def assert_erased(folder: Path) -> None:
    """No key is left, and the box does not come back."""
    assert not (folder / HARDWARE_KEY).exists()
    assert (folder / TAMPERED).exists()
    with pytest.raises(TamperedError, match="tampered: meter-1 found its folder changed"):
        open_folder(folder, "meter-1", os.urandom)


def test_a_folder_is_its_owners_alone_and_shows_no_key(boxes: Boxes) -> None:
    folder = boxes.make(Kind.METER, "meter-1")
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert {path.name for path in folder.path.iterdir()} == {HARDWARE_KEY, *SEALED}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.path.iterdir()} == {0o600}
    assert repr(folder) == "BoxFolder('meter-1')"
    box = boxes.open("meter-1")
    secrets = (box.identity.static, box.identity.sealing)
    for octets in (repr(box).encode(), *(path.read_bytes() for path in folder.path.iterdir())):
        assert not any(secret in octets for secret in secrets)


def test_a_box_opens_again_and_again(boxes: Boxes) -> None:
    boxes.make(Kind.METER, "meter-1")
    assert boxes.open("meter-1").identity == boxes.open("meter-1").identity


@pytest.mark.clause("M3")
@pytest.mark.parametrize("file", SEALED)
def test_no_bit_of_a_file_can_be_changed(boxes: Boxes, tmp_path: Path, file: str) -> None:
    boxes.make(Kind.METER, "meter-1")
    octets = (boxes.folder / "meter-1" / file).read_bytes()
    random_places = random.Random(file).sample(range(8 * len(octets)), 12)
    for place in (0, *random_places, 8 * len(octets) - 1):
        copy = tmp_path / "copy" / "meter-1"
        shutil.copytree(boxes.folder / "meter-1", copy)
        changed = bytearray(octets)
        changed[place // 8] ^= 1 << place % 8
        (copy / file).write_bytes(changed)
        with pytest.raises(TamperedError):
            open_all(copy)
        assert_erased(copy)
        shutil.rmtree(tmp_path / "copy")


def open_all(path: Path) -> None:
    """Read each file of a box."""
    folder = open_folder(path, path.name, os.urandom)
    for file in SEALED:
        folder.read(file)


def delete(path: Path, other: Path) -> None:
    path.unlink()


def empty(path: Path, other: Path) -> None:
    path.write_bytes(b"")


def lengthen(path: Path, other: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def take_from_another_box(path: Path, other: Path) -> None:
    path.write_bytes((other / path.name).read_bytes())


def take_another_file(path: Path, other: Path) -> None:
    names = (*SEALED, SEALED[0])
    path.write_bytes((path.parent / names[names.index(path.name) + 1]).read_bytes())


def make_a_folder_of_it(path: Path, other: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.clause("M3")
@pytest.mark.parametrize("file", SEALED)
@pytest.mark.parametrize(
    "change", [delete, empty, lengthen, take_from_another_box, take_another_file, make_a_folder_of_it]
)
def test_a_file_that_is_missing_or_another_is_found(
    boxes: Boxes, file: str, change: Callable[[Path, Path], None]
) -> None:
    path = boxes.make(Kind.METER, "meter-1").path
    other = boxes.make(Kind.METER, "meter-2").path
    change(path / file, other)
    with capture_logs() as logs, pytest.raises(TamperedError):
        open_all(path)
    assert [line["event"] for line in logs] == ["a box was tampered with"]
    assert_erased(path)


@pytest.mark.parametrize("change", [delete, empty, lengthen, take_from_another_box, make_a_folder_of_it])
def test_a_box_without_its_hardware_key_is_none(boxes: Boxes, change: Callable[[Path, Path], None]) -> None:
    path = boxes.make(Kind.METER, "meter-1").path
    change(path / HARDWARE_KEY, boxes.make(Kind.METER, "meter-2").path)
    with pytest.raises(TamperedError):
        open_all(path)
    assert (path / TAMPERED).exists()


@pytest.mark.clause("M3")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_hardware_key_that_is_open_to_others_is_refused_and_kept(boxes: Boxes, mode: int) -> None:
    """Whoever copied a folder so has another mistake to mend than a box that is lost."""
    folder = boxes.make(Kind.METER, "meter-1").path
    (folder / HARDWARE_KEY).chmod(mode)
    with pytest.raises(OperatorError) as refused:
        open_folder(folder, "meter-1", os.urandom)
    assert refused.value.lines.splitlines() == [
        "error: the hardware key of meter-1 is no secret",
        f"why:   {folder / HARDWARE_KEY} is open to others (mode {mode:04o})",
        f"try:   chmod 600 {folder / HARDWARE_KEY}",
    ]
    (folder / HARDWARE_KEY).chmod(0o600)
    open_folder(folder, "meter-1", os.urandom)


@pytest.mark.clause("M3")
@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another user")
def test_a_hardware_key_of_another_user_is_refused_and_kept(boxes: Boxes) -> None:
    folder = boxes.make(Kind.METER, "meter-1").path
    os.chown(folder / HARDWARE_KEY, 12_345, 12_345)
    with pytest.raises(OperatorError, match=r"another user's \(uid 12345\)"):
        open_folder(folder, "meter-1", os.urandom)
    # Root works for the user whose folder it is.
    os.chown(folder, 12_345, 12_345)
    open_folder(folder, "meter-1", os.urandom)


def test_the_hardware_key_is_overwritten_before_it_is_deleted(boxes: Boxes, tmp_path: Path) -> None:
    path = boxes.make(Kind.METER, "meter-1").path
    link = tmp_path / "the same octets"
    link.hardlink_to(path / HARDWARE_KEY)
    (path / MASTERS).write_bytes(b"changed")
    with pytest.raises(TamperedError):
        open_all(path)
    assert link.read_bytes() == bytes(32)


def test_an_open_box_that_finds_a_change_does_nothing_more(boxes: Boxes) -> None:
    folder = boxes.make(Kind.METER, "meter-1")
    place = folder.place("store.db")
    sealed = place.seal([], b"before")
    (folder.path / MASTERS).write_bytes(b"changed")
    with pytest.raises(TamperedError):
        folder.read(MASTERS)
    tries: list[Callable[[], object]] = [
        folder.check,
        lambda: folder.read(IDENTITY),
        lambda: folder.write("more", b""),
        lambda: place.seal([], b""),
        lambda: place.open([], sealed),
    ]
    for attempt in tries:
        with pytest.raises(TamperedError):
            attempt()
    assert_erased(folder.path)


def test_a_write_that_was_cut_off_leaves_what_was_there(boxes: Boxes, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = boxes.make(Kind.METER, "meter-1")
    folder.write("state", b"before")

    def fail(*_: object) -> None:
        raise OSError("the power went")

    for step in ("replace",):
        monkeypatch.setattr(Path, step, fail)
        with pytest.raises(OSError, match="the power went"):
            folder.write("state", b"after")
        monkeypatch.undo()
        again = open_folder(folder.path, "meter-1", os.urandom)
        assert again.read("state") == b"before"


def test_a_file_that_was_made_and_not_listed_is_read(boxes: Boxes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power goes between the file and the index."""
    folder = boxes.make(Kind.METER, "meter-1")
    monkeypatch.setattr(BoxFolder, "add", lambda *_: None)
    folder.write("state", b"new")
    monkeypatch.undo()
    assert open_folder(folder.path, "meter-1", os.urandom).read("state") == b"new"


def test_what_was_never_made_is_no_tampering(boxes: Boxes) -> None:
    folder = boxes.make(Kind.METER, "meter-1")
    with pytest.raises(FileNotFoundError):
        folder.read("state")
    assert not folder.is_tampered


def test_no_box_is_made_where_something_is(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    with pytest.raises(OperatorError, match="is not empty"):
        create_folder(tmp_path, "meter-1", os.urandom)
    with pytest.raises(OperatorError, match="is no folder"):
        open_folder(tmp_path / "nowhere", "meter-1", os.urandom)
