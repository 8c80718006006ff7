"""A person with a configuration of git, and a phone with a key."""

import os
import sys
from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from control.fake_phone import FakePhone
from support.git_signing import CONFIG, git, new_key
from support.required import check_program


@pytest.fixture(autouse=True)
def git_is_there() -> None:
    check_program("git")
    check_program("ssh-keygen")


@pytest.fixture
def config(fob: FobProgram) -> Path:
    """A person's own configuration, with spaces, comments and no last line end."""
    fob.environment |= {"GIT_CONFIG_NOSYSTEM": "1", "XDG_STATE_HOME": str(fob.folder / "state")}
    path = fob.folder / ".gitconfig"
    path.write_text(CONFIG)
    return path


@pytest.fixture
async def key(fob: FobProgram, phone: FakePhone) -> str:
    """The phone's only key, as git gets it."""
    return await new_key(fob, "git", "ed25519")


@pytest.fixture
def tools(fob: FobProgram) -> None:
    """`fob` in the path."""
    fob.environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


@pytest.fixture
def repository(fob: FobProgram, config: Path, tools: None) -> Path:
    path = fob.folder / "a repository"
    git(fob, "init", "-q", str(path))
    return path
