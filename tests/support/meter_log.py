"""A centre's log: meters that are loaded and frank, what a transaction box signs of it, and what is exported."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import structs

from fob_log_verify.main import main
from fob_protocol.cose.cbor import encode
from fob_protocol.metering.indicium import Indicium, read_indicium
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.log.checkpoint import Checkpoint
from fob_protocol.metering.log.entry import Entry, Kind
from fob_protocol.metering.log.export import ExportHead
from fob_protocol.metering.log.tree import Frontier
from fob_protocol.metering.parts import END, part
from fob_protocol.metering.transaction import TransactionRecord, unverified_transaction
from fob_protocol.metering.values import Indicated
from fob_protocol.office.message import read

ORIGIN = "centre.log"
NOON = 1_700_000_000
NO_LIES: Mapping[str, Any] = {}
BOX = Ed25519PrivateKey.from_private_bytes(b"a transaction box of the centre!")


@dataclass
class Meter:
    """Its registers, H of its record, and the indicia that it franked and did not take back."""

    serial: str
    counter: int = 0
    ascending: int = 0
    loads: int = 0
    pieces: int = 0
    record: bytes | None = None
    franked: list[Indicated] = field(default_factory=list)


@dataclass
class MeterLog:
    """Entries in their order, as octets."""

    random: Random = field(default_factory=lambda: Random(1))
    entries: list[bytes] = field(default_factory=list)
    meters: dict[str, Meter] = field(default_factory=dict)

    def do(
        self,
        serial: str,
        deed: Deed,
        amount: int = 0,
        box: Ed25519PrivateKey = BOX,
        lies: Mapping[str, Any] = NO_LIES,
        pieces: Sequence[int] = (),
    ) -> None:
        """A lawful transaction of a meter, but for what it lies. A frank is of one piece, or of `pieces` (amounts)."""
        meter = self.meters.setdefault(serial, Meter(serial))
        meter.counter += 1
        meter.loads += {Deed.LOAD: amount, Deed.CREDIT: amount, Deed.REFUND: -amount}.get(deed, 0)
        before, meter.record = meter.record, self.random.randbytes(32)
        indicia: tuple[Indicated, ...] = ()
        if deed is Deed.FRANK:
            indicia = self._frank(meter, pieces or (amount,))
        if deed is Deed.CREDIT:
            indicia = (_take_back(meter, amount),)
        record = TransactionRecord(
            self.random.randbytes(16), serial, deed, meter.counter, amount, meter.ascending,
            meter.loads - meter.ascending, meter.loads, meter.pieces, indicia, None, NOON, before, meter.record,
        )  # fmt: skip
        self.note(structs.replace(record, **lies).signed(box), Kind.TRANSACTION_RECORD)

    def _frank(self, meter: Meter, amounts: Sequence[int]) -> tuple[Indicated, ...]:
        made = []
        for piece, amount in enumerate(amounts):
            meter.ascending += amount
            indicium = indicium_of(meter.serial, meter.counter, piece, amount, meter.ascending)
            made.append(Indicated(indicium.octets(), self.random.randbytes(16)))
        meter.pieces += len(made)
        meter.franked += made
        return tuple(made)

    def note(self, content: bytes, kind: Kind = Kind.NOTE) -> None:
        """What nobody else can read."""
        self.entries.append(Entry(kind, content).octets())

    def scan(self, indicium: bytes, *known: int) -> None:
        """At the post; `known`: what was known of it before, and nothing in a log of an earlier version."""
        version, digest = (2 if known else 1), hashlib.sha256(indicium).digest()
        self.note(encode([version, "M-1", 2, 0, digest, NOON, *known]), Kind.SCAN)

    def live(self, size: int) -> "MeterLog":
        """Three meters, until the log has so many entries, each another one."""
        for serial in ("M-1", "M-2", "M-3"):
            self.do(serial, Deed.CREATE)
            self.do(serial, Deed.LOAD, 10_000)
        deeds = (Deed.FRANK, Deed.FRANK, Deed.LOAD, Deed.REFUND, Deed.CREDIT, Deed.STOP, Deed.RESUME)
        while len(self.entries) < size:
            if self.random.random() < 0.2:
                self._record(self.random.choice((Kind.METER_RECORD, Kind.SCAN, Kind.NOTE)))
            else:
                self._any(self.random.choice(("M-1", "M-2", "M-3")), self.random.choice(deeds))
        return self

    def _any(self, serial: str, deed: Deed) -> None:
        if deed is Deed.FRANK:
            pieces = [self.random.randrange(1, 100) for _ in range(self.random.randrange(1, 4))]
            self.do(serial, deed, sum(pieces), pieces=pieces)
        elif deed is Deed.CREDIT:
            franked = self.meters[serial].franked
            if franked:
                self.do(serial, deed, read_indicium(self.random.choice(franked)).amount)
        else:
            self.do(serial, deed, 0 if deed in (Deed.STOP, Deed.RESUME) else self.random.randrange(1, 100))

    def _record(self, kind: Kind) -> None:
        if kind is Kind.SCAN:
            self.scan(self.random.randbytes(24), 0, 0)
        else:
            self.note(self.random.randbytes(24), kind)


def indicium_of(serial: str, counter: int, piece: int, amount: int, ascending: int) -> Indicium:
    """Of a letter to nobody."""
    kind = "eur-cent", 20231114, "20095", "10115", bytes(16), "letter"
    return Indicium(serial, counter, piece, amount, *kind, ascending, 1)


def indicia_of(entry: bytes) -> tuple[Indicated, ...]:
    """Of an entry that is a transaction."""
    return unverified_transaction(read(Entry, entry).content).indicia


def _take_back(meter: Meter, amount: int) -> Indicated:
    """The first one of this amount."""
    found = next(one for one in meter.franked if read(Indicium, one.indicium).amount == amount)
    meter.franked.remove(found)
    return found


def public(key: Ed25519PrivateKey) -> bytes:
    """Raw."""
    return key.public_key().public_bytes_raw()


def export(entries: Sequence[bytes], origin: str = ORIGIN, keys: Sequence[bytes] = (public(BOX),)) -> bytes:
    """The file; entries need not be any."""
    return b"".join(map(part, (ExportHead(origin, keys).octets(), *entries))) + END


def checkpoint(
    entries: Sequence[bytes], size: int, origin: str = ORIGIN, box: Ed25519PrivateKey = BOX, time: int = NOON
) -> bytes:
    """The box's word for the first `size` entries."""
    frontier = Frontier()
    for entry in entries[:size]:
        frontier, _ = frontier.append(hashlib.sha256(b"\0" + entry).digest())
    return Checkpoint(origin, size, frontier.root, time).signed(box)


