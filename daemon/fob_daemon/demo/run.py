"""A whole demo: phone, daemon, line, pairing, and keys or a back office; then a command, or a walk."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fob_daemon.demo.commands import exit_status, running
from fob_daemon.demo.errors import NOT_BEGUN, DemoError
from fob_daemon.demo.links import DemoLink
from fob_daemon.demo.metering import METER_OPTIONS, TERMS, check_drawing, meter, person
from fob_daemon.demo.office import DemoOffice
from fob_daemon.demo.processes import Processes
from fob_daemon.demo.scratch import Scratch
from fob_daemon.demo.signals import end_by_signals, undisturbed
from fob_daemon.demo.signing import make_keys, sign
from fob_daemon.demo.touring import tour as tour_office
from fob_daemon.demo.walk import Say


def run_demo(link: DemoLink, command: Sequence[str], say: Say, *, tour: str = "signing") -> int:
    """Run `command`, or the walk of `tour` (TOURS) when it is empty; the exit status. Raises DemoError.

    Leaves nothing behind, but for what the walk says that it has kept.
    """
    link.check()
    TOURS[tour].check()
    end_by_signals()
    with scratch_folder() as folder:
        scratch = Scratch.in_folder(folder)
        with Processes(scratch, link) as processes:
            TOURS[tour].set_up(processes, say)
            if command:
                return run_command(command, scratch)
            TOURS[tour].walk(scratch, say)
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


def set_up_with_keys(processes: Processes, say: Say) -> None:
    """As `set_up`, in a new folder. Raises DemoError."""
    processes.scratch.write_files(processes.link.configuration(processes.scratch))
    set_up(processes, say)


def set_up_with_office(processes: Processes, say: Say) -> None:
    """A back office, an order, a generic phone; started, paired, and configured by itself. Raises DemoError."""
    office = DemoOffice(processes, say)
    configuration = office.found()
    _configure(processes, say, office, configuration)


def set_up_with_centre(processes: Processes, say: Say) -> None:
    """As with an office; it has a data centre, and the phone is ordered as a meter's token. Raises DemoError."""
    office = DemoOffice(processes, say, METER_OPTIONS)
    configuration = office.found_with_centre(*TERMS)
    _configure(processes, say, office, configuration, person())


def _configure(processes: Processes, say: Say, office: DemoOffice, configuration: str, person: str = "") -> None:
    processes.scratch.write_files(processes.link.configuration(processes.scratch) + configuration, person)
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


@dataclass(frozen=True, slots=True)
class Tour:
    """One kind of demo: what it needs (raises DemoError), what is there before a command or the walk, the walk."""

    set_up: Callable[[Processes, Say], None]
    walk: Callable[[Scratch, Say], None]
    check: Callable[[], None] = lambda: None


TOURS: Final[Mapping[str, Tour]] = {
    "signing": Tour(set_up_with_keys, sign),
    "office": Tour(set_up_with_office, tour_office),
    "meter": Tour(set_up_with_centre, meter, check_drawing),
}
