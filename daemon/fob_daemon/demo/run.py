"""A whole demo: phone, daemon, line, pairing, three keys; then a command, or the walk."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fob_daemon.demo.processes import DemoError, Processes, end_by_signals, program, undisturbed
from fob_daemon.demo.scratch import Scratch
from fob_daemon.demo.walk import Say, Walk

KEYS: Final = (("rsa:2048", "RSA-2048", "01"), ("ec:p256", "P-256", "02"), ("ed25519", "Ed25519", "03"))


def run_demo(command: Sequence[str], say: Say) -> int:
    """Run `command`, or the walk when it is empty; the exit status. Raises DemoError. Leaves nothing behind."""
    end_by_signals()
    with tempfile.TemporaryDirectory(prefix="fob-demo-", ignore_cleanup_errors=True) as folder:
        scratch = Scratch.in_folder(Path(folder))
        scratch.write_files()
        with Processes(scratch) as processes:
            set_up(scratch, processes, say)
            if command:
                return run_command(command, scratch)
            Walk(scratch, say).run()
            return 0


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
    """The person's command with the demo's environment; its exit status. Raises DemoError for no such program."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        with undisturbed():
            running.append(subprocess.Popen(command, env=os.environ | scratch.environment()))
        # Ctrl-C is the command's while it runs: it may be a shell.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return running[0].wait()
    except FileNotFoundError:
        raise DemoError(f"no program is called '{command[0]}'") from None
    finally:
        for process in running:
            process.kill()
            process.wait()


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
        raise DemoError(f"fob {' '.join(arguments)} failed:\n{done.stderr.decode(errors='replace')}")
