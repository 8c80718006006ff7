"""A process beside a demo that ends what the demo cannot end itself: all that is left of one that SIGKILL has ended.

It holds a pipe from the demo, whose other end the kernel closes with the demo. Every program of a demo has the scratch
folder in its environment, and hands it on to whatever it starts.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

# A demo that ends by itself says so, and has ended its programs.
IN_ORDER: Final = b"in order"

# What is being started while others end is found at the next look.
LOOKS: Final = 100
LOOK_AGAIN: Final = 0.05


def main() -> None:
    """`python -m fob_daemon.demo.watcher FOLDER`: wait for the end of whoever holds standard input's other end."""
    if sys.stdin.buffer.read() != IN_ORDER:
        end_programs_of(sys.argv[1])


def end_programs_of(folder: str) -> None:
    """Kill every process that has something in this folder in its environment, until there is none."""
    for _ in range(LOOKS):
        ended = [_end_if_of(folder, int(process.name)) for process in Path("/proc").glob("[0-9]*")]
        if not any(ended):
            return
        time.sleep(LOOK_AGAIN)


def _end_if_of(folder: str, pid: int) -> bool:
    """Whether the process was one of them. The handle is taken first: it never means another process."""
    with suppress(OSError):
        handle = os.pidfd_open(pid)
        try:
            if f"{folder}/".encode() in Path(f"/proc/{pid}/environ").read_bytes():
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                return True
        finally:
            os.close(handle)
    return False


if __name__ == "__main__":
    main()
