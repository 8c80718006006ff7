"""Staff with the password of the meters' database, and with copies of boxes' folders (M22, M23, M26; section 7).

What devices, witnesses and boxes find by themselves, without an operator; `test_audit.py` has every column there is.
"""

import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.meter import Look, Made
from fob_office.centre.database.process import FILE
from fob_office.centre.function.server import FunctionServer
from fob_protocol.metering.answers import Franked, Loaded, SignedUp
from fob_protocol.metering.faults import MeterError
from fob_protocol.metering.records import Refill
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.refusals import Refusal
from support.data_centre import DataCentre, data_centre
from support.mailers import Mailer
from support.mailers import Witness as Device
from support.meter_log import Witness
from support.octets import bit_flips
from support.payments import payments_of

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

TWO = "authentication-2"
SET_METER = "UPDATE meters SET record = ?, counter = ? WHERE serial = ?"
SET_USER = "UPDATE mailers SET record = ?, counter = ? WHERE account = ?"


def _meter(centre: DataCentre, mailer: Mailer) -> tuple[bytes, int]:
    return centre.rows("SELECT record, counter FROM meters WHERE serial = ?", mailer.serial)[0]


def _user(centre: DataCentre, mailer: Mailer) -> tuple[bytes, int]:
    return centre.rows("SELECT record, counter FROM mailers WHERE account = ?", mailer.account)[0]


async def _is_tampering(centre: DataCentre, asking: Awaitable[Any], serial: str) -> None:
    """Refused, and there is one more warning record."""
    before = await centre.warnings()
    with pytest.raises(RefusedError) as refused:
        await asking
    assert refused.value.refusal == Refusal.TAMPERING
    assert (await centre.warnings())[len(before) :] == [("tampering", serial)]


