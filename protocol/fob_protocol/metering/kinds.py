"""The numbers that records of meters are told apart by (docs/meter-protocol.md, section 3)."""

from enum import IntEnum


class MeterState(IntEnum):
    """Of a logical meter (M31)."""

    ACTIVE = 1
    STOPPED = 2
    WITHDRAWN = 3


class Freshness(IntEnum):
    """What makes a meter record unique (M21): its counter alone, or with one of these beside it."""

    COUNTER = 1
    RANDOM = 2
    TIME = 3


class Payment(IntEnum):
    """When a mailer pays (M29)."""

    PREPAID = 1
    POSTPAID = 2
    PER_USE = 3


class Deed(IntEnum):
    """What a transaction did."""

    CREATE = 1
    LOAD = 2
    FRANK = 3
    REFUND = 4
    STOP = 5
    RESUME = 6
    WITHDRAW = 7
    # An indicium that was never used, given back.
    CREDIT = 8
    # Postage that was loaded without paying, paid.
    SETTLE = 9
    # Limits, as an operator sets them.
    CHANGE = 10
