"""A whole demo: phone, daemon, line, pairing, three keys; then a command, or the walk."""

import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fob_daemon.demo.commands import exit_status, running
from fob_daemon.demo.errors import NOT_BEGUN, DemoError
from fob_daemon.demo.links import DemoLink
from fob_daemon.demo.processes import Processes
from fob_daemon.demo.scratch import Scratch
from fob_daemon.demo.signals import end_by_signals, undisturbed
from fob_daemon.demo.walk import Say, Walk

KEYS: Final = (("rsa:2048", "RSA-2048", "01"), ("ec:p256", "P-256", "02"), ("ed25519", "Ed25519", "03"))


def run_demo(link: DemoLink, command: Sequence[str], say: Say) -> int:
    """Run `command`, or the walk when it is empty; the exit status. Raises DemoError. Leaves nothing behind."""
    link.check()
    end_by_signals()
    with scratch_folder() as folder:
        scratch = Scratch.in_folder(folder)
        scratch.write_files(link.configuration(scratch))
        with Processes(scratch, link) as processes:
            set_up(processes, say)
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
        raise DemoError(NOT_BEGUN, f"no folder could be made: {error.strerror}", "TMPDIR=FOLDER fob demo") from None
    try:
        yield Path(folder.name)
    finally:
        with undisturbed():
            folder.cleanup()


def set_up(processes: Processes, say: Say) -> None:
    """Phone and daemon started and paired, the three keys made. Raises DemoError."""
    say(f"Switching on an emulated phone on {processes.link.words}, and the daemon ...")
    processes.make_phone()
    processes.link.prepare(processes)
    processes.start_phone()
    processes.start_daemon()
    url = processes.link.url(processes)
    say(f"Pairing them over {url} (both show the same code; a person compares, here a rule does) ...")
    processes.fob("pair", url, "--yes")
    for kind, label, key_id in KEYS:
        say(f"Making a key on the phone: {label} ...")
        processes.fob("keys", "new", "--type", kind, "--label", label, "--id", key_id)


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