@pytest.mark.clause("M22", "M20", "M18")
async def test_every_older_meter_record_put_back_is_refused_and_warned_of(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        older = [_meter(centre, anna)]
        for amount in (700, 300):
            await anna.load(amount)
            older.append(_meter(centre, anna))
        for _ in range(4):
            await anna.frank(85)
            older.append(_meter(centre, anna))
        newest, registers = older.pop(), (await anna.about()).registers
        # The one before the newest is what a crash leaves: the box says so, and it is ended, not done again.
        centre.rows(SET_METER, *older.pop(), anna.serial)
        for record, counter in older:
            centre.rows(SET_METER, record, counter, anna.serial)
            for asking in (anna.frank(1), anna.load(1), anna.refund(1), anna.about()):
                await _is_tampering(centre, asking, anna.serial)
            # Nor does it help to say that it is the newest.
            centre.rows(SET_METER, record, newest[1], anna.serial)
            await _is_tampering(centre, anna.frank(1), anna.serial)
        centre.rows(SET_METER, *newest, anna.serial)
        assert (await anna.about()).registers == registers
        assert payments_of(centre, anna.serial) == (1_000, 0)
        await anna.frank(85)


@pytest.mark.clause("M22", "M14")
async def test_every_older_user_record_put_back_is_refused_and_warned_of(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        devices, records = [Mailer(centre, server)], []
        await devices[0].sign_up()
        await devices[0].load(500)
        records.append(_user(centre, devices[0]))
        for _ in range(3):
            device = Mailer(centre, server)
            device.keep(await device.say(device.sign_on_request(), SignedUp))
            devices.append(device)
            records.append(_user(centre, device))
            await device.frank(1)
        for device, record in zip(devices[:-1], records[:-1], strict=True):
            centre.rows(SET_USER, *record, device.account)
            # The device that was replaced would be good again.
            await _is_tampering(centre, device.frank(85), device.serial)
            await _is_tampering(centre, device.about(), device.serial)
            await _is_tampering(centre, device.say(device.sign_on_request(), SignedUp), "")
        centre.rows(SET_USER, *records[-1], devices[-1].account)
        assert (await devices[-1].frank(85)).registers.ascending == 88


@pytest.mark.clause("M14", "M22", "M34")
async def test_a_replaced_device_is_over_when_the_new_one_is_answered(centre: DataCentre) -> None:
    """Its record put back before the new device was used, at each of several boxes, one of which was away."""
    for name in (TWO, "authentication-3"):
        centre.boxes.make(Kind.AUTHENTICATION, name)
        await centre.start(name)
    async with centre.function_server() as (server, _):
        old, new = Mailer(centre, server), Mailer(centre, server)
        await old.sign_up()
        await old.load(500)
        record = _user(centre, old)
        await centre.stop(TWO)
        asked = new.sign_on_request()
        new.keep(await new.say(asked, SignedUp))
        newest = _user(centre, old)
        await centre.start(TWO)
        centre.rows(SET_USER, *record, old.account)
        for _ in range(3):
            await _is_tampering(centre, old.load(500), old.serial)
        # Nor does the sign-on say again that it is done.
        await _is_tampering(centre, new.say(asked, SignedUp), "")
        centre.rows(SET_USER, *newest, old.account)
        for _ in range(3):
            await new.frank(1)
        assert payments_of(centre, old.serial) == (500, 0)


@pytest.mark.clause("M23", "M7", "M20")
async def test_every_bit_of_the_records_is_guarded(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up(refill=Refill(below=100, amount=500))
        await anna.load(500)
        registers = (await anna.about()).registers
        for statement, (record, counter), key in (
            (SET_METER, _meter(centre, anna), anna.serial),
            (SET_USER, _user(centre, anna), anna.account),
        ):
            for at in range(len(record)):
                flipped = bytearray(record)
                flipped[at] ^= 1 << at % 8
                centre.rows(statement, bytes(flipped), counter, key)
                with pytest.raises((RefusedError, OfficeError)):
                    await anna.frank(85)
            centre.rows(statement, record, counter, key)
        assert (await anna.about()).registers == registers
        # No card was charged for what staff wrote.
        assert payments_of(centre, anna.serial) == (500, 0)
        assert len(await centre.warnings()) > 200


@pytest.mark.clause("M29", "M22")
async def test_a_payout_that_staff_changed_is_warned_of_once_while_it_waits(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(500)
        await anna.refund(100)
        centre.rows("UPDATE payouts SET amount = 800")
        for _ in range(3):
            await server.refunding._pay_all()
        assert await centre.warnings() == [("tampering", anna.serial)]
        assert payments_of(centre, anna.serial) == (500, 0)


@pytest.mark.clause("M26", "M23")
async def test_every_bit_of_an_indicium_and_of_its_token_is_guarded(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(500)
        made = (await anna.frank(85)).indicia[0]
        record = _meter(centre, anna)[0]

        async def genuine(tokens: list[Made]) -> tuple[bool, ...]:
            return (await centre.ask("meter-1", Look(record, tuple(tokens)))).genuine

        flips = [Made(flipped, made.token) for flipped in bit_flips(made.indicium)]
        flips += [Made(made.indicium, flipped) for flipped in bit_flips(made.token)]
        assert await genuine([Made(made.indicium, made.token)]) == (True,)
        # All in questions that a frame holds.
        for at in range(0, len(flips), 100):
            assert not any(await genuine(flips[at : at + 100]))
        assert len(flips) == 8 * (len(made.indicium) + len(made.token))


@pytest.mark.clause("M22", "M20")
@pytest.mark.parametrize("junk", [b"", b"junk"])
async def test_a_meter_record_that_cannot_be_read_is_refused_and_warned_of(centre: DataCentre, junk: bytes) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(700)
        record, counter = _meter(centre, anna)
        centre.rows(SET_METER, junk, counter, anna.serial)
        for asking in (anna.frank(1), anna.about()):
            await _is_tampering(centre, asking, anna.serial)
        # Whoever is not the mailer brings about no warning.
        warned = await centre.warnings()
        stranger = Mailer(centre, server, "mallory")
        stranger.account, stranger.serial, stranger.key = anna.account, anna.serial, bytes(32)
        with pytest.raises(RefusedError, match="not-authenticated"):
            await stranger.about()
        assert await centre.warnings() == warned
        await _is_tampering(centre, anna.say(anna.sign_on_request(), SignedUp), "")
        centre.rows(SET_METER, record, counter, anna.serial)
        anna.keep(await anna.say(anna.sign_on_request(), SignedUp))
        assert (await anna.about()).registers.descending == 700


@pytest.mark.clause("M22", "M20", "M14")
@pytest.mark.parametrize("junk", [b"", b"junk"])
async def test_a_user_record_that_cannot_be_read_is_refused_and_warned_of(centre: DataCentre, junk: bytes) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        record, counter = _user(centre, anna)
        centre.rows(SET_USER, junk, counter, anna.account)
        await _is_tampering(centre, anna.about(), anna.serial)
        await _is_tampering(centre, anna.say(anna.sign_on_request(), SignedUp), "")
        centre.rows(SET_USER, record, counter, anna.account)
        anna.keep(await anna.say(anna.sign_on_request(), SignedUp))
        await anna.load(700)


class _Scene:
    """Two mailers, of whom staff want something, and what was kept outside."""

    def __init__(self, centre: DataCentre, server: FunctionServer, folder: Path) -> None:
        self.centre, self.folder = centre, folder
        self.anna, self.ben = Mailer(centre, server), Mailer(centre, server, "ben")
        self.device: Device
        self.kept = self.checkpoint = b""
        self.repeated: Any = None

    async def live(self) -> None:
        """Until there is a row in every table; the newest refund waits to be paid."""
        self.device = Device(self.anna, await self.anna.sign_up())
        await self.ben.sign_up()
        await self.ben.load(900)
        await self.anna.load(900)
        franked = await self.anna.frank(85, 100)
        await self.anna.refund(unused=franked.indicia[0])
        self.repeated = self.anna.frank_request(7)
        await self.anna.ask(self.repeated, Franked)
        await self.anna.refund(100)
        self.checkpoint = await self.centre.checkpoint()
        self.kept = await self.centre.exported()
        await self.device.look()

    async def by_device(self) -> bool:
        """Whether anna's device finds it, by what it asks and what it is answered."""
        try:
            await self.device.look()
            assert (await self.anna.ask(self.repeated, Franked)).indicia
            await self.device.do(self.anna.frank_request(1), Franked)
            await self.device.do(self.anna.load_request(1), Loaded)
            await self.device.look()
        except (RefusedError, MeterError, AssertionError, OfficeError):
            return True
        return False

    async def by_witness(self) -> bool:
        """Whether `fob-log-verify` finds it, with what somebody kept; or it cannot even be exported."""
        try:
            exported = await self.centre.exported()
        except Exception:
            return True
        return Witness(self.folder).keeping(self.kept).asks(exported, self.checkpoint).status != 0

    async def by_warning(self) -> bool:
        """Whether the centre warns."""
        # One that has warned of nothing yet.
        async with self.centre.function_server() as (server, _):
            await server.refunding._pay_all()
        return bool(await self.centre.warnings())


FOUND_BY: dict[str, Callable[[_Scene], Awaitable[bool]]] = {
    "device": _Scene.by_device,
    "witness": _Scene.by_witness,
    "warning": _Scene.by_warning,
}

# What staff write, and who finds it.
CHANGES = {
    "mailers.account": ("UPDATE mailers SET account = zeroblob(16) WHERE name = 'anna'", "device"),
    "mailers.record": ("UPDATE mailers SET record = (SELECT record FROM mailers WHERE name = 'ben')", "device"),
    "mailers.counter": ("UPDATE mailers SET counter = 7", "sign-on"),
    "mailers.name": ("UPDATE mailers SET name = name || 'x'", "sign-on"),
    "meters.serial": ("UPDATE meters SET serial = serial || '0'", "device"),
    "meters.account": ("UPDATE meters SET account = (SELECT account FROM mailers WHERE name = 'ben')", "device"),
    "meters.record": ("UPDATE meters SET record = (SELECT record FROM meters ORDER BY serial DESC)", "device"),
    "meters.counter": ("UPDATE meters SET counter = counter + 1", "device"),
    "journal.request": ("UPDATE journal SET request = zeroblob(32)", "device"),
    "journal.answer": ("UPDATE journal SET answer = zeroblob(40)", "device"),
    "entries.kind": ("UPDATE entries SET kind = 4 WHERE number = 3", "witness"),
    "entries.content": ("UPDATE entries SET content = zeroblob(9) WHERE number = 3", "witness"),
    "entries.number": ("UPDATE entries SET number = number + 100 WHERE number > 5", "witness"),
    "entries deleted": ("DELETE FROM entries WHERE number > 5", "witness"),
    "entries.hashes": ("UPDATE entries SET hashes = zeroblob(length(hashes))", "checkpoint"),
    "log_heads.size": ("UPDATE log_heads SET size = size + 1", "device"),
    "log_heads.hashes": ("UPDATE log_heads SET hashes = zeroblob(length(hashes))", "checkpoint"),
    "log_heads.id": ("UPDATE log_heads SET id = 2", "device"),
    "transactions.serial": ("UPDATE transactions SET serial = serial || '0'", "history"),
    "transactions.counter": ("UPDATE transactions SET counter = counter + 50", "history"),
    "transactions.entry": ("UPDATE transactions SET entry = 0", "history"),
    "checkpoints.signed": ("UPDATE checkpoints SET signed = zeroblob(90)", "device"),
    "checkpoints.size": ("UPDATE checkpoints SET size = size + 1", "device"),
    "payouts.amount": ("UPDATE payouts SET amount = 800", "warning"),
    "payouts.serial": ("UPDATE payouts SET serial = (SELECT MAX(serial) FROM meters)", "warning"),
    "payouts.signed": ("UPDATE payouts SET signed = zeroblob(90)", "warning"),
}  # fmt: skip


async def _by_sign_on(scene: _Scene) -> bool:
    try:
        await scene.anna.say(scene.anna.sign_on_request(), SignedUp)
    except RefusedError:
        return True
    return False


async def _by_history(scene: _Scene) -> bool:
    """A device that was not there for a while follows what was done without it."""
    device = Device(scene.anna, SignedUp(scene.anna.account, scene.anna.serial, b"", scene.device.kept.registers))
    device.kept = replace(
        device.kept, registers=replace(device.kept.registers, counter=2), boxes=scene.device.kept.boxes
    )
    try:
        await device.look()
    except (RefusedError, MeterError):
        return True
    return False


async def _by_checkpoint(scene: _Scene) -> bool:
    """The transaction box signs no log that does not go on from the one that it signed."""
    await scene.anna.frank(1)
    try:
        await scene.centre.checkpoint()
    except TimeoutError:
        return ("tampering", "") in await scene.centre.warnings()
    return False


FOUND_BY |= {"sign-on": _by_sign_on, "history": _by_history, "checkpoint": _by_checkpoint}


@pytest.mark.clause("M23")
async def test_whatever_column_staff_change_somebody_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support.data_centre._PATIENCE", 150)
    async with data_centre(tmp_path / "centre") as centre, centre.function_server() as (server, _):
        scene = _Scene(centre, server, tmp_path)
        await scene.live()
        await centre.stop("database-1")
        safe = tmp_path / "safe"
        # The boxes go on; each change is tried from the same state of database, boxes and device.
        for name in ("database-1", "meter-1", "meter-2", "authentication-1", "transaction-1", "payment-1"):
            await centre.stop(name)
            shutil.copytree(centre.folder / name, safe / name)
        kept, key = scene.device.kept, scene.anna.key
        missed = []
        nothing = [(f"nothing, by {finder}", ("SELECT 1", finder)) for finder in FOUND_BY]
        for name, (statement, finder) in [*nothing, *CHANGES.items()]:
            for box in sorted(path.name for path in safe.iterdir()):
                await centre.stop(box)
                shutil.rmtree(centre.folder / box)
                shutil.copytree(safe / box, centre.folder / box)
            with closing(sqlite3.connect(centre.folder / "database-1" / FILE)) as connection, connection:
                connection.execute(statement)
            for box in sorted(path.name for path in safe.iterdir()):
                await centre.start(box)
            scene.device.kept, scene.anna.key = kept, key
            # Who finds something where nothing was changed proves nothing.
            if await FOUND_BY[finder](scene) == name.startswith("nothing"):
                missed.append(name)
        assert not missed, missed
