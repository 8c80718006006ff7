"""What ends a demo early."""

from typing import Final

from fob_daemon.control.errors import ControlError

NOT_BEGUN: Final = "the demo did not begin"


class DemoError(ControlError):
    """The demo cannot go on. `log` is what one of its programs has said."""

    def __init__(self, what: str, why: str, next_command: str = "fob doctor", *, log: str = "") -> None:
        super().__init__(what, why, next_command)
        self.log = log


def failed(what: str, name: str, code: int, words: bytes) -> DemoError:
    """The error for a program that ended with `code`."""
    return DemoError(what, f"{name} ended with {code}; its words are above", log=words.decode(errors="replace"))
