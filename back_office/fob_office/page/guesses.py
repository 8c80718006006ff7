"""How often an address may be wrong about a token: who guesses waits, and keeps nobody else out."""

from ipaddress import ip_address, ip_network
from threading import Lock
from typing import Final

from starlette.requests import Request

from fob_office.http.limits import Rates
from fob_office.office import Office
from fob_office.settings import LimitSettings

# Wrong tokens at once: a person who pastes the wrong thing is through in two or three.
GUESSES: Final = 10
# One more each so many seconds: of a token's 256 random bits nobody sees anything.
GUESS_TIME: Final = 6
# Of IPv6 a network of this length is one address: its owner has all of it.
_IPV6_PREFIX: Final = 64


class Guesses:
    """Of one worker; may be shared by threads."""

    def __init__(self, office: Office) -> None:
        self._rates = Rates(LimitSettings(rate=1 / GUESS_TIME, burst=GUESSES), office.surroundings.ticks)
        self._lock = Lock()

    def take(self, request: Request) -> None:
        """Before a token is looked at, so that nobody is told more by many at once. Raises LaterError."""
        with self._lock:
            self._rates.take(address_of(request))

    def give_back(self, request: Request) -> None:
        """It was right."""
        with self._lock:
            self._rates.give_back(address_of(request))


def address_of(request: Request) -> str:
    """Who asks, as far as that can be told."""
    host = request.client.host if request.client is not None else ""
    try:
        told = ip_address(host)
    except ValueError:
        return host
    return str(told if told.version == 4 else ip_network((told, _IPV6_PREFIX), strict=False))
