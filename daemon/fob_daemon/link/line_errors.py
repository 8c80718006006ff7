"""Why a line cannot be opened, in words for a person: the libraries repeat path and number, and name no cause."""

import errno
import os
import socket
import termios
from typing import Final

_NO_SERIAL_LINE: Final = "it is no serial line"

_WORDS: Final = {
    errno.EISDIR: _NO_SERIAL_LINE,
    errno.ENOTTY: _NO_SERIAL_LINE,
    errno.EINVAL: _NO_SERIAL_LINE,
    errno.EAGAIN: "another program has it open",
    errno.EBUSY: "another program has it open",
    errno.EACCES: "the daemon's user may not open it",
}


def why_unavailable(error: OSError) -> str:
    """The cause alone."""
    if isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    number = error.errno
    if number is None and isinstance(error.__context__, termios.error):
        # What the serial library makes of it has no number.
        number = error.__context__.args[0]
    if number is None:
        return str(error)
    return _WORDS.get(number) or os.strerror(number)
