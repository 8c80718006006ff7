"""A data centre that dies again and again while mailers use it, and what has to hold after each time (M33, M34).

    python -m data_centre.soak --kills 10000 --seed 7

Function servers are cut at a message, meter boxes die at their crash points and are restarted or replaced, databases
and other boxes stop and answers are lost. Mailers say the very same request again until it is answered, at once or a
day later; sometimes another one comes between, sometimes two function servers have the same one at the same time, and
sometimes the provider takes its time over a charge, and the mailer does something else meanwhile. Operators settle what
is owed, and are cut off too.
"""

import argparse
import asyncio
import logging
import random
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any, Final
from unittest import mock

import structlog

from fob_office.centre.boxes.meter.points import CrashPoint
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.function import Settle
from fob_office.centre.commands.meter import Look, Made
from fob_office.centre.commands.payment import FetchOpen
from fob_office.centre.function.server import FunctionServer
from fob_office.centre.payment.process import FILE, OPEN_TIME
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.records import Refill
from fob_protocol.metering.requests import SignOn
from fob_protocol.metering.values import Indicated
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.message import Message
from fob_protocol.office.refusals import Refusal
from support.audits import audited
from support.data_centre import SHORT_PAUSES, Cut, CutError, DataCentre, WatchedPeers, data_centre
from support.mailers import Mailer
from support.meter_log import Witness
from support.soaked_wishes import Account, Said, Wishes

REFILL: Final = Refill(below=100, amount=500)
_TRIES: Final = 12
# What is flushed to a disk survives a process; a power cut is told elsewhere.
MEMORY: Final = Path("/dev/shm")
_OWNERS_POINTS: Final = (CrashPoint.BEFORE_E, CrashPoint.E_HERE, CrashPoint.AFTER_E, CrashPoint.BEFORE_H)
_COMMANDS: Final = ("Fetch", "Permit", "Look", "Charge", "FundPaid", "FundOwed", "Load", "Frank", "Attest", "Store")
# Not the messages of the longest story: a cut that comes too late strikes nothing.
_MESSAGES: Final = 9
# Seconds: a request is too old by then, or its ticket too.
_LATE: Final = (600, 90_000)
# Seconds; passes are for a year.
_RENEWAL: Final = 30 * 86_400


