"""An operator wants slots spread over meter boxes now: what becomes of that in the next seconds."""

import time
from pathlib import Path
from typing import Final

from fob_office.centre.next_step import STATUS
from fob_office.centre.supervising.status import Status, status_now
from fob_office.centre.supervising.wish import fulfil, is_wished, wish
from fob_office.errors import OperatorError

# Seconds: the supervisor looks twice in each, and a view takes a moment.
_TIME: Final = 5.0
_PAUSE: Final = 0.1


def spread(centre: Path) -> Status | None:
    """Until it begins, or there is nothing to spread; else how it is by now: it waits until slots are on two disks.

    Raises OperatorError: no view can be made, and nobody waits for one; OSError.
    """
    before, end = status_now(centre), time.monotonic() + _TIME
    wish(centre)
    while is_wished(centre):
        status = status_now(centre)
        if status is not None and before is not None and status.view > before.view:
            return None
        if time.monotonic() > end:
            break
        # The supervisor tells by files.
        time.sleep(_PAUSE)
    else:
        return None
    if status is not None and status.no_view:
        fulfil(centre)
        why = f"no view can be made: {status.no_view}"
        raise OperatorError("nothing was spread", why, STATUS)
    return status
