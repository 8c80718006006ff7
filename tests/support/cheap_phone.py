"""A demo's processes that cost less: PINs are tried for next to nothing, and `fob` has started already.

What a PIN costs by default is proved in tests/token; the programs as they are, in tests/demo.
"""

import os
import secrets
import time
from pathlib import Path
from typing import Final

from fob_daemon.demo.processes import Processes
from fob_daemon.demo.scratch import TOKEN_LABEL, Scratch
from fob_device.memory import Memory
from fob_device.root_key import create_root_key
from fob_device.state import MEMORY_FILE, ROOT_KEY_FILE
from fob_device.token.kdf import KdfCost
from support.forking import Run, is_of_a_start, run_forked

# Seconds for one command.
FOB_TIME: Final = 60.0

CHEAP: Final = KdfCost(iterations=1, lanes=1, memory_kib=8)


def make_cheap_phone(scratch: Scratch) -> None:
    """As `fob-device init` does it, with this demo's PINs, but that they cost nothing."""
    scratch.phone.mkdir(0o700)
    Memory.create(
        scratch.phone / MEMORY_FILE, root_key=create_root_key(scratch.phone / ROOT_KEY_FILE, secrets.token_bytes),
        label=TOKEN_LABEL, so_pin=scratch.so_pin.encode(), user_pin=scratch.user_pin.encode(),
        random=secrets.token_bytes, clock=time.time, kdf=CHEAP,
    ).close()  # fmt: skip


class CheapProcesses(Processes):
    """As those of a demo, with such a phone."""

    def make_phone(self) -> None:
        """A new phone with this demo's PINs."""
        make_cheap_phone(self.scratch)

    def fob(self, *arguments: str) -> bytes:
        """What a `fob` command says, at this demo's daemon."""
        environment = {name: value for name, value in os.environ.items() if not is_of_a_start(name)}
        ended = run_forked(Run(arguments, environment | self.scratch.environment(), Path.cwd()), FOB_TIME)
        assert ended.code == 0, ended.err
        return ended.out
