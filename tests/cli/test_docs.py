"""The two documents name everything that there is."""

import re
from pathlib import Path

import click

from fob_daemon.cli.main import cli
from fob_daemon.control.errors import ExitCode
from fob_daemon.control.key_type import KeyType
from fob_daemon.control.limits import MAX_BODY, Limits
from fob_daemon.control.requests import PREFIX, ROUTES
from fob_daemon.device.pairing_time import PAIRING_LIMIT

DOCS = Path(__file__).parents[2] / "docs"
CLI = (DOCS / "cli.md").read_text(encoding="utf-8")
API = (DOCS / "control-api.md").read_text(encoding="utf-8")


# What many commands take is described once, below the table.
SHARED = {"--json", "--help", "--device", "--pin-file"}


def options_of_commands(group: click.Group, path: str) -> dict[str, set[str]]:
    """Every command that does something, and its options; short names where there is no long one."""
    found: dict[str, set[str]] = {}
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            found |= options_of_commands(command, f"{path} {name}")
        elif command is not None:
            options = [option for option in command.params if isinstance(option, click.Option)]
            names = {name for option in options for name in (*option.opts, *option.secondary_opts)}
            found[f"{path} {name}"] = names - SHARED
    return found


def described_options() -> dict[str, set[str]]:
    """The same from the first column of the table of commands."""
    found: dict[str, set[str]] = {}
    for line in CLI.splitlines():
        if not line.startswith("| `fob "):
            continue
        cell = re.split(r"(?<!\\)\|", line)[1]
        for usage in re.findall(r"`([^`]*)`", cell):
            words = usage.partition(" -- ")[0].replace("[-- COMMAND]", "")
            command = re.match(r"[a-z0-9]+(?:[ -][a-z0-9]+)*(?= |$)", words)
            assert command, usage
            found[command[0].strip()] = set(re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", words)) - SHARED
    return found


def test_every_command_is_described_with_every_option_and_no_other() -> None:
    described = described_options()
    real = options_of_commands(cli, "fob")
    real["fob log"].discard("--follow")  # the long name of -f
    assert described == real


def test_what_many_commands_take_is_described() -> None:
    assert {name for name in SHARED - {"--help"} if f"`{name}" not in CLI} == set()


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
    assert f"after {PAIRING_LIMIT:.0f} s it ends by itself" in API
    assert f"every {limits.heartbeat:.0f} s on a quiet stream" in API
