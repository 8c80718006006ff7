"""The mailer's permission (M18, M19): of an authentication box, for each request."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.authentication import Permit
from fob_office.centre.function.held import Held, Request
from fob_office.centre.function.peers import Peers
from fob_office.centre.words import Word
from fob_protocol.metering.requests import AboutRequest, FrankRequest, HistoryRequest, LoadRequest, RefundRequest

WantedT = TypeVar("WantedT", AboutRequest, FrankRequest, HistoryRequest, LoadRequest, RefundRequest)


@dataclass(frozen=True, slots=True)
class Asked(Generic[WantedT]):
    """`authenticated`: the request with its code, as it came."""

    wanted: WantedT
    authenticated: bytes = field(repr=False)
    request: Request


async def permit(peers: Peers, held: Held, asked: Asked[WantedT]) -> bytes | None:
    """For what changes nothing there is none; it is authenticated all the same. Raises BusRefusedError."""
    return (await peers.any(Kind.AUTHENTICATION, Permit(held.user, asked.authenticated))).permission


async def permission_of(peers: Peers, held: Held, asked: Asked[WantedT]) -> bytes:
    """For a change. Raises BusRefusedError."""
    permission = await permit(peers, held, asked)
    if permission is None:
        raise BusRefusedError(Word.NOT_AUTHENTICATED, "no permission for a change")
    return permission
