"""The session handshake over a data line (docs/protocol.md, section 6)."""

import asyncio
from collections.abc import Callable
from typing import Final

from fob_daemon.link.data_line import DataLine, FrameQueue
from fob_daemon.link.session import PcSession
from fob_daemon.link.transport import CLOSED_A_WHILE
from fob_protocol.at.answer import Event
from fob_protocol.errors import ProtocolError
from fob_protocol.limits import HANDSHAKE_TRIES
from fob_protocol.link.frames import Frame, Kind, Reason
from fob_protocol.noise.keys import KeyPair, Random
from fob_protocol.session.handshake import Greeting, SessionInitiator, SessionKeys
from fob_protocol.session.requester import Counters, Requester
from fob_protocol.session.timing import LineTiming

WORDS: Final = {
    Reason.VERSION: "the device speaks another version of the protocol",
    Reason.NOT_PAIRED: "the device is not paired with this computer",
    Reason.PAIRING_CLOSED: f"pairing is closed on the device. {CLOSED_A_WHILE}",
    Reason.BAD_MESSAGE: "the device did not accept the handshake",
    Reason.PERSON_SAID_NO: "the device's person said no",
    Reason.BUSY: "the device has no room for another computer",
    Reason.OUT_OF_TIME: "the pairing took too long",
}


class RefusedError(Exception):
    """The device refused the handshake, or it is not the device that was paired."""

    def __init__(self, reason: Reason | None, words: str = "") -> None:
        self.reason = reason
        super().__init__(words or (WORDS[reason] if reason else "the handshake failed"))


def refusal(frame: Frame) -> RefusedError:
    """The error for a REFUSE frame."""
    try:
        return RefusedError(Reason(frame.fields[0]))
    except ValueError:
        return RefusedError(None, f"the device refused for reason {frame.fields[0]}")


async def begin_session(
    data_line: DataLine,
    identity: KeyPair,
    device_key: bytes,
    random: Random,
    *,
    on_event: Callable[[Event], None],
    counters: Counters,
) -> PcSession:
    """Handshake; a session that the data line's frames go to.

    Raises RefusedError for another device or one that is not paired, TimeoutError when it does not answer,
    HungUpError when it leaves data state, ConnectionError when the line ends.
    """
    greeting, keys = await _shake_hands(data_line, identity, device_key, random)
    now = asyncio.get_running_loop().time()
    requester = Requester(keys, LineTiming(data_line.line), now, counters)
    session = PcSession(greeting, requester, data_line.line.write, on_event)
    data_line.listen(session.receive, session.end)
    return session


async def _shake_hands(
    data_line: DataLine, identity: KeyPair, device_key: bytes, random: Random
) -> tuple[Greeting, SessionKeys]:
    clock = asyncio.get_running_loop().time
    initiator = SessionInitiator(identity, device_key, data_line.versions, data_line.version, random)
    first = initiator.start()
    with FrameQueue(data_line) as frames:
        began = clock()
        for _ in range(HANDSHAKE_TRIES):
            data_line.send(first)
            try:
                async with asyncio.timeout(data_line.line.pace.step_time):
                    answer = await _next_handshake_frame(frames)
                data_line.line.took(clock() - began)
                return initiator.finish(answer)
            except TimeoutError:
                continue
            except ProtocolError as error:
                raise RefusedError(None, f"this is not the device that was paired: {error}") from None
    raise TimeoutError("the device does not answer the handshake")


async def _next_handshake_frame(frames: FrameQueue) -> Frame:
    while True:
        frame = await frames.get()
        if frame.kind is Kind.REFUSE:
            raise refusal(frame)
        if frame.kind is Kind.HANDSHAKE:
            return frame