class Soak:
    """`kills` counts what struck, by its name."""

    def __init__(self, centre: DataCentre, seed: int) -> None:
        self.centre = centre
        self.random = random.Random(seed)
        self.kills: Counter[str] = Counter()
        self.requests = 0
        self.accounts: list[Account] = []
        self._wishes = Wishes(self.random, self._check_genuine)
        self._renewed = centre.now
        self._owner, self._second = "meter-1", "meter-2"
        self._servers: list[tuple[FunctionServer, WatchedPeers, AsyncExitStack]] = []
        self._book = centre.folder / "payment-1" / FILE

    async def begin(self) -> None:
        """Mailers of all kinds."""
        for number, payment in enumerate((*[Payment.PREPAID] * 4, Payment.POSTPAID, Payment.PER_USE, Payment.PREPAID)):
            server, _ = await self._server(0)
            refill = REFILL if number == 6 else None
            mailer = Mailer(self.centre, server, f"mailer {number}")
            await mailer.sign_up(payment=payment, refill=refill)
            self.accounts.append(Account(mailer, payment, refill))

    async def run(self, kills: int, told: Callable[[int], None] = lambda _: None) -> None:
        """Until so many struck; after each all is looked at."""
        while (struck := self.kills.total()) < kills:
            await self.step()
            told(struck)
        for account in self.accounts:
            await self._check(account)
        # Nobody took a crash for staff.
        assert await self.centre.warnings() == []
        found = await audited(self.centre)
        assert (found.findings.shown, found.is_compared) == ([], True)
        with tempfile.TemporaryDirectory() as folder:
            assert Witness(Path(folder)).asks(await self.centre.exported()).found == []

    async def step(self) -> None:
        """One request, under one fault; then everything is as it has to be."""
        account = self.random.choice(self.accounts)
        said = self._wishes.any(account)
        fault = self.random.choice(self._faults())
        before = self.kills.total()
        await fault(account, said)
        await self._mend()
        for server, peers, _ in self._servers:
            account.mailer.server, peers.cut, peers.meets, peers.loses = server, None, None, ""
        if self.centre.now >= self._renewed + _RENEWAL:
            # What runs for years starts nothing anew for that.
            await self.centre.renew_passes()
            self._renewed = self.centre.now
        if self.kills.total() > before:
            await self._check(account)
            await self._does_next(account)
            await self._check(account)

    async def close(self) -> None:
        """The function servers."""
        for _, _, stack in self._servers:
            await stack.aclose()

    def _faults(self) -> list[Callable[[Account, Said], Coroutine[Any, Any, None]]]:
        faults = [self._cut, self._lost, self._dead_owner, self._replaced_owner, self._dead_second, self._stopped]
        faults += [self._cut, self._dead_owner, self._between, self._twice, self._late, self._slow_charge]
        return [*faults, self._settled]

    async def _cut(self, account: Account, said: Said) -> None:
        _, peers = await self._server(0)
        peers.cut = Cut(self.random.randrange(_MESSAGES), self.random.random() < 0.5)
        await self._until_done(account, said, "function server cut")

    async def _lost(self, account: Account, said: Said) -> None:
        _, peers = await self._server(0)
        peers.loses = self.random.choice(_COMMANDS)
        await self._until_done(account, said, f"answer lost: {peers.loses}")

    async def _dead_owner(self, account: Account, said: Said) -> None:
        point = self.random.choice(_OWNERS_POINTS)
        self.centre.kill_at[self._owner] = point
        await self._until_done(account, said, "")
        self._note_killed(self._owner, f"{point}, restarted")

    async def _replaced_owner(self, account: Account, said: Said) -> None:
        point = self.random.choice(_OWNERS_POINTS)
        dead = self._owner
        self.centre.kill_at[dead] = point
        self.centre.stays_dead.add(dead)
        await self._say(account, said, 0)
        self.centre.stays_dead.discard(dead) if dead in self.centre.kill_at else None
        self._note_killed(dead, f"{point}, replaced")
        await self.centre.settled()
        if not self.centre.is_running(dead):
            await self.centre.fail_over(dead, self._second)
            self._owner, self._second = self._second, dead
        await self._until_done(account, said, "")

    async def _dead_second(self, account: Account, said: Said) -> None:
        self.centre.kill_at[self._second] = CrashPoint.E_AT_SECOND
        await self._until_done(account, said, "")
        self._note_killed(self._second, f"{CrashPoint.E_AT_SECOND}, restarted")

    async def _stopped(self, account: Account, said: Said) -> None:
        _, peers = await self._server(0)
        name = self.random.choice(("database-1", "database-1", "transaction-1", "authentication-1", "payment-1"))
        when = (self.random.randrange(_MESSAGES), self.random.random() < 0.5)
        first = len(peers.asked)

        async def meets(at: int, is_after: bool) -> None:
            if (at - first, is_after) == when and self.centre.is_running(name):
                self.kills[f"{name} stopped"] += 1
                await self.centre.stop(name)

        peers.meets = meets
        await self._until_done(account, said, "")

    async def _between(self, account: Account, said: Said) -> None:
        """The mailer gives up, asks for something else, and comes back."""
        _, peers = await self._server(0)
        peers.cut = Cut(self.random.randrange(_MESSAGES), self.random.random() < 0.5)
        is_done = await self._say(account, said, 0)
        if not is_done:
            self.kills["function server cut, another request between"] += 1
            await self._mend()
            if not isinstance(said.message, SignOn):
                await self._until_done(account, self._wishes.another(account), "")
            await self._until_done(account, said, "")

    async def _twice(self, account: Account, said: Said) -> None:
        """Two function servers, and perhaps a box that dies under both."""
        for number in (0, 1):
            _, peers = await self._server(number)
            if self.random.random() < 0.5:
                peers.cut = Cut(self.random.randrange(_MESSAGES), self.random.random() < 0.5)
        if self.random.random() < 0.5:
            self.centre.kill_at[self._owner] = self.random.choice(_OWNERS_POINTS)
        answers = await asyncio.gather(*(self._answer(account, said, number) for number in (0, 1)))
        given = [answer for answer in answers if answer is not None]
        assert len(given) < 2 or given[0] == given[1], "one request, two answers"
        if len(given) < 2:
            self.kills["one of two function servers at once"] += 2 - len(given)
        await self._until_done(account, said, "")

    async def _late(self, account: Account, said: Said) -> None:
        """What was done is answered however late; what was not is refused for good, and has taken nothing."""
        server, peers = await self._server(0)
        peers.cut = Cut(self.random.randrange(_MESSAGES), self.random.random() < 0.5)
        if await self._say(account, said, 0):
            return
        self.kills["function server cut, asked again too late"] += 1
        await self._mend()
        self.centre.boxes.now += self.random.choice(_LATE)
        server, _ = await self._server(0)
        mailer = Mailer(self.centre, server, account.mailer.name)
        for _ in range(_TRIES):
            try:
                answer = await mailer.say(said.message, said.answer)
            except RefusedError as refused:
                if refused.refusal in (Refusal.LATE, Refusal.NOT_VALIDATED):
                    said.undoes()
                    account.was_late = True
                    return
                # A box that was started just now, on a machine that does other things: devices ask again too.
                if refused.refusal != Refusal.UNAVAILABLE:
                    raise AssertionError(f"{account.payment.name}: {refused}") from refused
                await self._mend()
            else:
                await said.does(answer)
                return
        raise AssertionError(f"the account is locked: {said.answer.__name__}")

    async def _slow_charge(self, account: Account, said: Said) -> None:
        """Something else of the mailer's, at another function server, while money is taken of him."""
        server, peers = await self._server(0)
        is_asked, may_go_on = asyncio.Event(), asyncio.Event()
        is_answered = self.random.random() < 0.5

        async def meets(at: int, is_after: bool) -> None:
            if peers.asked[at] == "Charge" and is_after == is_answered and not is_asked.is_set():
                is_asked.set()
                await may_go_on.wait()

        peers.meets = meets
        is_settling = account.payment == Payment.POSTPAID and account.registers.owed > 0
        doing = asyncio.create_task(self._settle(account, server) if is_settling else self._answer(account, said, 0))
        # A refill begins when its frank is answered.
        beside = asyncio.gather(doing, self._refilled(server))
        waiting = asyncio.create_task(is_asked.wait())
        await asyncio.wait((beside, waiting), return_when=asyncio.FIRST_COMPLETED)
        if is_asked.is_set():
            self.kills["something else while money was taken"] += 1
            await self._until_done(account, self._wishes.another(account), "", 1)
        may_go_on.set()
        waiting.cancel()
        await beside
        if not is_settling:
            await self._until_done(account, said, "")

    async def _settled(self, account: Account, said: Said) -> None:
        """An operator collects what is owed, and is cut off; the mailer does not wait for it."""
        if account.payment == Payment.POSTPAID:
            server, peers = await self._server(0)
            peers.cut = Cut(self.random.randrange(_MESSAGES), self.random.random() < 0.5)
            if not await self._settle(account, server):
                self.kills["function server cut while it settled"] += 1
            await self._mend()
        await self._until_done(account, said, "")

    async def _settle(self, account: Account, server: FunctionServer) -> bool:
        """False: it was cut."""
        try:
            await server.settle(None, Settle(account.mailer.serial))  # type: ignore[arg-type]
        except CutError:
            await self._replace(server)
            return False
        return True

    async def _refilled(self, server: FunctionServer) -> None:
        """No refill is under way any more. It begins with an answer, which is one look at this later."""
        for _ in range(3):
            await asyncio.sleep(0)
        await server.close()

    async def _until_done(self, account: Account, said: Said, name: str, number: int = 0) -> None:
        for tried in range(_TRIES):
            if await self._say(account, said, number):
                return
            if name and tried == 0:
                self.kills[name] += 1
            await self._mend()
        raise AssertionError(f"the account is locked: {said.answer.__name__}")

    async def _say(self, account: Account, said: Said, number: int) -> bool:
        answer = await self._answer(account, said, number)
        if answer is not None:
            await said.does(answer)
        return answer is not None

    async def _answer(self, account: Account, said: Said, number: int) -> Message | None:
        server, _ = await self._server(number)
        mailer = Mailer(self.centre, server, account.mailer.name)
        self.requests += 1
        try:
            return await mailer.say(said.message, said.answer)
        except CutError:
            await self._replace(server)
        except RefusedError as refused:
            if refused.refusal != Refusal.UNAVAILABLE:
                raise AssertionError(f"{account.payment.name}: {refused}") from refused
        return None

    async def _does_next(self, account: Account) -> None:
        """No account is locked."""
        if account.payment != Payment.PER_USE and account.registers.descending == 0:
            await self._until_done(account, self._wishes.load(account, 200), "")
        await self._until_done(account, self._wishes.frank(account, 1), "")

    async def _check(self, account: Account) -> None:
        """The law, the provider's book to the cent, and every piece debited once."""
        server, peers = await self._server(0)
        account.mailer.server = server
        for each, _, _ in self._servers:
            await each.close()
        self.centre.boxes.now += OPEN_TIME
        await server.completing.complete_all()
        assert (await peers.any(Kind.PAYMENT, FetchOpen("", 0))).receipts == (), "money that did not come in"
        await server.refunding._pay_all()
        registers = (await account.mailer.about()).registers
        charged, paid_back = self._paid(account.mailer.serial)
        account.registers = registers
        assert registers.is_lawful
        assert (registers.ascending, registers.pieces) == (account.franked, account.pieces)
        over = charged - paid_back - (registers.loads - account.credits - registers.owed)
        assert over == 0, (account.payment.name, account.refill, over)
        assert paid_back == account.refunds
        by_itself = registers.loads - (account.asked_loads + account.credits - account.refunds)
        if account.payment == Payment.PER_USE:
            # What was taken for a frank that came too late waits for the next ones.
            assert registers.descending == 0 or account.was_late
        elif account.refill is not None:
            assert by_itself % REFILL.amount == 0
        else:
            assert by_itself == 0

    async def _check_genuine(self, account: Account, made: tuple[Indicated, ...]) -> None:
        record = self.centre.rows("SELECT record FROM meters WHERE serial = ?", account.mailer.serial)[0][0]
        tokens = tuple(Made(one.indicium, one.token) for one in made)
        await self._mend()
        try:
            looked = await self.centre.ask(self._owner, Look(record, tokens))
        except BusRefusedError as refused:
            # A refill came between.
            if refused.word == "behind" or account.refill is not None:
                return
            raise
        assert all(looked.genuine)
        assert not {one.indicium for one in made} & {one.indicium for one in account.indicia}

    def _paid(self, serial: str) -> tuple[int, int]:
        with closing(sqlite3.connect(self._book)) as book:
            amounts = [amount for (amount,) in book.execute("SELECT amount FROM payments WHERE serial = ?", (serial,))]
        return sum(amount for amount in amounts if amount > 0), -sum(amount for amount in amounts if amount < 0)

    def _note_killed(self, name: str, what: str) -> None:
        if self.centre.kill_at.pop(name, None) is None:
            self.kills[what] += 1

    async def _mend(self) -> None:
        """Whatever supervises processes starts them again."""
        await self.centre.settled()
        for name in ("database-1", "transaction-1", "authentication-1", "payment-1", "meter-1", "meter-2"):
            if not self.centre.is_running(name) and name not in self.centre.stays_dead:
                await self.centre.start(name)

    async def _server(self, number: int) -> tuple[FunctionServer, WatchedPeers]:
        while len(self._servers) <= number:
            stack = AsyncExitStack()
            server, peers = await stack.enter_async_context(self.centre.function_server())
            self._servers.append((server, peers, stack))
        server, peers, _ = self._servers[number]
        return server, peers

    async def _replace(self, dead: FunctionServer) -> None:
        for number, (server, _, stack) in enumerate(self._servers):
            if server is dead:
                await stack.aclose()
                stack = AsyncExitStack()
                self._servers[number] = (*await stack.enter_async_context(self.centre.function_server()), stack)


