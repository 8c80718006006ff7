"""Pairing over a data line (docs/protocol.md, section 5)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from fob_daemon.link.begin import RefusedError, refusal
from fob_daemon.link.data_line import DataLine, FrameQueue, HungUpError
from fob_protocol.errors import ProtocolError
from fob_protocol.limits import PAIRING_RETRY, PAIRING_TIME, RETRY_AFTER
from fob_protocol.link.frames import Frame, Kind, Reason
from fob_protocol.noise.keys import KeyPair, Random
from fob_protocol.pairing.pc import PairedDevice, PcPairing, PcState

# Sends of one step before the device counts as gone.
STEP_TRIES: Final = 8

# Shows code and device to the person; True when both sides show the same code.
Compare = Callable[[str, PairedDevice], Awaitable[bool]]


async def pair(
    data_line: DataLine, identity: KeyPair, random: Random, *, pc_name: str, compare: Compare
) -> PairedDevice:
    """Pair with the device on this line.

    Raises RefusedError when a person or the device says no, or the device hangs up; TimeoutError when the device or a
    person does not answer.
    """
    frames = FrameQueue(data_line)
    pairing = PcPairing(identity, data_line.versions, data_line.version, random)
    try:
        async with asyncio.timeout(PAIRING_TIME):
            return await _converse(pairing, data_line, frames, pc_name, compare)
    except (ProtocolError, HungUpError) as error:
        raise RefusedError(None, f"the pairing was broken off: {error}") from None


async def _converse(
    pairing: PcPairing, data_line: DataLine, frames: FrameQueue, pc_name: str, compare: Compare
) -> PairedDevice:
    frame: Frame | None = pairing.start()
    quick = RETRY_AFTER + data_line.frame_time
    while frame is not None:
        frame = await _step(pairing, frame, data_line, frames, quick, STEP_TRIES)
    if pairing.device is None:
        raise RefusedError(Reason.BAD_MESSAGE)
    equal = await compare(pairing.code, pairing.device)
    # The device's person may still be reading: ask until PAIRING_TIME is over.
    await _step(pairing, pairing.confirm(equal, pc_name), data_line, frames, PAIRING_RETRY, None if equal else 1)
    if pairing.state is not PcState.PAIRED:
        raise RefusedError(Reason.PERSON_SAID_NO if equal else None, "" if equal else "the codes were not equal")
    return pairing.device


async def _step(
    pairing: PcPairing,
    frame: Frame,
    data_line: DataLine,
    frames: FrameQueue,
    wait: float,
    tries: int | None,
) -> Frame | None:
    """Send a step until the device's next one moves the pairing on; the frame to send next."""
    before, sent = pairing.state, 0
    while pairing.state is before:
        if tries is not None and sent >= tries:
            if before is PcState.REFUSED:
                return None
            raise TimeoutError("the device does not answer")
        data_line.send(frame)
        sent += 1
        try:
            async with asyncio.timeout(wait):
                following = await _until_moved(pairing, frames, before)
        except TimeoutError:
            continue
        return following
    return None


async def _until_moved(pairing: PcPairing, frames: FrameQueue, before: PcState) -> Frame | None:
    while True:
        frame = await frames.get()
        if frame.kind is Kind.REFUSE:
            raise refusal(frame)
        if frame.kind is Kind.PAIR:
            following = pairing.receive(frame)
            if pairing.state is not before:
                return following
