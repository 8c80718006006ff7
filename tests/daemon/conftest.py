"""A daemon as a process, and the files it was started with."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.running import running
from fob_daemon.demo.scratch import Scratch


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    scratch = Scratch.in_folder(tmp_path)
    scratch.write_files()
    return scratch


@pytest.fixture
def daemon(scratch: Scratch) -> Iterator["subprocess.Popen[bytes]"]:
    """A daemon that listens, with nothing paired."""
    with running(scratch) as process:
        yield process
