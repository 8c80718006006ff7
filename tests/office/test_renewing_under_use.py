"""Certificates and keys of the data centre are renewed while mailers frank: function servers start anew under them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from fob_office.centre.communication.asking import CentreAsker
from support.running_centre import DistantMailer, RunningCentre, running_centre

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

SMALL = ("--meter-boxes", "1", "--authentication-boxes", "1", "--transaction-boxes", "1", "--function-servers", "2")


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[RunningCentre]:
    with running_centre(tmp_path / "o", *SMALL) as made:
        yield made


async def franked_until(done: asyncio.Event, mailer: DistantMailer) -> int:
    """Pieces, one after another; none is refused."""
    count = 0
    while not done.is_set():
        await mailer.frank(1)
        count += 1
    return count


@pytest.mark.clause("M33")
async def test_nobody_is_refused_while_certificates_and_keys_are_renewed(centre: RunningCentre) -> None:
    asker = CentreAsker(centre.folder)
    anna = DistantMailer(centre, asker, "anna", 1)
    await anna.sign_up()
    await anna.load(1_000_000)
    before, pids = centre.certificate, {centre.of(name).pid for name in ("function-1", "function-2")}
    franked = 0
    for options in ((), ("--new-keys",)):
        done = asyncio.Event()
        working = asyncio.create_task(franked_until(done, anna))
        await asyncio.to_thread(centre.tell, "renew", *options)
        done.set()
        franked += await working
    # By the keys of before; each server was away once meanwhile.
    assert (await anna.frank(1)).registers.ascending == franked + 1
    assert pids.isdisjoint({centre.of(name).pid for name in ("function-1", "function-2")})
    now = RunningCentre(centre.state).certificate
    assert (now.epoch, now.sealing_key != before.sealing_key) == (before.epoch + 1, True)
    centre.certificate = now
    assert (await anna.frank(1)).registers.ascending == franked + 2
    asker.close()
