"""Where the office listens: `127.0.0.1:8443`, `[::1]:8443`, `0.0.0.0:0`."""

import ipaddress
import re
import socket
from typing import Final, NamedTuple

from fob_office.errors import OperatorError, UsageError

_FORM: Final = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%]+)\]|(?P<host>[^\[\]:]+)):(?P<port>\d{1,5})")
WITHOUT_TLS: Final = "fob-office run --no-tls --listen 127.0.0.1:8080    (or --anyway)"
HELP: Final = "fob-office run --help"
# Connections that wait while all workers are busy.
_BACKLOG: Final = 1024


class Place(NamedTuple):
    """A host's name or address, and a port; 0 is any that is free."""

    host: str
    port: int

    def url(self, scheme: str) -> str:
        """As a browser has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


def parse_place(text: str) -> Place:
    """Raises UsageError."""
    form = _FORM.fullmatch(text)
    if form is None or int(form["port"]) > 65535:
        raise UsageError("it is not known where to listen", f"'{text}' is not HOST:PORT", HELP)
    return Place(form["six"] or form["host"], int(form["port"]))


def listen(place: Place, *, only_here: bool = False) -> socket.socket:
    """A socket at which who connects from now on will be answered; `only_here`: by programs of this machine.

    Raises OperatorError.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        if only_here and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
            why = f"{place.host} is no loopback address: tokens would go over the network in the clear"
            raise OperatorError("it does not listen without TLS there", why, WITHOUT_TLS)
        listener = socket.create_server(address, family=family, backlog=_BACKLOG)
    except OSError as error:
        why = error.strerror or str(error)
        raise OperatorError(f"it cannot listen at {place.host}:{place.port}", why, HELP) from None
    # Workers get it from this process.
    listener.set_inheritable(True)
    return listener
