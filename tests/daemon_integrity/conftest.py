"""An office, and a computer that nobody has enrolled yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon_integrity.computer import Computer
from support.office import OfficeScene, office_scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[OfficeScene]:
    (tmp_path / "office").mkdir()
    with office_scene(tmp_path / "office") as made:
        yield made


@pytest.fixture
def computer(tmp_path: Path, scene: OfficeScene, monkeypatch: pytest.MonkeyPatch) -> Computer:
    return Computer.made(tmp_path / "pc", scene, monkeypatch)
