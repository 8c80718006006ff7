"""Pairing over a data line (docs/protocol.md, section 5)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from fob_daemon.link.begin import RefusedError, refusal
from fob_daemon.link.data_line import DataLine, FrameQueue
from fob_protocol.errors import ProtocolError
from fob_protocol.limits import PAIRING_RETRY, PAIRING_TIME
from fob_protocol.link.frames import Frame, Kind, Reason
from fob_protocol.noise.keys import KeyPair, Random
from fob_protocol.pairing.pc import PairedDevice, PcPairing, PcState

# Sends of one step before the device counts as gone.
STEP_TRIES: Final = 8

# Shows code and device to the person; True when both sides show the same code. Cancelled when the device is gone.
Compare = Callable[[str, PairedDevice], Awaitable[bool]]


async def pair(
    data_line: DataLine, identity: KeyPair, random: Random, *, pc_name: str, compare: Compare
) -> PairedDevice:
    """Pair with the device on this line.

    Raises RefusedError when a person or the device says no; ConnectionError when the device hangs up or its line ends;
    TimeoutError when the device falls silent or a person does not answer.
    """
    pairing = PcPairing(identity, data_line.versions, data_line.version, random)
    try:
        with FrameQueue(data_line) as frames:
            async with asyncio.timeout(PAIRING_TIME):
                return await _Conversation(pairing, data_line, frames).run(pc_name, compare)
    except ProtocolError as error:
        raise RefusedError(None, f"the pairing was broken off: {error}") from None


class _Conversation:
    """One pairing on its line; the methods raise what `pair` does, and ProtocolError."""

    def __init__(self, pairing: PcPairing, data_line: DataLine, frames: FrameQueue) -> None:
        self._pairing = pairing
        self._data_line = data_line
        self._frames = frames

    @property
    def _quick(self) -> float:
        """Seconds in which a device answers a step."""
        return self._data_line.line.pace.step_time

    async def run(self, pc_name: str, compare: Compare) -> PairedDevice:
        """From step 1 to step 6."""
        reveal = await self._exchange(self._pairing.start())
        if reveal is not None:
            await self._exchange(reveal)
        device = self._pairing.device
        if reveal is None or device is None:
            raise RefusedError(Reason.BAD_MESSAGE)
        equal = await self._while_it_stays(compare(self._pairing.code, device), reveal)
        confirmation = self._pairing.confirm(equal, pc_name)
        self._data_line.send(confirmation)
        if not equal:
            await self._let_go()
            raise RefusedError(None, "the codes were not equal")
        await self._attend(reveal, confirmation)
        if self._pairing.state is not PcState.PAIRED:
            raise RefusedError(Reason.PERSON_SAID_NO)
        return device

    async def _exchange(self, frame: Frame) -> Frame | None:
        """Send a step until the device's next one moves the pairing on; the frame to send next."""
        before = self._pairing.state
        for _ in range(STEP_TRIES):
            self._data_line.send(frame)
            try:
                async with asyncio.timeout(self._quick):
                    return await self._moved(before)
            except TimeoutError:
                continue
        raise TimeoutError("the device does not answer")

    async def _moved(self, before: PcState) -> Frame | None:
        following = None
        while self._pairing.state is before:
            following = await self._next_step()
        return following

    async def _let_go(self) -> None:
        """Time for a no to arrive before the line is closed; what the device makes of it changes nothing."""
        with suppress(RefusedError, ConnectionError, TimeoutError):
            async with asyncio.timeout(PAIRING_RETRY + self._data_line.line.pace.delay):
                while True:
                    await self._next_step()

    async def _while_it_stays(self, answer: Awaitable[bool], reveal: Frame) -> bool:
        """What the person answers; withdraws the question when the device is gone."""
        asking, attending = asyncio.ensure_future(answer), asyncio.create_task(self._attend(reveal))
        try:
            await asyncio.wait((asking, attending), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                attending.result()
            return await asking
        finally:
            asking.cancel()
            attending.cancel()
            await asyncio.gather(asking, attending, return_exceptions=True)

    async def _attend(self, *frames: Frame) -> None:
        """Wait for a person, until the device moves the pairing on if it ever does.

        `frames` go out every second: the device answers step 3 once more, and so shows that it is there.
        """
        before, unanswered = self._pairing.state, 0
        while self._pairing.state is before:
            try:
                async with asyncio.timeout(self._quick if unanswered else PAIRING_RETRY):
                    await self._next_step()
                unanswered = 0
            except TimeoutError:
                if unanswered == STEP_TRIES:
                    raise TimeoutError("the device fell silent") from None
                for frame in frames:
                    self._data_line.send(frame)
                unanswered += 1

    async def _next_step(self) -> Frame | None:
        """Take the device's next frame of the pairing; the frame to send next, if it moves the pairing on."""
        while True:
            frame = await self._frames.get()
            if frame.kind is Kind.REFUSE:
                raise refusal(frame)
            if frame.kind is Kind.PAIR:
                return self._pairing.receive(frame)
