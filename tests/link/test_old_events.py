"""An event that was lost at first and comes again behind a newer one tells nothing (docs/protocol.md, section 3.4)."""

import pytest

from fob_daemon.link.session import PcSession
from fob_protocol.at.answer import Event
from fob_protocol.link.frames import Kind
from fob_protocol.session.handshake import Greeting
from fob_protocol.session.records import Sealer
from fob_protocol.session.requester import Requester
from fob_protocol.session.timing import LineTiming
from support.session import session_keys


class Pc:
    """A session whose device is played by the test."""

    def __init__(self) -> None:
        ours, theirs = session_keys()
        self.heard: list[Event] = []
        self._sealer = Sealer(theirs.send)
        greeting = Greeting(bytes(8), bytes(8), 0, 0)
        requester = Requester(ours, LineTiming(), 0.0)
        self.session = PcSession(greeting, requester, lambda octets: None, self.heard.append)

    def hears(self, number: int, text: bytes) -> list[Event]:
        """What the daemon is told of an event."""
        self.heard.clear()
        self.session.receive(self._sealer.seal(Kind.EVENT, number, text))
        return self.heard


@pytest.fixture
async def pc() -> Pc:
    return Pc()


@pytest.mark.parametrize("name", ["+FOBTOKEN", "+FOBGEN"])
async def test_an_older_one_of_its_name_is_dropped(pc: Pc, name: str) -> None:
    text = name.encode()
    assert pc.hears(2, text + b": 2") == [Event(name, (2,))]
    assert pc.hears(0, text + b": 0") == []
    assert pc.hears(3, text + b": 3") == [Event(name, (3,))]
    assert pc.hears(1, text + b": 1") == []


async def test_each_name_has_an_order_of_its_own(pc: Pc) -> None:
    assert pc.hears(1, b"+FOBTOKEN: 1") == [Event("+FOBTOKEN", (1,))]
    assert pc.hears(0, b"+FOBGEN: 7") == [Event("+FOBGEN", (7,))]


@pytest.mark.parametrize("name", ["+FOBLOCKED", "+FOBASK", "+NEWER"])
async def test_what_tells_of_one_thing_each_is_told_in_any_order(pc: Pc, name: str) -> None:
    for number in (2, 0, 1):
        assert pc.hears(number, b"%s: %d" % (name.encode(), number)) == [Event(name, (number,))]


async def test_one_that_nobody_can_read_outdates_nothing(pc: Pc) -> None:
    assert pc.hears(1, b"+FOBTOKEN: %") == []
    assert pc.hears(0, b"+FOBTOKEN: 0") == [Event("+FOBTOKEN", (0,))]
