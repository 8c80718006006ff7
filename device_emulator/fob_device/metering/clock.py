"""A device whose own clock is ahead: what it then refuses, or is refused, is its clock's doing, and nobody else's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fob_device.office.naming import named
from fob_device.office.talker import Talker
from fob_protocol.metering.faults import MeterFault
from fob_protocol.metering.limits import CLOCK_SKEW
from fob_protocol.office.errors import Fault
from fob_protocol.office.refusals import Refusal
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

# What is over by this device's clock alone, or came too late by it: nothing is believed for longer than by that clock.
_BY_TIME: Final = frozenset({Fault.EXPIRED, Fault.LIST_EXPIRED, Fault.STALE, Refusal.LATE})


def ahead(talker: Talker) -> int:
    """Seconds, by what the office told last; 0 where that is no trouble, or nobody has told since the start."""
    return talker.ahead if talker.ahead > CLOCK_SKEW else 0


@contextmanager
def named_by_clock(talker: Talker) -> Iterator[None]:
    """As `named`; what comes of a clock that is ahead is named so, with by how much. Raises CkrError."""
    try:
        with named():
            yield
    except CkrError as error:
        name = error.reason.partition(":")[0]
        if name not in _BY_TIME or not ahead(talker):
            raise
        raise CkrError(Ckr.GENERAL_ERROR, f"{MeterFault.CLOCK_AHEAD}: {ahead(talker)} {name}") from None
