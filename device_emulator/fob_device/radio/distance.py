"""How strong a signal arrives over a distance."""

import math
from typing import Final

# Metres. Devices lie on one table unless a test moves them.
TABLE: Final = 1.0
# Past this nothing is heard any more.
RANGE: Final = 30.0

# Log-distance path loss: the signal at one metre in dBm, and dB per tenfold distance (a room with people in it).
AT_ONE_METRE: Final = -59
PER_DECADE: Final = 25
# The antennas touch.
NEAREST: Final = 0.05


def signal_strength(metres: float) -> int:
    """The RSSI in dBm at a distance."""
    return round(AT_ONE_METRE - PER_DECADE * math.log10(max(metres, NEAREST)))
