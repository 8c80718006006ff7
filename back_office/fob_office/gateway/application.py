"""What an application behind the gateway is: routes, the least level for each, and what serves them.

An application does not look at who may do what: the gateway has done so before it is called.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.orm import Session

from fob_office.registration.tables import Registration
from fob_office.secrets.sealing import Sealer
from fob_protocol.office.entitlements import Used

OK: Final = 200
CREATED: Final = 201
BAD_REQUEST: Final = 400
NOT_FOUND: Final = 404
FULL: Final = 507


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may be made. What is written with `session` is written once, with the answer (R20).

    `id` is random and its own; `rest` is the path behind the route.
    """

    session: Session = field(repr=False)
    sealer: Sealer = field(repr=False)
    now: int
    id: bytes
    person: Registration
    level: int
    rest: str
    body: bytes = field(repr=False)


Serve = Callable[[Call], Used]


@dataclass(frozen=True, slots=True)
class Route:
    """`level`: the least that it takes."""

    level: int
    serve: Serve


@dataclass(frozen=True, slots=True)
class Application:
    """`routes` by the first part of the path."""

    name: str
    routes: Mapping[str, Route]


def answer(status: int, text: str = "") -> Used:
    """With text."""
    return Used(status, text.encode())
