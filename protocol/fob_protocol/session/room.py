"""How many requests the device has room for (docs/protocol.md, section 3.2)."""

from collections.abc import Collection

from fob_protocol.limits import ASSEMBLIES_LIMIT, HELD_OCTETS, OUTSTANDING_LIMIT, PARKED_LIMIT
from fob_protocol.session.request import Request


class Room:
    """What a device that has not answered these requests still takes."""

    def __init__(self, unanswered: Collection[Request]) -> None:
        self._in_all = len(unanswered)
        self._in_flight = sum(not request.parked for request in unanswered)
        self._may_wait = sum(request.may_wait for request in unanswered)
        self._assembling = sum(request.assembling for request in unanswered)
        self._octets = sum(len(request.text) for request in unanswered)

    @property
    def is_full(self) -> bool:
        """True when it takes no request at all."""
        return self._in_flight >= OUTSTANDING_LIMIT or self._in_all >= OUTSTANDING_LIMIT + PARKED_LIMIT

    @property
    def is_crowded(self) -> bool:
        """True when it takes none that may wait for its person."""
        return self._may_wait >= PARKED_LIMIT

    def takes(self, request: Request) -> bool:
        """Whether it takes this one, if any."""
        if request.assembling and self._assembling >= ASSEMBLIES_LIMIT:
            return False
        if request.may_wait and self.is_crowded:
            return False
        return self._octets + len(request.text) <= HELD_OCTETS
