"""How the tests are run: where their files are, and which come first."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import memory_disk
from support.memory_disk import use_memory
from support.run_order import longest_first


@pytest.fixture
def nobody_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for temporary files."""
    monkeypatch.setenv("TMPDIR", "")
    monkeypatch.delenv("TMPDIR")
    monkeypatch.setattr(tempfile, "tempdir", None)


@pytest.mark.usefixtures("nobody_chose")
def test_temporary_files_are_kept_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_disk, "ROOM", 1)
    use_memory(tmp_path)
    assert os.environ["TMPDIR"] == tempfile.gettempdir() == str(tmp_path)


@pytest.mark.usefixtures("nobody_chose")
def test_they_are_not_where_there_is_no_memory_or_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_memory(tmp_path / "missing")
    use_memory(Path("/proc"))
    monkeypatch.setattr(memory_disk, "ROOM", 1 << 80)
    use_memory(tmp_path)
    assert "TMPDIR" not in os.environ


def test_they_are_where_somebody_wants_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/elsewhere")
    use_memory(tmp_path)
    assert os.environ["TMPDIR"] == "/elsewhere"


@dataclass
class Found:
    """As pytest has it."""

    path: Path
    is_slow: bool = False

    def get_closest_marker(self, name: str) -> bool | None:
        return self.is_slow or None


def test_files_with_a_slow_test_come_first_and_then_those_with_many() -> None:
    few, many, slow = Path("few"), Path("many"), Path("slow")
    planned = [Found(few), Found(many), Found(many), Found(slow), Found(slow, is_slow=True)]
    assert [test.path for test in longest_first(planned)] == [slow, slow, many, many, few]
