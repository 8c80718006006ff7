"""A whole demo: phone, daemon, line, pairing, and keys or a back office; then a command, or a walk."""

import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fob_daemon.demo.commands import exit_status, running
from fob_daemon.demo.errors import NOT_BEGUN, DemoError
from fob_daemon.demo.links import DemoLink
from fob_daemon.demo.office import DemoOffice
from fob_daemon.demo.processes import Processes
from fob_daemon.demo.scratch import Scratch
from fob_daemon.demo.signals import end_by_signals, undisturbed
from fob_daemon.demo.signing import make_keys, sign
from fob_daemon.demo.touring import tour
from fob_daemon.demo.walk import Say


def run_demo(link: DemoLink, command: Sequence[str], say: Say, *, has_office: bool = False) -> int:
    """Run `command`, or a walk when it is empty; the exit status. Raises DemoError. Leaves nothing behind."""
    link.check()
    end_by_signals()
    with scratch_folder() as folder:
        scratch = Scratch.in_folder(folder)
        with Processes(scratch, link) as processes:
            if has_office:
                set_up_with_office(processes, say)
            else:
                scratch.write_files(link.configuration(scratch))
                set_up(processes, say)
            if command:
                return run_command(command, scratch)
            (tour if has_office else sign)(scratch, say)
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
    """Phone and daemon started and paired, three keys made. Raises DemoError."""
    say(f"Switching on an emulated phone on {processes.link.words}, and the daemon ...")
    processes.make_phone()
    switch_on_and_pair(processes, say)
    make_keys(processes, say)


def set_up_with_office(processes: Processes, say: Say) -> None:
    """A back office, an order, a generic phone; started, paired, and configured by itself. Raises DemoError."""
    office = DemoOffice(processes, say)
    configuration = office.found()
    processes.scratch.write_files(processes.link.configuration(processes.scratch) + configuration)
    processes.make_phone()
    office.make_and_order()
    say(f"Switching on the phone on {processes.link.words}, and the daemon ...")
    switch_on_and_pair(processes, say)
    office.await_configured()


def switch_on_and_pair(processes: Processes, say: Say) -> None:
    """Raises DemoError."""
    processes.link.prepare(processes)
    processes.start_phone()
    processes.start_daemon()
    url = processes.link.url(processes)
    say(f"Pairing them over {url} (both show the same code; a person compares, here a rule does) ...")
    processes.fob("pair", url, "--yes")


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
