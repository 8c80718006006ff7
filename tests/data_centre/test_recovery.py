"""A database, or more, that was put back: who finds it, and how an operator goes on (M22, M33, M34)."""

from functools import partial
from pathlib import Path

import pytest

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.database import FetchLogHead, Reindex
from fob_office.centre.commands.function import Recover
from fob_office.centre.commands.steel import OrderLog
from fob_office.centre.commands.transaction import GoOn
from fob_office.centre.function.server import FunctionServer
from fob_office.centre.operating.log import checkpoint_after
from fob_office.centre.operating.recovering import recover_log, recover_mailer
from fob_protocol.cose import sign1
from fob_protocol.metering.answers import Franked, Loaded, SignedUp
from fob_protocol.metering.faults import MeterError
from fob_protocol.metering.log.checkpoint import Checkpoint
from fob_protocol.metering.log.errors import LogError
from fob_protocol.metering.log.tree import Frontier
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal
from support.audits import audited, trusted_of
from support.data_centre import DataCentre
from support.mailers import Mailer
from support.mailers import Witness as Device
from support.meter_log import Witness
from support.octets import flipped
from support.payments import payments_of
from support.put_back import ANY, Asker, copied, put_back

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow


async def _after(centre: DataCentre, kept: bytes) -> bytes:
    """The checkpoint that takes the place of a kept one."""
    trusted = await trusted_of(centre)
    signed, _ = await checkpoint_after(partial(centre.ask, "database-1"), trusted.origin, trusted.log_keys, kept)
    return signed


async def _lived(centre: DataCentre, server: FunctionServer) -> tuple[Mailer, Device]:
    anna = Mailer(centre, server)
    device = Device(anna, await anna.sign_up())
    await anna.load(1_000)
    await anna.frank(85)
    await centre.checkpoint()
    await device.look()
    return anna, device


async def _refusal(mailer: Mailer) -> Refusal:
    with pytest.raises(RefusedError) as refused:
        await mailer.frank(1)
    return refused.value.refusal


@pytest.mark.clause("M22", "M34", "M23")
async def test_a_database_and_a_box_that_were_put_back_together_are_found_by_the_second(
    centre: DataCentre, tmp_path: Path
) -> None:
    async with centre.function_server() as (server, _):
        anna, device = await _lived(centre, server)
        await copied(centre, tmp_path / "safe", "database-1", "meter-1")
        for _ in range(3):
            await device.do(anna.frank_request(85), Franked)
        checkpoint = await centre.checkpoint()
        await device.look()
        await put_back(centre, tmp_path / "safe", "database-1", "meter-1")
        # The box has forgotten what it did: nobody is told for good that his request was not done.
        assert [await _refusal(anna) for _ in range(3)] == [Refusal.UNAVAILABLE] * 3
        assert await centre.warnings() == [("tampering", anna.serial)]
        # And by everybody who kept a checkpoint.
        assert Witness(tmp_path).asks(await centre.exported(), checkpoint).outcomes == ["cut-off"]
        with pytest.raises((RefusedError, MeterError)):
            await device.look()


@pytest.mark.clause("M22", "M23")
async def test_a_database_and_all_boxes_that_were_put_back_are_found_by_who_kept_a_checkpoint(
    centre: DataCentre, tmp_path: Path
) -> None:
    boxes = ("database-1", "meter-1", "meter-2", "authentication-1", "transaction-1", "payment-1")
    async with centre.function_server() as (server, _):
        anna, device = await _lived(centre, server)
        await copied(centre, tmp_path / "safe", *boxes)
        for _ in range(3):
            await device.do(anna.frank_request(85), Franked)
        checkpoint = await centre.checkpoint()
        await device.look()
        kept = device.kept
        await put_back(centre, tmp_path / "safe", *boxes)
        # Nobody inside knows better: as many transactions again, and a longer log.
        for _ in range(5):
            await anna.frank(85)
        newest = await centre.checkpoint()
        assert await centre.warnings() == []
        witness = Witness(tmp_path)
        exported = await centre.exported()
        assert witness.asks(exported, newest).outcomes == ["agrees"]
        assert witness.asks(exported, checkpoint).outcomes == ["rewritten"]
        assert witness.asks(exported, checkpoint).status == 1
        device.kept = kept
        with pytest.raises(MeterError, match="log"):
            await device.look()


