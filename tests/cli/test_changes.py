"""Changes to a person's files: made once, never over what is somebody else's, and undone to the octet."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_daemon.cli.changes.block import BEGIN, END, Block
from fob_daemon.cli.changes.change import Change, Standing, make_all
from fob_daemon.cli.changes.files import FILE_LIMIT
from fob_daemon.cli.changes.folders import NAME, MadeFolders
from fob_daemon.cli.changes.link import Link
from fob_daemon.cli.changes.own_file import OwnFile
from fob_daemon.control.errors import ControlError

OURS = "# Fob: ours\nvalue = 1\n"


def test_an_own_file_is_written_once_and_removed(tmp_path: Path) -> None:
    change = OwnFile(tmp_path / "new/folder/file", OURS, 0o640)
    assert change.standing() is Standing.DUE
    assert make_all([change]) == [change]
    assert make_all([change]) == []
    assert (change.path.read_text(), stat.S_IMODE(change.path.stat().st_mode)) == (OURS, 0o640)
    assert stat.S_IMODE(change.path.parent.stat().st_mode) == 0o700
    assert list(change.path.parent.iterdir()) == [change.path]
    assert change.undo()
    assert not change.undo()


@pytest.mark.parametrize("step", ["chmod", "replace"])
def test_what_cannot_be_written_leaves_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, step, full)
    with pytest.raises(ControlError, match="was not written"):
        OwnFile(tmp_path / "file", OURS).make()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("found", "standing"),
    [
        (OURS, Standing.DONE),
        ("#!/bin/sh\n# Fob: an older one\n", Standing.DUE),
        ("value = 1\n", Standing.FOREIGN),
        ("", Standing.FOREIGN),
        ("a\nb\nc\n# Fob: too far below\n", Standing.FOREIGN),
        ("value = 'Fob: no comment'\n", Standing.FOREIGN),
    ],
)
def test_what_is_somebody_else_s_stays(tmp_path: Path, found: str, standing: Standing) -> None:
    change = OwnFile(tmp_path / "file", OURS)
    change.path.write_text(found)
    assert change.standing() is standing
    make_all([change])
    assert change.path.read_text() == (found if standing is Standing.FOREIGN else OURS)
    assert change.undo() is (standing is not Standing.FOREIGN)


def test_a_first_draft_is_the_person_s_from_then_on(tmp_path: Path) -> None:
    change = OwnFile(tmp_path / "file", OURS, is_first_draft=True)
    make_all([change])
    assert change.undo()
    make_all([change])
    change.path.write_text(f"{OURS}more = 2\n")
    assert change.standing() is Standing.DONE
    assert not change.undo()


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ControlError, match="was not read: Not a directory"):
        OwnFile(tmp_path / "file/below", OURS).standing()
    with pytest.raises(ControlError, match="was not written: Not a directory"):
        OwnFile(tmp_path / "file/below", OURS).make()
    (tmp_path / "large").write_bytes(bytes(FILE_LIMIT + 1))
    with pytest.raises(ControlError, match="it is over 1048576 octets"):
        Block(tmp_path / "large", ("a",)).standing()


def test_where_one_cannot_be_made_all_is_as_it_was(tmp_path: Path) -> None:
    old, person_s, blocked = tmp_path / "old", tmp_path / "person's", tmp_path / "blocked"
    old.write_text("# Fob: an older one\n")
    old.chmod(0o640)
    person_s.write_text("mine\n")
    blocked.mkdir()
    before = paths_in(tmp_path)
    changes = (
        OwnFile(old, OURS),
        OwnFile(tmp_path / "new/folder/file", OURS),
        Block(person_s, ("one",)),
        Block(tmp_path / "another", ("one",)),
        Link(tmp_path / "wants/unit", old),
        Failing(blocked / "unit", old),
    )
    with pytest.raises(ControlError) as caught:
        make_all(changes)
    assert caught.value.why == "why not; what was written before it is taken back"
    assert paths_in(tmp_path) == before
    assert stat.S_IMODE(old.stat().st_mode) == 0o640


def test_what_cannot_be_put_back_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = OwnFile(tmp_path / "file", OURS)
    monkeypatch.setattr(OwnFile, "keep", lambda own_file: Failing(own_file.path, tmp_path).make)
    with pytest.raises(ControlError) as caught:
        make_all([file, Failing(tmp_path / "link", tmp_path)])
    assert caught.value.why == f"why not; {file.path} could not be put back"


def paths_in(folder: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


class Failing(Link):
    """What cannot be made."""

    def make(self) -> None:
        raise ControlError("it was not made", "why not", "again")


def test_a_damaged_list_of_folders_is_said(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("[1]")
    with pytest.raises(ControlError, match="is damaged"):
        MadeFolders(tmp_path).remove_empty()


TEXTS = st.text(alphabet=st.sampled_from("ab \n\t#\r\x00é"), max_size=30)


@pytest.mark.hypothesis
@given(st.none() | TEXTS, st.booleans(), st.lists(st.sampled_from(["one", "two words"]), max_size=3))
def test_a_block_leaves_all_else_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, text: str | None, is_last: bool, lines: list[str]
) -> None:
    path = tmp_path_factory.mktemp("block") / "file"
    if text is not None:
        path.write_bytes(text.encode())
    before = None if text is None else path.read_bytes()
    for content in (tuple(lines), ("another",)):
        change = Block(path, content, is_last=is_last)
        assert make_all([change]) == [change]
        assert make_all([change]) == []
        assert path.read_bytes().count(END.encode()) == 1
    assert change.undo()
    assert (path.read_bytes() if path.exists() else None) == before
    assert not change.undo()


def test_octets_that_are_no_text_stay(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"caf\xe9\r\n\xff")
    change = Block(path, ("one",), is_last=True)
    change.make()
    assert path.read_bytes().startswith(b"caf\xe9\r\n\xff\n# >>> fob")
    change.undo()
    assert path.read_bytes() == b"caf\xe9\r\n\xff"


def test_mode_and_link_of_the_person_s_file_stay(tmp_path: Path) -> None:
    real, path = tmp_path / "real", tmp_path / "link"
    real.write_text("a\n")
    real.chmod(0o604)
    path.symlink_to("real")
    Block(path, ("one",)).make()
    assert (path.is_symlink(), stat.S_IMODE(real.stat().st_mode)) == (True, 0o604)
    assert real.read_text() == f"{BEGIN}one\n{END}a\n"


@pytest.mark.parametrize("change", [lambda path: Block(path, ("ours",)), lambda path: OwnFile(path, OURS)])
def test_a_link_that_leads_nowhere_is_written_through_and_leads_nowhere_again(
    tmp_path: Path, change: Callable[[Path], Change]
) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to("target")
    ours = change(link)
    make_all([ours])
    assert (link.is_symlink(), target.is_file()) == (True, True)
    assert ours.undo()
    assert (link.readlink(), target.exists()) == (Path("target"), False)
    assert not ours.undo()


def test_a_block_without_an_end_is_nobody_s_to_remove(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(f"{BEGIN}one\n")
    assert not Block(path, ()).undo()
    assert path.read_text() == f"{BEGIN}one\n"


def test_a_link(tmp_path: Path) -> None:
    change = Link(tmp_path / "wants/unit", tmp_path / "unit")
    assert make_all([change]) == [change]
    assert change.standing() is Standing.DONE
    assert os.readlink(change.path) == str(change.target)
    assert change.undo()
    change.path.symlink_to("elsewhere")
    assert change.standing() is Standing.FOREIGN
    assert not change.undo()
    assert os.readlink(change.path) == "elsewhere"
