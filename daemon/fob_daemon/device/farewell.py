"""Telling a device to forget this computer, and what it means when that cannot be done."""

from typing import Final

from fob_daemon.link.begin import WORDS
from fob_daemon.link.manager import LinkManager
from fob_protocol import catalogue
from fob_protocol.link.frames import Reason
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

# Seconds. A device that is here answers at once.
FAREWELL_TIME: Final = 3.0


async def say_farewell(link: LinkManager) -> str:
    """Tell a device that is here to forget this computer. Nothing when it did; else why it may trust it still."""
    try:
        answer = await link.request(catalogue.UNPAIR.build(), timeout=FAREWELL_TIME)
    except CkrError as error:
        if error.ckr != Ckr.DEVICE_REMOVED:
            # It was sent, and perhaps done.
            return f"the phone did not say that it has forgotten this computer ({error}): it may still trust it"
        if link.why == WORDS[Reason.NOT_PAIRED]:
            # Whoever has the line can say that.
            return "the phone was not told; it says that it is not paired with this computer, which nothing proves"
        return f"the phone was not told ({link.why or 'it is away'}): it still trusts this computer"
    try:
        answer.raise_for_ckr()
    except CkrError as error:
        return f"the phone refused ({error.reason or error}): it still trusts this computer"
    return ""