@pytest.mark.clause("M22", "M33")
async def test_after_a_backup_of_the_database_an_operator_orders_how_it_goes_on(
    centre: DataCentre, tmp_path: Path
) -> None:
    async with centre.function_server() as (server, _):
        operator = Asker(centre, server)
        old, _ = await _lived(centre, server)
        before = await centre.checkpoint()
        await copied(centre, tmp_path / "safe", "database-1")
        # The phone was lost, and replaced.
        new = Mailer(centre, server)
        device = Device(new, new.keep(await new.say(new.sign_on_request(), SignedUp)))
        for _ in range(3):
            await new.frank(85)
        after = await centre.checkpoint()
        await device.look()
        await put_back(centre, tmp_path / "safe", "database-1")
        with pytest.raises(LogError, match="the log is shorter by now"):
            await _after(centre, after)
        assert await _refusal(old) == await _refusal(new) == Refusal.TAMPERING

        # The meter: its box knows.
        await server.recover(ANY, Recover(old.serial))
        # The mailer: nobody's key is good, not that of the lost phone.
        assert await recover_mailer(operator, old.serial, ["authentication-1"]) == 3
        assert await _refusal(old) == await _refusal(new) == Refusal.NOT_AUTHENTICATED
        new.keep(await new.say(new.sign_on_request(), SignedUp))
        assert (await new.frank(85)).registers.ascending == 85 * 5
        # The log: the box that signed a longer one goes on by this order alone.
        held = await recover_log(operator, "transaction-1")
        assert held == read(Checkpoint, sign1.unverified_payload(after))
        await new.frank(85)
        newest = await centre.checkpoint()
        assert read(Checkpoint, sign1.unverified_payload(newest)).size > held.size

        # A witness keeps what shows it: only a log that goes on from a checkpoint takes its place.
        assert await _after(centre, before) == newest
        with pytest.raises(LogError, match="not in the log as it is by now"):
            await _after(centre, after)
        # It shows for ever: what was kept from after the backup disagrees, and the meter's counters have a gap.
        found = Witness(tmp_path).asks(await centre.exported(), before, after, newest)
        assert found.status == 1
        assert [found.outcomes[0], found.outcomes[2]] == ["agrees", "agrees"]
        assert found.outcomes[1] != "agrees"
        # And it says why: of meter, mailer and log.
        assert [name for _, name in found.found] == ["recovered"]
        assert "the database was put back; ask the operator" in found.json["findings"][0]["why"]
        assert [one["kind"] for one in found.json["recoveries"]] == ["meter", "mailer", "log"]
        assert f"and transaction-1 had signed {held.size} entries" in found.json["checkpoints"][1]["why"]
        notes = [content for (content,) in centre.rows("SELECT content FROM entries WHERE kind = 5 ORDER BY number")]
        # Two warnings, what was missing of meter and mailer, what no transaction tells of (twice), and the order.
        assert [note[1] for note in notes[:-1]] == [3, 3, 1, 2, 5, 5]
        assert len(notes) == 7
        with pytest.raises(MeterError, match="log"):
            await device.look()
        # The tables fit the log as it goes on.
        assert (await audited(centre)).findings.shown == []
        # Who signs on anew begins anew.
        device = Device(new, new.keep(await new.say(new.sign_on_request(), SignedUp)))
        await device.look()


@pytest.mark.clause("M23", "M33")
@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE meters SET counter = counter + 1",
        "UPDATE meters SET funds = 9",
        "UPDATE meters SET account = x'00'",
        "UPDATE meters SET record = x'00'",
        "DELETE FROM meters",
    ],
)
async def test_a_row_that_staff_spoiled_is_made_anew_of_the_log(centre: DataCentre, spoil: str) -> None:
    """By the command that the audit names: no backup is needed."""
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(500)
        before = centre.rows("SELECT * FROM meters")
        assert not (await centre.ask("database-1", Reindex(anna.serial))).is_changed
        centre.rows(spoil)
        (finding, *_) = (await audited(centre)).findings.shown
        assert (finding.table, finding.key) == ("meters", anna.serial)
        assert (await centre.ask("database-1", Reindex(anna.serial))).is_changed
        assert centre.rows("SELECT * FROM meters") == before
        await server.recover(ANY, Recover(anna.serial))
        assert (await anna.frank(85)).registers.descending == 415
        assert (await audited(centre)).findings.shown == []
        with pytest.raises(BusRefusedError, match="no-meter"):
            await centre.ask("database-1", Reindex("FM00000000026"))


@pytest.mark.clause("M23", "M33", "M29")
async def test_what_was_done_and_could_not_be_stored_is_answered_when_it_can(centre: DataCentre) -> None:
    """Staff change what the database compares: nobody hears a refusal of what the meter box did, and pays again."""
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(500)
        for request, answer in ((anna.load_request(700), Loaded), (anna.frank_request(85), Franked)):
            before = payments_of(centre, anna.serial)[0]
            centre.rows("UPDATE meters SET counter = counter + 1")
            for _ in range(3):
                with pytest.raises(RefusedError, match="unavailable"):
                    await anna.ask(request, answer)
            assert {word for word, _ in await centre.warnings()} >= {"tampering"}
            await centre.ask("database-1", Reindex(anna.serial))
            first = await anna.ask(request, answer)
            assert await anna.ask(request, answer) == first
            assert payments_of(centre, anna.serial)[0] - before == (700 if answer is Loaded else 0)
        registers = (await anna.about()).registers
        assert (registers.counter, registers.ascending, registers.loads) == (4, 85, 1_200)


@pytest.mark.clause("M22", "M4")
async def test_an_order_is_for_one_box_one_log_and_one_time(centre: DataCentre, tmp_path: Path) -> None:
    async with centre.function_server() as (server, _):
        await _lived(centre, server)
        held = read(Checkpoint, sign1.unverified_payload(await centre.checkpoint()))
        head = await centre.ask("database-1", FetchLogHead())
        root = Frontier(head.size, head.hashes).root

        async def told(box: str, before: int, root_before: bytes, hashes: tuple[bytes, ...]) -> str:
            order = await centre.ask("steel-1", OrderLog(box, before, root_before, head.size, root))
            with pytest.raises(BusRefusedError) as refused:
                await centre.ask("transaction-1", GoOn(order.order, hashes))
            return refused.value.word

        assert await told("transaction-2", held.size, held.root, head.hashes) == "tampering"
        assert await told("transaction-1", held.size, held.root, (*head.hashes, bytes(32))) == "tampering"
        assert await told("transaction-1", held.size - 1, held.root, head.hashes) == "other-size"
        order = await centre.ask("steel-1", OrderLog("transaction-1", held.size, held.root, head.size, root))
        await centre.ask("transaction-1", GoOn(order.order, head.hashes))
        with pytest.raises(BusRefusedError, match="other-size"):
            await centre.ask("transaction-1", GoOn(order.order, head.hashes))
        with pytest.raises(BusRefusedError, match="tampering"):
            await centre.ask("transaction-1", GoOn(flipped(order.order), head.hashes))
