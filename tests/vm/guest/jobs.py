"""Runs the host's commands in the guest: a JSON line each way, one command after the other.

    jobs.py /dev/virtio-ports/fob.jobs

The first line says hello. Then {"command": "...", "timeout": seconds} is answered by {"status": 0, "output": "..."};
the status of a command that took too long is 124, as timeout(1) has it.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Final

TIMED_OUT: Final = 124
# Enough for what a scenario looks at; the journal keeps the rest.
OUTPUT_LIMIT: Final = 200_000


def run(command: str, timeout: float) -> tuple[int, str]:
    """Exit status and output of a shell command; what it started is killed with it when the time is over."""
    with subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=timeout)
            status = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            status = TIMED_OUT
    return status, output[-OUTPUT_LIMIT:].decode(errors="replace")


def say(port: IO[bytes], answer: dict[str, object]) -> None:
    """One line to the host."""
    port.write(json.dumps(answer).encode() + b"\n")


def main() -> None:
    """Until the host closes the port."""
    # A virtio port can be opened once.
    port = os.open(Path(sys.argv[1]), os.O_RDWR)
    with open(port, "rb") as commands, open(os.dup(port), "wb", buffering=0) as answers:
        say(answers, {"hello": os.uname().release})
        for line in commands:
            job = json.loads(line)
            status, output = run(job["command"], job["timeout"])
            say(answers, {"status": status, "output": output})


if __name__ == "__main__":
    main()
