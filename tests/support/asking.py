"""A real `fob pair` that stands at its question."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from fob_daemon.demo.processes import program
from support.live import Live

QUESTION = b"[y/n]: "


@contextmanager
def asking(live: Live, url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A `fob pair` that waits for its person's answer."""
    pipe = subprocess.PIPE
    command = program("fob", "pair", url)
    with subprocess.Popen(command, stdin=pipe, stderr=pipe, env=live.environment, bufsize=0) as process:
        try:
            assert process.stderr is not None
            words = b""
            while not words.endswith(QUESTION):
                octets = process.stderr.read(4096)
                assert octets, words
                words += octets
            yield process
        finally:
            process.kill()
