"""What the device announces of a request that waits for its person: only what is asked now (docs, section 3.4)."""

import asyncio

from fob_device.line.jobs import JobMemory
from fob_device.line.session import DeviceSession
from fob_protocol.at.answer import Event, decode_event
from fob_protocol.at.values import Values
from fob_protocol.catalogue import EVENT_ASK, EVENT_GENERATION
from fob_protocol.limits import EVENTS_WAITING, OUTSTANDING_LIMIT, PARKED_LIMIT
from fob_protocol.link.frames import FrameReader, Kind
from fob_protocol.session.pace import Pace
from fob_protocol.session.records import Opener, Sealer
from fob_protocol.session.responder import Responder
from support.session import session_keys
from support.virtual_loop import run_virtually

UNLOCK, SIGN = "unlock the phone: sign with 'work' for me@pc", "sign with 'work' for me@pc"


class Device:
    """A session whose PC is played by the test; it confirms no event."""

    def __init__(self, pace: Pace | None = None) -> None:
        pc_keys, device_keys = session_keys()
        self._opener = Opener(pc_keys.receive)
        self._sealer = Sealer(pc_keys.send)
        self._reader = FrameReader()
        self._said: list[Event] = []
        memory = JobMemory()
        clock = asyncio.get_running_loop().time
        responder = Responder(device_keys, lambda: pace or Pace())
        self.session = DeviceSession(responder, memory.begin(bytes(8), Pace()), memory, self._hear, clock)

    def ask(self, number: int, words: str) -> None:
        """The person is asked about a request."""
        self.session.announce(Event(EVENT_ASK, (number, words, 60)))

    def request(self, number: int) -> None:
        """A request arrives."""
        self.session.receive(self._sealer.seal(Kind.REQUEST, number, b"AT+C_SIGN=1,,#11"))

    def said(self) -> list[Values]:
        """The values of the events that were sent since the last time."""
        said = [event.values for event in self._said]
        self._said.clear()
        return said

    def _hear(self, octets: bytes) -> None:
        for frame in self._reader.feed(octets):
            if frame.kind is Kind.EVENT:
                self._said.append(decode_event(self._opener.open(frame, frame.fields[0])))


def test_only_the_newest_question_about_a_request_is_sent_again() -> None:
    async def story() -> None:
        device = Device()
        device.ask(1, UNLOCK)
        device.ask(2, UNLOCK)
        device.ask(1, SIGN)
        assert device.said() == [(1, UNLOCK, 60), (2, UNLOCK, 60), (1, SIGN, 60)]
        await asyncio.sleep(1.5)
        assert device.said() == [(2, UNLOCK, 60), (1, SIGN, 60)]
        device.session.close()

    run_virtually(story())


def test_nothing_is_announced_of_a_request_that_was_answered() -> None:
    async def story() -> None:
        device = Device()
        device.ask(0, SIGN)
        # Without a manager the device fails, and that is an answer too.
        device.request(0)
        await asyncio.sleep(20)
        assert device.said() == [(0, SIGN, 60)]
        device.session.close()

    run_virtually(story())


def test_questions_crowd_out_no_other_event_over_a_slow_line() -> None:
    async def story() -> None:
        device = Device(Pace(960.0))
        device.session.announce(Event(EVENT_GENERATION, (7,)))
        for words in (UNLOCK, SIGN):
            for number in range(PARKED_LIMIT + OUTSTANDING_LIMIT):
                device.ask(number, words)
        assert device.said()[0] == (7,)
        await asyncio.sleep(60)
        assert device.said().count((7,)) == 4
        device.session.close()

    assert EVENTS_WAITING > PARKED_LIMIT + OUTSTANDING_LIMIT
    run_virtually(story())
