"""What the daemon loads before it is asked for anything."""

import subprocess
import sys

import pytest

# Each costs a start tens of milliseconds and the daemon megabytes; a program that signs needs none of them.
LATE = (
    "aiohttp",
    "click",
    "cryptography.x509",
    "email.message",
    "http.client",
    "importlib.metadata",
    "pydantic",
    "serial",
    "uvloop",
)


@pytest.mark.parametrize("module", LATE)
def test_it_comes_later(module: str, loaded: frozenset[str]) -> None:
    assert module not in loaded


def test_what_serves_programs_is_loaded(loaded: frozenset[str]) -> None:
    assert {"fob_daemon.rpc.server", "fob_daemon.agent.server", "fob_daemon.control.server"} <= loaded


@pytest.fixture(scope="module")
def loaded() -> frozenset[str]:
    """Every module that `fobd` has when its own code begins to run."""
    code = "import sys, fob_daemon.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return frozenset(done.stdout.split())
