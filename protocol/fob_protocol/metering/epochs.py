"""Epochs: the months that keys of records are renewed by (M11)."""

from datetime import UTC, datetime


def epoch_of(time: int) -> int:
    """Year x 12 + month - 1 of seconds since 1970, UTC."""
    moment = datetime.fromtimestamp(time, UTC)
    return moment.year * 12 + moment.month - 1
