"""When what the person said yes to may be done."""

from fob_device.approval.asking import Asking
from fob_device.approval.questions import Decider


async def wanted(decider: Decider, asking: Asking) -> None:
    """Wait until the computer is there to have it, and the device unlocked; at the end nothing runs in between.

    Raises CkrError PIN_LOCKED.
    """
    while asking.asker.is_away:
        await asking.asker.returned()
        # Whoever locked the device meanwhile meant it.
        await decider.unlocked(asking)
