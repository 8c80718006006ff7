"""How a process of the data centre ends, as its supervisor tells crashes from orders; 0: it was told to end."""

import signal
from typing import Final

# After an error of the program; its log has more.
FAILED_STATUS: Final = 1
# What a box that was tampered with ends with: starting it again changes nothing.
TAMPERED_STATUS: Final = 3
# What it ends with by ANEW_SIGNAL: others gave it new settings, and it is to begin with these at once.
ANEW_STATUS: Final = 4
ANEW_SIGNAL: Final = signal.SIGUSR1


def is_anew(status: int | None) -> bool:
    """Whether a process ended because it was told to start anew: also before it could answer the signal."""
    return status in (ANEW_STATUS, -ANEW_SIGNAL)
