"""`fob p11`: make PKCS#11 programs find the phone, and check that they do."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from fob_daemon.cli.changes.change import Standing
from fob_daemon.cli.checks.p11_kit import module_file
from fob_daemon.cli.context import Fob, json_option
from fob_daemon.cli.daemon_sockets import daemon_sockets
from fob_daemon.cli.programs import last_words, run_program
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.p11_kit import ADDRESS_VARIABLE, CLIENT, PACKAGE, address, find_client, module_path, module_text

# The stock client has no time-out of its own.
TEST_TIME: Final = 30.0

# Root's file is for every user, whatever root's umask is.
MODULE_MODE: Final = 0o644


@click.group()
def p11() -> None:
    """Use the phone's keys with PKCS#11 programs."""


@p11.command("install", short_help="Let every p11-kit program see the phone.")
@json_option
@click.pass_obj
def install_command(fob: Fob) -> None:
    """Write the module file that lets every p11-kit program see the phone."""
    provider = daemon_sockets(fob).provider
    path = module_path(os.getuid(), fob.environment)
    text = module_text(provider)
    if not _write(path, text):
        raise ControlError("nothing was written", f"{path} is as it should be", "fob p11 test", ExitCode.NOTHING_TO_DO)
    if fob.output.is_json:
        fob.output.data({"path": str(path), "remote": address(provider)})
    else:
        fob.output.say(f"Wrote {path}.")
        fob.output.say("try:   fob p11 test")


@p11.command("test", short_help="List the objects with a stock PKCS#11 program.")
@json_option
@click.pass_obj
def test_command(fob: Fob) -> None:
    """List the phone's objects with a program that does not know Fob, through the distribution's own module."""
    client = find_client()
    if client is None:
        raise ControlError("the test did not run", f"{CLIENT} is not installed", f"apt install {PACKAGE}")
    command = _listing(client)
    # Without a daemon the client module would only say that there are no slots.
    provider = fob.client.get("status")["provider_socket"]
    fob.output.say(f"$ {ADDRESS_VARIABLE}={address(provider)} {' '.join(command)}")
    listing = _run(command, dict(fob.environment) | {ADDRESS_VARIABLE: address(provider)})
    if fob.output.is_json:
        fob.output.data({"command": list(command), "output": listing})
    else:
        fob.output.text(listing)


def _write(path: Path, text: str) -> bool:
    """False when the file is as it should be. Raises ControlError, also where somebody else's file is in the way."""
    standing = module_file(path, text).standing()
    if standing is Standing.DONE:
        return False
    if standing is Standing.FOREIGN:
        why = f"fob would write {path}, and did not write what is there"
        raise ControlError("nothing was written", why, "move it away, and then the same command")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # p11-kit reads it at any time: the whole file, or none.
        beside = path.with_name(f"{path.name}.new")
        beside.write_text(text, encoding="utf-8")
        beside.chmod(MODULE_MODE)
        beside.replace(path)
    except OSError as error:
        raise ControlError("the module file was not written", f"{path}: {error.strerror}", "fob doctor") from None
    return True


def _listing(client: Path) -> Sequence[str]:
    """The program and its arguments. Raises ControlError when there is none."""
    pkcs11_tool, p11tool = shutil.which("pkcs11-tool"), shutil.which("p11tool")
    if pkcs11_tool:
        return (pkcs11_tool, "--module", str(client), "--list-token-slots", "--list-objects")
    if p11tool:
        return (p11tool, "--provider", str(client), "--list-all")
    raise ControlError("the test did not run", "neither pkcs11-tool nor p11tool is installed", "apt install opensc")


def _run(command: Sequence[str], environment: dict[str, str]) -> str:
    """Its words. Raises ControlError."""
    try:
        done = run_program(command, environment, seconds=TEST_TIME)
    except subprocess.TimeoutExpired:
        why = f"{command[0]} got no answer in {TEST_TIME:.0f} s"
        raise ControlError("the test failed", why, "fob doctor", ExitCode.TIMEOUT) from None
    except OSError as error:
        raise ControlError("the test did not run", f"{command[0]}: {error.strerror}", "fob doctor") from None
    if done.returncode != 0:
        raise ControlError("the test failed", f"{command[0]}: {last_words(done) or 'no words'}", "fob doctor")
    return done.stdout
