"""A real folder, and the disk of the tests, which has to be as bad as a disk may be."""

import stat
from pathlib import Path

import pytest

from fob_device.components.storage import FolderStorage, Storage
from support.faulty_storage import Disk, FaultyStorage, Files, PowerCutError


@pytest.fixture(params=["folder", "faulty"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return FolderStorage(tmp_path) if request.param == "folder" else FaultyStorage(Disk())


def test_both_keep_files(storage: Storage) -> None:
    storage.write("a", b"one")
    storage.write("a", b"2")
    storage.write_at("b", 4, b"there")
    storage.write_at("b", 6, b"..")
    storage.flush("a")
    assert (storage.read("a"), storage.read("b"), storage.read("c")) == (b"2", b"\0\0\0\0th..e", None)
    storage.rename("b", "a")
    storage.delete("nothing")
    storage.flush_names()
    assert (storage.names(), storage.read("a")) == (["a"], b"\0\0\0\0th..e")
    storage.delete("a")
    assert storage.names() == []


def test_a_folder_s_files_are_its_owner_s(tmp_path: Path) -> None:
    FolderStorage(tmp_path).write("a", b"secret")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        FolderStorage(tmp_path).write("a", b"")
    assert not (tmp_path / "elsewhere").exists()


def after_cuts(storage: FaultyStorage) -> list[Files]:
    """Without what tears leave."""
    found: list[Files] = []
    for files in storage.disk.every_cut(lambda size: ()):
        if files not in found:
            found.append(files)
    return found


class TestCuts:
    def test_what_is_flushed_is_there(self) -> None:
        storage = FaultyStorage(Disk())
        storage.write("a", b"new")
        storage.flush("a")
        assert after_cuts(storage) == [{"a": b"new"}]

    def test_a_write_may_be_lost_kept_or_torn_anywhere(self) -> None:
        storage = FaultyStorage(Disk.holding({"a": b"old"}))
        storage.write("a", b"NEW")
        left = {files["a"] for files in storage.disk.every_cut(range)}
        whole = {b"old", b"NEW"}
        assert left == whole | {b"", b"N", b"NE", b"\0\0\0", b"N\0\0", b"NE\0", b"Nld", b"NEd"}

    def test_a_file_s_name_may_come_without_its_content_and_not_without_its_name(self) -> None:
        storage = FaultyStorage(Disk())
        storage.write("a", b"new")
        assert after_cuts(storage) == [{}, {"a": b""}, {"a": b"new"}]

    def test_a_rename_may_come_without_the_content(self) -> None:
        """Why a file is flushed before it takes its name."""
        storage = FaultyStorage(Disk.holding({"a": b"old"}))
        storage.write("b", b"new")
        storage.rename("b", "a")
        assert {"a": b""} in after_cuts(storage)
        assert {"a": b"new"} in after_cuts(storage)
        assert {"a": b"old"} in after_cuts(storage)

    def test_a_rename_is_done_or_not_and_may_leave_its_old_name(self) -> None:
        storage = FaultyStorage(Disk.holding({"a": b"old", "b": b"new"}))
        storage.rename("b", "a")
        assert after_cuts(storage) == [{"a": b"old", "b": b"new"}, {"a": b"new"}, {"a": b"new", "b": b"new"}]

    def test_deletes_come_in_any_order(self) -> None:
        storage = FaultyStorage(Disk.holding({"a": b"1", "b": b"2"}))
        storage.delete("a")
        storage.delete("b")
        assert {frozenset(files) for files in after_cuts(storage)} == {
            frozenset("ab"),
            frozenset("a"),
            frozenset("b"),
            frozenset(),
        }
        storage.flush_names()
        assert after_cuts(storage) == [{}]

    def test_the_power_goes_after_so_many_steps(self) -> None:
        storage = FaultyStorage(Disk(), cut_after=2)
        storage.write("a", b"1")
        with pytest.raises(PowerCutError):
            # The file is flushed, and then the folder.
            storage.flush("a")
        assert after_cuts(storage) == [{}, {"a": b"1"}]
