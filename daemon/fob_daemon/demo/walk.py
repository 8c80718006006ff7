"""A guided walk: each step is a real program; after each, what crossed the link."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from fob_daemon.demo.commands import running
from fob_daemon.demo.errors import DemoError, failed
from fob_daemon.demo.processes import program
from fob_daemon.demo.scratch import Scratch

Say = Callable[[str], None]

STEP_TIME: Final = 60


@dataclass(frozen=True, slots=True)
class Step:
    """One command line of the walk: what it shows, the program it needs, the Debian package that has it."""

    title: str
    command: str
    program: str
    package: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """The link's counters at one moment."""

    round_trips: int
    octets: int

    def __sub__(self, earlier: "Traffic") -> "Traffic":
        return Traffic(self.round_trips - earlier.round_trips, self.octets - earlier.octets)


class Walk:
    """Runs steps in the scratch folder and tells what happened."""

    def __init__(self, steps: Sequence[Step], scratch: Scratch, say: Say) -> None:
        self._steps = steps
        self._scratch = scratch
        self._say = say
        tools = os.path.dirname(program("fob")[0])
        path = os.pathsep.join((tools, os.environ.get("PATH", os.defpath)))
        self._environment = os.environ | scratch.environment() | {"PATH": path}

    def run(self) -> None:
        """Every step. Raises DemoError for one that fails; one whose program is missing is named and left out."""
        crossed = self.traffic()
        for number, step in enumerate(self._steps, start=1):
            self._say("")
            self._say(f"{number}. {step.title}")
            if shutil.which(step.program, path=self._environment["PATH"]) is None:
                self._say(f"   left out: {step.program} is not installed (apt install {step.package})")
                continue
            crossed = self._run(step, crossed)

    def traffic(self) -> Traffic:
        """What has crossed the link so far."""
        device = json.loads(self._shell("fob --json status"))["devices"][0]
        return Traffic(device["round_trips"], device["bytes_sent"] + device["bytes_received"])

    def _run(self, step: Step, before: Traffic) -> Traffic:
        """What has crossed until its end."""
        self._say(f"   $ {step.command}")
        for line in self._shell(step.command).decode(errors="replace").splitlines():
            self._say(f"   {line}")
        after = self.traffic()
        crossed = after - before
        self._say(f"   link: {crossed.round_trips} round trips, {crossed.octets} bytes")
        return after

    def _shell(self, command: str) -> bytes:
        null, pipe = subprocess.DEVNULL, subprocess.PIPE
        shell = ("/bin/sh", "-c", command)
        with running(shell, self._environment, folder=self._scratch.folder, stdin=null, output=pipe) as process:
            try:
                words, _ = process.communicate(timeout=STEP_TIME)
            except subprocess.TimeoutExpired:
                raise DemoError("a step of the walk has hung", f"after {STEP_TIME} s: {command}") from None
        if process.returncode:
            raise failed("a step of the walk failed", command, process.returncode, words)
        return words
