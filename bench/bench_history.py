"""What the history costs a signature on the phone: the same phone with it and without it, in turn."""

import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from figures import Figure, at_least, at_most, run_bench
from fob_device.approval.rules import Rules
from fob_device.history.history import History
from fob_device.memory import Memory
from fob_device.security.manager import SecurityManager
from fob_device.token.kdf import KdfCost
from fob_protocol import catalogue
from fob_protocol.at.attribute_list import attributes_to_values
from fob_protocol.caller import Caller
from fob_protocol.history.head import End, Head
from fob_protocol.history.limits import HISTORY_LIMIT, HISTORY_NONCE
from fob_protocol.history.record import GENESIS, LogKey, SignedRecord
from fob_protocol.history.verify import verify
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm

PIN: Final = b"123456"
CHEAP: Final = KdfCost(iterations=1, lanes=1, memory_kib=8)
P256: Final = bytes.fromhex("06082a8648ce3d030107")
CALLER: Final = Caller(("ssh", "git", "zsh")).to_block()
# Signatures of a run, and how many of them are under way at once.
COUNT: Final = 256
AT_ONCE: Final = (1, 16)
RUNS: Final = 7
QUICK_RUNS: Final = 1


def measure(quick: bool) -> Sequence[Figure]:
    """In a folder of the disk that temporary files are on."""
    with tempfile.TemporaryDirectory(prefix="fob-bench-") as folder:
        return asyncio.run(_measure(Path(folder), QUICK_RUNS if quick else RUNS))


async def _measure(folder: Path, runs: int) -> list[Figure]:
    memory = _phone(folder)
    with_it, without = [await _Computer.logged_in(memory, history) for history in (memory.history, None)]
    figures = []
    for at_once in AT_ONCE:
        took: dict[_Computer, list[float]] = {with_it: [], without: []}
        commits = 0
        for _ in range(runs):
            for computer, so_far in took.items():
                before = memory.history.head(bytes(HISTORY_NONCE)).end.length
                with _Commits(memory) as counted:
                    so_far.append(await computer.sign(COUNT, at_once))
                if computer is with_it:
                    commits = counted.count
                    assert memory.history.head(bytes(HISTORY_NONCE)).end.length == before + COUNT
        ours, bare = (median(times) / COUNT * 1000 for times in took.values())
        figures += [
            Figure(
                f"P-256 on the phone, {at_once} at once: with the history / without",
                ours / bare,
                "times",
                detail=f"{ours:.2f} and {bare:.2f} ms a signature",
            ),
            Figure(
                f"signatures for each transaction, {at_once} at once",
                COUNT / commits,
                "",
                at_least(1.0 if at_once == 1 else at_once / 2),
                f"{commits} for {COUNT}",
            ),
        ]
    memory.close()
    return [*figures, _disk(folder), _check()]


class _Computer:
    """A paired one, logged in; `history` None: nothing is written down."""

    def __init__(self, memory: Memory, history: History | None) -> None:
        self._manager = SecurityManager(
            memory.token, Rules(), pc_name="me@pc", pc_key=bytes(32), history=history, slowly=memory.slowly
        )
        self._handle = 0

    @classmethod
    async def logged_in(cls, memory: Memory, history: History | None) -> "_Computer":
        """With a P-256 key of its own."""
        computer = cls(memory, history)
        (await computer._manager.execute(catalogue.LOGIN_USER.build(1, PIN))).raise_for_ckr()
        public = attributes_to_values({Cka.TOKEN: True, Cka.EC_PARAMS: P256})
        private = attributes_to_values({Cka.TOKEN: True, Cka.LABEL: b"work"})
        make = catalogue.GENERATE_KEY_PAIR.build(int(Ckm.EC_KEY_PAIR_GEN), None, len(public) // 2, *public, *private)
        answer = await computer._manager.execute(make)
        answer.raise_for_ckr()
        handle = answer.lines[2][0]
        assert isinstance(handle, int)
        computer._handle = handle
        return computer

    async def sign(self, count: int, at_once: int) -> float:
        """Seconds for `count` signatures."""
        command = catalogue.SIGN.build(self._handle, None, bytes(32), None, 0, CALLER)

        async def one_after_the_other() -> None:
            for _ in range(count // at_once):
                (await self._manager.execute(command)).raise_for_ckr()

        begin = time.perf_counter()
        await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
        return time.perf_counter() - begin


class _Commits:
    """Counts the transactions of the block."""

    def __init__(self, memory: Memory) -> None:
        self.count = 0
        self._connection: sqlite3.Connection = memory.token._database._connection

    def __enter__(self) -> "_Commits":
        self._connection.set_trace_callback(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.set_trace_callback(None)

    def _note(self, statement: str) -> None:
        self.count += statement == "COMMIT"


def _phone(folder: Path) -> Memory:
    return Memory.create(
        folder / "token.db",
        root_key=bytes(32),
        label="bench",
        so_pin=b"12345678",
        user_pin=PIN,
        random=os.urandom,
        clock=time.time,
        kdf=CHEAP,
    )


def _disk(folder: Path) -> Figure:
    """What the disk takes for a small file to be safe, for comparing."""
    took = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(50):
            begin = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            took.append(time.perf_counter() - begin)
    return Figure("fsync of 4 KiB on this disk", median(took) * 1000, "ms")


def _check() -> Figure:
    """What a PC computes to check all that a phone keeps."""
    key, previous = LogKey(bytes(32)), GENESIS
    records = []
    for sequence in range(1, HISTORY_LIMIT + 1):
        records.append(SignedRecord.make(key, sequence, previous, bytes(16), bytes(120)))
        previous = records[-1].hash
    head = Head.make(key, End(1, HISTORY_LIMIT, previous), bytes(HISTORY_NONCE))
    begin = time.perf_counter()
    assert verify(records, head).is_good
    return Figure(f"checking {HISTORY_LIMIT:,} entries", time.perf_counter() - begin, "s", at_most(3.0))


if __name__ == "__main__":
    run_bench(__doc__ or "", measure)
