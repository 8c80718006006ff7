"""Every command that a message names can be typed as it stands: the command is there, and takes these options."""

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from fob_daemon.cli.main import COMMANDS, cli
from fob_daemon.p11_kit import SET_PIN, find_client, pkcs11_tool
from support.required import program

ROOT = Path(__file__).parents[2]

# A command at the start of a message, or behind "try:", "first:" and their like; up to what explains it.
NAMED = re.compile(rf"(?:^|: +|\()fob ((?:{'|'.join(COMMANDS)})\b.*?)(?=    |\)|, | && | > |$)", re.MULTILINE)


def messages(path: Path) -> Iterator[str]:
    """The texts of a module but for its docstrings; values stand as X."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    statements = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in statements | parts:
            yield node.value


def named_commands() -> list[str]:
    # What tours type are whole lines for a shell, which tests/demo runs.
    package = ROOT / "daemon" / "fob_daemon"
    paths = sorted(path for path in package.rglob("*.py") if not path.is_relative_to(package / "demo"))
    return sorted({found for path in paths for message in messages(path) for found in NAMED.findall(message)})


def test_some_are_found() -> None:
    assert {"doctor", "pair URL", "keys new --type ec:p256 --label NAME", "unlock --device X"} <= set(named_commands())


@pytest.mark.parametrize("command", named_commands())
def test_the_command_exists_and_takes_these_options(command: str) -> None:
    words = shlex.split(command)
    found: click.Command = cli
    context = click.Context(cli)
    while isinstance(found, click.Group):
        following = found.get_command(context, words.pop(0))
        assert following is not None
        found = following
    found.make_parser(click.Context(found)).parse_args(words)


def test_pkcs11_tool_has_the_options_that_messages_give_it() -> None:
    offered = subprocess.run(
        [program("pkcs11-tool"), "--help"], capture_output=True, text=True, timeout=30, check=False
    )
    words = pkcs11_tool("/run/p", "Ada's token", f"{SET_PIN} --label X --set-id HEX --type privkey")
    for option in re.findall(r"--[a-z-]+", words):
        assert option in offered.stdout + offered.stderr


def test_the_module_s_path_is_there_in_full_and_the_address_too(tmp_path: Path) -> None:
    module = tmp_path / "usr/lib/riscv64-linux-gnu/pkcs11/p11-kit-client.so"
    assert pkcs11_tool("/run/p", "a", "-L", tmp_path) == "apt install p11-kit-modules, and then the same command again"

    module.parent.mkdir(parents=True)
    module.touch()

    assert find_client(tmp_path) == module
    assert shlex.split(pkcs11_tool("/run/my fob/p", "Ada's token", "-L", tmp_path)) == [
        "P11_KIT_SERVER_ADDRESS=unix:path=/run/my%20fob/p",
        *("pkcs11-tool", "--module", str(module), "--token-label", "Ada's token", "-L"),
    ]


def test_nothing_names_the_module_without_its_path() -> None:
    for path in (ROOT / "daemon" / "fob_daemon").rglob("*.py"):
        assert not [message for message in messages(path) if re.search(r"--module p11", message)], path
