"""Records by which a box's clock was ahead once: they are followed (M11), and somebody should hear of it."""

from fob_protocol.metering.epochs import epoch_of
from fob_protocol.metering.limits import CLOCK_SKEW, DAY
from fob_protocol.metering.records import Limits, MeterRecord, UserRecord


def ahead_of(record: MeterRecord | UserRecord, now: int) -> str | None:
    """What has not come yet and a record says all the same, in words; None: nothing has."""
    if record.epoch > epoch_of(now + CLOCK_SKEW):
        year, month = divmod(record.epoch, 12)
        return f"it is signed for {year}-{month + 1:02}"
    if isinstance(record, MeterRecord) and is_to_come(record.limits, now):
        return f"it counts what is spent on day {record.limits.day} since 1970, and it is day {now // DAY}"
    return None


def is_to_come(limits: Limits, now: int) -> bool:
    """Whether what was spent is counted for a day that has not begun."""
    return limits.day > (now + CLOCK_SKEW) // DAY