async def soak(
    folder: Path, kills: int, seed: int, told: Callable[[int], None] = lambda _: None
) -> tuple[Counter[str], int]:
    """What struck how often, and how many requests were said. Raises AssertionError where something does not hold."""
    patches = [mock.patch(name, pause) for name, pause in SHORT_PAUSES.items()]
    for patch in patches:
        patch.start()
    try:
        async with data_centre(folder, seed=seed) as centre:
            soaked = Soak(centre, seed)
            await soaked.begin()
            try:
                await soaked.run(kills, told)
            finally:
                await soaked.close()
            return soaked.kills, soaked.requests
    finally:
        for patch in patches:
            patch.stop()


def main() -> None:
    """For `make soak`."""
    parser = argparse.ArgumentParser(description="Kill processes of a data centre while mailers use it.")
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    wanted = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    logging.disable()
    began = time.monotonic()
    said = 0

    def told(struck: int) -> None:
        nonlocal said
        if struck >= said + 500:
            said = struck
            print(f"{struck} kills, {time.monotonic() - began:.0f} s", flush=True)

    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        struck, requests = asyncio.run(soak(Path(folder), wanted.kills, wanted.seed, told))
    for name, count in sorted(struck.items()):
        print(f"{count:6} {name}")
    took = time.monotonic() - began
    print(f"{struck.total()} kills, {requests} requests, seed {wanted.seed}, {took:.0f} s: all holds")


if __name__ == "__main__":
    main()
