"""A whole demo: phone, daemon, line, pairing, three keys; then a command, or the walk."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fob_daemon.demo.commands import exit_status, running
from fob_daemon.demo.processes import DemoError, Processes, failed, program
from fob_daemon.demo.scratch import Scratch
from fob_daemon.demo.signals import end_by_signals, undisturbed
from fob_daemon.demo.walk import Say, Walk

KEYS: Final = (("rsa:2048", "RSA-2048", "01"), ("ec:p256", "P-256", "02"), ("ed25519", "Ed25519", "03"))


def run_demo(command: Sequence[str], say: Say) -> int:
    """Run `command`, or the walk when it is empty; the exit status. Raises DemoError. Leaves nothing behind."""
    end_by_signals()
    with scratch_folder() as folder:
        scratch = Scratch.in_folder(folder)
        scratch.write_files()
        with Processes(scratch) as processes:
            set_up(scratch, processes, say)
            if command:
                return run_command(command, scratch)
            Walk(scratch, say).run()
            return 0


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that vanishes with all that is in it. Raises DemoError when there is no room for one."""
    try:
        with undisturbed():
            folder = tempfile.TemporaryDirectory(prefix="fob-demo-", ignore_cleanup_errors=True)
    except OSError as error:
        raise DemoError(
            "the demo did not begin", f"no folder could be made: {error.strerror}", "TMPDIR=FOLDER fob demo"
        ) from None
    try:
        yield Path(folder.name)
    finally:
        with undisturbed():
            folder.cleanup()


def set_up(scratch: Scratch, processes: Processes, say: Say) -> None:
    """Phone and daemon started and paired, the three keys made. Raises DemoError."""
    say("Switching on an emulated phone on a serial line, and the daemon ...")
    processes.make_phone()
    processes.start_phone()
    processes.start_daemon()
    say("Pairing them (both show the same code; a person compares, here a rule does) ...")
    fob(scratch, "pair", f"serial:{scratch.line}", "--yes")
    for kind, label, key_id in KEYS:
        say(f"Making a key on the phone: {label} ...")
        fob(scratch, "keys", "new", "--type", kind, "--label", label, "--id", key_id)


def run_command(command: Sequence[str], scratch: Scratch) -> int:
    """The person's command with the demo's environment; its exit status. Raises DemoError when it cannot be started."""
    try:
        with running(command, os.environ | scratch.environment()) as process:
            # Ctrl-C is the command's while it runs: it may be a shell.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            return exit_status(process)
    except FileNotFoundError:
        raise DemoError(
            "the command was not run", f"no program is called '{command[0]}'", "fob demo -- COMMAND"
        ) from None
    except OSError as error:
        raise DemoError("the command was not run", f"{command[0]}: {error.strerror}", "fob demo -- COMMAND") from None


def fob(scratch: Scratch, *arguments: str) -> None:
    """A `fob` command against the demo's daemon. Raises DemoError."""
    done = subprocess.run(
        program("fob", *arguments),
        env=os.environ | scratch.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise failed(f"fob {' '.join(arguments)} failed", "it", done.returncode, done.stderr)
