"""The two documents name everything that there is."""

import re
from pathlib import Path

from fob_daemon.cli.main import COMMANDS
from fob_daemon.control.errors import ExitCode
from fob_daemon.control.key_type import KeyType
from fob_daemon.control.limits import MAX_BODY, Limits
from fob_daemon.control.requests import PREFIX, ROUTES

DOCS = Path(__file__).parents[2] / "docs"
CLI = (DOCS / "cli.md").read_text(encoding="utf-8")
API = (DOCS / "control-api.md").read_text(encoding="utf-8")


def test_every_command_is_described() -> None:
    assert {name for name in COMMANDS if f"`fob {name}" not in CLI} == set()


def test_every_exit_code_is_described() -> None:
    rows = dict(re.findall(r"^\| (\d+) \| ([\w -]+) \|", CLI, re.MULTILINE))
    assert {int(code) for code in rows} == set(ExitCode)
    assert rows["3"] == "daemon unreachable"


def test_every_route_is_described_and_no_other() -> None:
    described = set(re.findall(r"^\| `([A-Z]+ /v1/[^`]*)`", API, re.MULTILINE))
    assert described == {f"{route.method} {PREFIX}{route.path}" for route in ROUTES}


def test_key_types_and_bounds_are_the_real_ones() -> None:
    assert [key_type for key_type in KeyType if f"`{key_type}`" not in CLI + API] == []
    limits = Limits()
    assert f"a body over {MAX_BODY:,} octets" in API
    assert f"{limits.max_streams} streams are open already" in API
    assert f"after {limits.pairing_time:.0f} s it ends by itself" in API
    assert f"every {limits.heartbeat:.0f} s on a quiet stream" in API
