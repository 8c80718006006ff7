"""Why the daemon cannot start."""

from typing import Final

LOOK: Final = "fob doctor"


class StartError(Exception):
    """The daemon cannot start. The text says why; `next_command` is what to do about it."""

    def __init__(self, why: str, next_command: str = LOOK) -> None:
        self.next_command = next_command
        super().__init__(why)
