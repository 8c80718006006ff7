"""A device that is paired already, and is being paired again: what programs ask of it is neither broken nor lost."""

import asyncio
from collections.abc import Callable

from fob_daemon.device.device import Device
from fob_daemon.device.registry import PairedDeviceEntry
from fob_protocol.limits import QUESTION_TIME


async def free_lines(device: Device, say: Callable[[str], None]) -> None:
    """Close the link once what is under way on it has ended, for a person who may be asked, but not for ever.

    Whatever is asked of the device from now on waits until its link is started and goes on.
    """
    link = device.link
    link.hold()
    if not link.is_idle:
        say(f"Waiting for what is under way on '{device.entry.name}' ...")
        try:
            async with asyncio.timeout(link.line_pace.stretched(QUESTION_TIME)):
                await link.idle()
        except TimeoutError:
            say("It takes too long, and is broken off.")
    await device.stop()


async def renew(device: Device, entry: PairedDeviceEntry, say: Callable[[str], None]) -> None:
    """Its new name and lines; slot, logins, counters and whoever waits for it stay."""
    if device.link.urls != tuple(entry.lines):
        await free_lines(device, say)
        device.link.use(entry.lines)
    device.entry, device.slot.name = entry, entry.name
