"""A phone and a daemon as processes on a serial line, paired, with three keys: what `fob demo` sets up, for tests."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fob_daemon.demo.processes import Processes, program
from fob_daemon.demo.run import set_up
from fob_daemon.demo.scratch import Scratch

# Real clients are quick; a test that waits longer has hung.
CLIENT_TIME = 60


@dataclass(frozen=True, slots=True)
class Crossed:
    """What crossed the link."""

    round_trips: int
    octets_sent: int
    octets_received: int

    @property
    def octets(self) -> int:
        """Both directions."""
        return self.octets_sent + self.octets_received

    def __sub__(self, earlier: "Crossed") -> "Crossed":
        return Crossed(
            self.round_trips - earlier.round_trips,
            self.octets_sent - earlier.octets_sent,
            self.octets_received - earlier.octets_received,
        )


@dataclass(frozen=True, slots=True)
class Live:
    """A running phone and daemon."""

    scratch: Scratch
    processes: Processes

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a client; what the machine's owner has set up elsewhere stays out."""
        inherited = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        tools = str(Path(program("fob")[0]).parent)
        return (
            inherited
            | self.scratch.environment()
            | {"HOME": str(self.scratch.folder), "PATH": f"{tools}:{inherited['PATH']}"}
        )

    def run(
        self, *command: str, stdin: bytes = b"", check: bool = True, **more: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a real client; its output is in the assertion when it fails. `more` goes into its environment."""
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            env=self.environment | more,
            cwd=self.scratch.folder,
            timeout=CLIENT_TIME,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout!r}\n{done.stderr!r}"
        return done

    def pkcs11_tool(
        self, *arguments: str, login: bool = True, check: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        """pkcs11-tool on the demo's token."""
        pin = ("--login", "--pin", self.scratch.user_pin) if login else ()
        return self.run(
            "pkcs11-tool", "--module", self.environment["PKCS11_MODULE"],
            "--token-label", self.environment["PKCS11_TOKEN_LABEL"], *pin, *arguments, check=check,
        )  # fmt: skip

    def fob_json(self, *arguments: str) -> dict[str, object]:
        """`fob --json ...`, parsed."""
        answer: dict[str, object] = json.loads(self.run("fob", "--json", *arguments).stdout)
        return answer

    def crossed(self) -> Crossed:
        """The link's counters now."""
        status = json.loads(self.run("fob", "--json", "status").stdout)
        device = status["devices"][0]
        return Crossed(device["round_trips"], device["bytes_sent"], device["bytes_received"])


@contextmanager
def live_phone(folder: Path) -> Iterator[Live]:
    """Everything started; everything gone at the end."""
    scratch = Scratch.in_folder(folder)
    scratch.write_files()
    with Processes(scratch) as processes:
        set_up(scratch, processes, lambda words: None)
        yield Live(scratch, processes)


def lines(output: bytes) -> Sequence[str]:
    """A client's output as lines."""
    return output.decode(errors="replace").splitlines()