@dataclass(frozen=True)
class Answer:
    """How `fob-log-verify` ended, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Of standard output."""
        return json.loads(self.out)

    @property
    def found(self) -> list[tuple[int, str]]:
        """Place and name of what is wrong with the records."""
        return [(finding["place"], finding["outcome"]) for finding in self.json["findings"]]

    @property
    def outcomes(self) -> list[str]:
        """Of the checkpoints."""
        return [verdict["outcome"] for verdict in self.json["checkpoints"]]


@dataclass(frozen=True)
class Witness:
    """Somebody with a folder, who runs `fob-log-verify`."""

    folder: Path
    kept: bytes | None = None

    def keeping(self, kept: bytes) -> "Witness":
        """An earlier export too."""
        return replace(self, kept=kept)

    def asks(self, log: bytes, *checkpoints: bytes, options: Sequence[str] = ("--json",)) -> Answer:
        """About a log, with what was kept of it."""
        names = [self._file("log", log)]
        names += [self._file(f"checkpoint-{number}", octets) for number, octets in enumerate(checkpoints)]
        kept = [] if self.kept is None else ["--kept", self._file("kept", self.kept)]
        return run(*options, *kept, *names)

    def _file(self, name: str, octets: bytes) -> str:
        path = self.folder / name
        path.write_bytes(octets)
        return str(path)


def run(*arguments: str) -> Answer:
    """The program, in this process."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(arguments)
    return Answer(status, out.getvalue(), err.getvalue())
