"""How a request learns that it was withdrawn, and not that the phone itself has ended."""

import asyncio
from typing import Final

# The message of the cancellation (asyncio.Task.cancel).
WITHDRAWN: Final = "withdrawn by the computer"


def is_withdrawal(cancelled: asyncio.CancelledError) -> bool:
    """True when the computer no longer waits."""
    return WITHDRAWN in cancelled.args
