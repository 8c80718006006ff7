"""Stories of the phone's port on the air; for the workbench a cable or the air, and phones that run."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.bench_program import DEVICE, command
from support.ble_scene import Scene, Story, Tell
from support.medium import MEDIA, Medium
from support.ready_program import PATIENCE, running
from support.virtual_loop import run_virtually


@pytest.fixture
def tell(tmp_path: Path) -> Tell:
    """Runs a story in virtual time, on a new phone."""

    async def whole(story: Story) -> None:
        scene = Scene(tmp_path)
        try:
            await story(scene)
        finally:
            scene.handset.switch_off()

    return lambda story: run_virtually(whole(story))


@pytest.fixture(params=MEDIA)
def medium(request: pytest.FixtureRequest, tmp_path: Path) -> Medium:
    """A cable or the air, with nobody at either end yet."""
    return MEDIA[request.param](tmp_path)


@pytest.fixture(scope="session")
def made_phone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phone that was made once."""
    folder = tmp_path_factory.mktemp("made") / "phone"
    init = (DEVICE, "init", f"--state={folder}", "--pins=-")
    subprocess.run(init, input=b"123456\n12345678\n", check=True, timeout=PATIENCE, capture_output=True)
    return folder


@pytest.fixture
def phone(made_phone: Path, tmp_path: Path) -> Path:
    """A copy of it, in a folder so deep that no socket's address holds its path."""
    return Path(shutil.copytree(made_phone, tmp_path / ("deep" * 30) / "phone"))


@pytest.fixture
def line(phone: Path, tmp_path: Path) -> Iterator[Path]:
    """It runs, with a pseudo-terminal here."""
    with running(*command(phone, f"pty:{tmp_path / 'line'}")):
        yield tmp_path / "line"
