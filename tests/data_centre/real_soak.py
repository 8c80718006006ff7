"""Real programs that are killed again and again while mailers use them, and what has to hold after it (M33, M34).

    python -m data_centre.real_soak --kills 1000 --seed 7 [--database postgresql] [--no-phone]

An office with its data centre, a phone and a daemon on a serial line, and mailers whose devices have a network of their
own. SIGKILL comes to boxes, servers, supervisor, office, phone, daemon and PostgreSQL, at moments that nobody has
chosen: so a seed repeats who is killed and when, and not what that process was doing. Now and then nobody is killed any
more, all that was begun is ended, and everything is reckoned up. What soak.py kills at chosen points are objects.
"""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from fob_office.centre.communication.asking import CentreAsker
from fob_protocol.metering.kinds import Payment
from support.memory_disk import use_memory
from support.postgresql import Cluster, running_cluster
from support.soak_killer import Killer
from support.soak_reckoning import Reckoning
from support.soaked_account import REFILL, Account, PatientMailer
from support.soaked_office import SoakedOffice
from support.soaked_phone import SoakedPhone

# Kills from one reckoning to the next, and seconds between two.
ROUND: Final = 40
PAUSE: Final = 0.7
PAYMENTS: Final = (*[Payment.PREPAID] * 3, Payment.POSTPAID, Payment.PER_USE, Payment.PREPAID)


class RealSoak:
    """`phone`: None for none."""

    def __init__(self, office: SoakedOffice, phone: SoakedPhone | None, killer: Killer, seed: int) -> None:
        self.phone = phone
        self.killer = killer
        self.reckoning = Reckoning(office.centre, office.scratch.folder)
        self.accounts: list[Account] = []
        self._office = office
        self._seed = seed
        self._asker = CentreAsker(office.centre.folder)

    async def begin(self, payments: Sequence[Payment]) -> None:
        """Mailers of all kinds; the last one has a meter that is refilled by itself."""
        for number, payment in enumerate(payments):
            refill = REFILL if number == len(payments) - 1 else None
            mailer = PatientMailer(self._office.centre, self._asker, f"mailer {number}", self._seed * 1_000 + number)
            await mailer.sign_up(payment=payment, refill=refill)
            self.accounts.append(Account(mailer, payment, refill, random.Random(mailer.name)))

    async def run(self, kills: int, told: Callable[[str], None] = lambda _: None) -> None:
        """Until so many struck. Raises AssertionError where something does not hold."""
        while (left := kills - self.killer.kills.total()) > 0:
            await self.round(min(ROUND, left))
            told(f"{self.killer.kills.total()} kills, {self.deals} deals, {self.reckoning.checked} genuine pieces")

    async def round(self, kills: int) -> None:
        """So many, and a reckoning."""
        end = self.killer.kills.total() + kills
        stopping, stopped = asyncio.Event(), threading.Event()
        working = [asyncio.create_task(account.work(stopping)) for account in self.accounts]
        if self.phone is not None:
            working.append(asyncio.create_task(asyncio.to_thread(self.phone.work, stopped)))
        try:
            while self.killer.kills.total() < end and not any(task.done() for task in working):
                await self.killer.strike(PAUSE)
        except BaseException:
            for task in working:
                task.cancel()
            raise
        finally:
            stopping.set()
            stopped.set()
        await asyncio.gather(*working)
        await self._office.settled()
        for account in self.accounts:
            await account.frank(1)
        if self.phone is not None:
            await asyncio.to_thread(self.phone.frank, 1)
        await self.reckoning.reckon(self.accounts, self.phone)

    @property
    def deals(self) -> int:
        """Requests that were answered, of those who have no phone."""
        return sum(len(account.deals) for account in self.accounts)

    def close(self) -> None:
        """Connections."""
        self._asker.close()


async def soak(
    folder: Path, kills: int, seed: int, *, cluster: Cluster | None = None, has_phone: bool = True,
    payments: Sequence[Payment] = PAYMENTS, options: Sequence[str] = (), told: Callable[[str], None] = lambda _: None,
) -> tuple[Counter[str], int]:  # fmt: skip
    """What struck how often, and how many pieces were checked. Raises AssertionError where something does not hold."""
    with started(folder, cluster, options) as office:
        phone = SoakedPhone.made(office, seed) if has_phone else None
        soaked = RealSoak(office, phone, Killer(office, cluster, seed), seed)
        try:
            await soaked.begin(payments)
            await soaked.run(kills, told)
        finally:
            soaked.close()
        return soaked.killer.kills, soaked.reckoning.checked


@contextmanager
def started(folder: Path, cluster: Cluster | None, options: Sequence[str]) -> Iterator[SoakedOffice]:
    """An office with its data centre; all of it ends here."""
    with ExitStack() as stack:
        if cluster is not None:
            options = [*options, "--database", stack.enter_context(cluster.database()), "--database-servers", "2"]
        office = SoakedOffice(folder, options)
        stack.enter_context(office.programs)
        office.start()
        yield office


def main() -> None:
    """For `make soak`."""
    parser = argparse.ArgumentParser(description="Kill the programs of an office and its users while they work.")
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--no-phone", action="store_true", help="mailers with a network of their own alone")
    wanted = parser.parse_args()
    use_memory()
    began = time.monotonic()

    def told(words: str) -> None:
        print(f"{words}, {time.monotonic() - began:.0f} s", flush=True)

    print(f"seed {wanted.seed}, {wanted.database}", flush=True)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="fob-soak-"))
        cluster = stack.enter_context(running_cluster()) if wanted.database == "postgresql" else None
        has_phone = not wanted.no_phone
        try:
            struck, checked = asyncio.run(
                soak(folder, wanted.kills, wanted.seed, cluster=cluster, has_phone=has_phone, told=told)
            )
        except BaseException:
            options = f"--kills {wanted.kills} --database {wanted.database} --seed {wanted.seed}"
            phone = "" if has_phone else " --no-phone"
            print(f"again: PYTHONPATH=tests python -m data_centre.real_soak {options}{phone}", file=sys.stderr)
            print(f"logs:  {folder}", file=sys.stderr, flush=True)
            raise
    shutil.rmtree(folder)
    for name, count in sorted(struck.items()):
        print(f"{count:6} {name}")
    told(f"{struck.total()} kills, {checked} genuine pieces, seed {wanted.seed}: all holds")


if __name__ == "__main__":
    main()
