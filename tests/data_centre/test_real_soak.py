"""A short form of real_soak.py, which `make soak` runs for half an hour."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from data_centre.real_soak import soak
from fob_protocol.metering.kinds import Payment

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

SMALL = ("--authentication-boxes", "1", "--transaction-boxes", "1")


@pytest.mark.clause("M20", "M29", "M33", "M34")
async def test_real_processes_that_are_killed_at_random_make_and_lose_nothing() -> None:
    # A short path: sockets are in it.
    with TemporaryDirectory(prefix="fob-") as folder:
        kills, checked = await soak(
            Path(folder), 8, seed=5, has_phone=False, payments=(Payment.PREPAID, Payment.PREPAID), options=SMALL
        )
    assert kills.total() >= 8
    assert checked > 0
