"""The key-separation matrix (M4): each box does its own job, and fails every other, by command and by key."""

import inspect
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from fob_office.centre.boxes import codes
from fob_office.centre.boxes.box import Factory
from fob_office.centre.boxes.errors import NotHeldError
from fob_office.centre.boxes.identity import signing_key
from fob_office.centre.boxes.kinds import FACTORIES
from fob_office.centre.boxes.separation import HELD, Purpose
from fob_office.centre.boxes.views import Slot, View
from fob_office.centre.bus.answering import Server, Table
from fob_office.centre.bus.commands import Command, encode_command, split_answer
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands import authentication, manufacturing, meter, steel, transaction
from fob_office.centre.commands.authentication import NoteUser, Permit, PermitRefill, RecordUser, SignOn, UserSeen
from fob_office.centre.commands.manufacturing import Admit, NextView
from fob_office.centre.commands.meter import Act, Begin, TakeView
from fob_office.centre.commands.steel import OrderKey, OrderMeter, OrderUser
from fob_office.centre.commands.transaction import Attest, FundOwed, FundPaid, OrderCharge, SignCheckpoint
from fob_office.centre.limits import SLOTS
from fob_protocol.cose.labels import Label
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.log.hashes import EMPTY_ROOT
from fob_protocol.metering.requests import LoadRequest, authenticated
from fob_protocol.metering.transaction import TransactionRecord
from fob_protocol.metering.vouchers import Due, Receipt
from fob_protocol.office.hashing import digest
from support.centre_boxes import Boxes
from support.centre_key_boxes import EUR, KeyBoxes, MailerDevice, key_boxes, peer
from support.centre_key_boxes import FACTORIES as CHEAP_FACTORIES

SERIAL = "FM01000000014"

# Who may ask what, and whom: the whole table.
MODULES: Mapping[Kind, ModuleType] = {
    Kind.MANUFACTURING: manufacturing,
    Kind.STEEL: steel,
    Kind.METER: meter,
    Kind.AUTHENTICATION: authentication,
    Kind.TRANSACTION: transaction,
}
OTHERS_THAN_FUNCTION = {
    "Admit": {Kind.OPERATOR},
    "NextView": {Kind.OPERATOR},
    "OrderKey": {Kind.OPERATOR},
    "GiveKey": {Kind.OPERATOR},
    "OrderLog": {Kind.OPERATOR},
    "OrderMailer": {Kind.OPERATOR},
    "HeldCheckpoint": {Kind.OPERATOR},
    "GoOn": {Kind.OPERATOR},
    "SeenMailer": {Kind.OPERATOR},
    "NoteUser": {Kind.AUTHENTICATION},
    "FetchUsers": {Kind.AUTHENTICATION},
    "SetNewMeters": {Kind.OPERATOR},
    "HeldNumbers": {Kind.OPERATOR},
    "SignCheckpoint": {Kind.DATABASE},
    "Keep": {Kind.METER},
    "HandOver": {Kind.METER},
    "TakeView": {Kind.OPERATOR, Kind.METER},
    "HeldView": {Kind.OPERATOR},
    "HeldMarks": {Kind.OPERATOR},
    "Look": {Kind.OPERATOR, Kind.FUNCTION},
    "VerifyTokens": {Kind.OPERATOR},
    "Certify": {Kind.OPERATOR},
    "LastChange": {Kind.OPERATOR, Kind.FUNCTION},
}


def commands_of(kind: Kind) -> Iterator[type[Command[Any]]]:
    """What processes of this kind are asked."""
    for _, each in inspect.getmembers(MODULES[kind], inspect.isclass):
        if issubclass(each, Command) and each is not Command and each.__module__ == MODULES[kind].__name__:
            yield each


def sample(wanted: Any) -> Any:
    """Something of this type, as short as it may be."""
    if get_origin(wanted) is Annotated:
        least = next((meta.min_length for meta in get_args(wanted)[1:] if meta.min_length), 0)
        plain = sample(get_args(wanted)[0])
        return bytes(least) if isinstance(plain, bytes) else plain
    if get_origin(wanted) in (Union, UnionType):
        return None if type(None) in get_args(wanted) else sample(get_args(wanted)[0])
    plain = get_origin(wanted) or wanted
    if issubclass(plain, Kind):
        return Kind.METER
    if issubclass(plain, tuple):
        return ()
    if issubclass(plain, msgspec.Struct):
        hints = get_type_hints(plain, include_extras=True)
        return plain(**{name: sample(hints[name]) for name in plain.__struct_fields__})
    return plain()


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[dict[Kind, Server]]:
    """A box of each kind, as its process has it."""
    boxes = Boxes(tmp_path)
    async with AsyncExitStack() as stack:
        found = {}
        for kind in MODULES:
            if kind is not Kind.MANUFACTURING:
                boxes.make(kind, kind.word)
            box = boxes.open(kind.word)
            factory: Factory = CHEAP_FACTORIES.get(kind, FACTORIES[kind])
            found[kind] = Server(box.me, await stack.enter_async_context(factory(box)))
        yield found


async def refusal(server: Server, command: Command[Any], asker: Kind) -> str:
    """The word that it is refused with."""
    number, read = server.reader.read(encode_command(3, command))
    if isinstance(read, BusRefusedError):
        return read.word
    _, answer = split_answer(await server.answer(peer(asker), number, read))
    return answer.word if isinstance(answer, BusRefusedError) else ""


@pytest.mark.clause("M4")
async def test_each_command_is_for_one_kind_of_box_and_from_those_that_need_it(servers: dict[Kind, Server]) -> None:
    """Unknown to all others; `not-yours` from everybody else, whatever is asked."""
    tried = 0
    for kind in MODULES:
        for command in commands_of(kind):
            allowed = OTHERS_THAN_FUNCTION.get(command.__name__, {Kind.FUNCTION})
            asked = asked_as(command)
            for box, server in servers.items():
                for asker in set(Kind) - allowed if box is kind else Kind:
                    word = await refusal(server, asked, asker)
                    assert word == ("not-yours" if box is kind else "unknown-command"), (box, asker, asked)
                    tried += 1
            table = servers[kind]._table
            assert table[command].kinds == allowed, command
    assert tried > 1_000


def asked_as(command: type[Command[Any]]) -> Command[Any]:
    """Nothing that anybody would do, and of the right shape."""
    made: Command[Any] = sample(command)
    match made:
        case Admit():
            return msgspec.structs.replace(made, name="steel-1")
        case NextView():
            return msgspec.structs.replace(made, slots=(("meter-1", None),) * SLOTS)
        case NoteUser():
            return msgspec.structs.replace(made, seen=UserSeen(bytes(16), 1, bytes(32)))
        case _:
            return made


# By key: the masters that a job needs. Who has all of them could do it, were it asked: with a code, who checks could
# also make. No command lets him.
NEEDS: Mapping[str, set[Purpose]] = {
    "order a meter": {Purpose.TOKEN, Purpose.ORDER},
    "order a user": {Purpose.USER, Purpose.ORDER},
    "order an operator's wish": {Purpose.ORDER},
    "record a user": {Purpose.ORDER, Purpose.USER_RECORD, Purpose.PASSWORD},
    "sign on": {Purpose.ORDER, Purpose.USER_RECORD, Purpose.PASSWORD},
    "permit": {Purpose.USER, Purpose.USER_RECORD, Purpose.PERMISSION},
    "permit a refill": {Purpose.USER_RECORD, Purpose.PERMISSION},
    "order a charge": {Purpose.PERMISSION, Purpose.CHANGE},
    "sign what was done": {Purpose.ORDER, Purpose.CHANGE},
    "fund what is paid": {Purpose.FUND},
    "fund what is owed": {Purpose.PERMISSION, Purpose.FUND},
    "begin a meter": {Purpose.ORDER, Purpose.TOKEN, Purpose.RECORD},
}
# Those that one kind alone can do: where money is moved or made, it takes keys that no other box has together.
ALONE = {"record a user", "sign on", "permit", "permit a refill", "begin a meter"}


@dataclass
class Job:
    """A command that the box of a kind carries out."""

    kind: Kind
    command: Command[Any]
    asker: Kind = Kind.FUNCTION


async def jobs(world: KeyBoxes) -> dict[str, Job]:
    """All of NEEDS, ready to be asked."""
    await world.give_keys()
    anna = MailerDevice(world)
    up = anna.sign_up()
    await anna.signs_up(up)
    up = anna.sign_up()
    ordered_up = await world.ask("steel-1", OrderUser(None, anna.sealing.public, digest(up.octets())))
    on = anna.sign_on()
    ordered_on = await world.ask("steel-1", OrderUser(anna.account, anna.sealing.public, digest(on.octets())))
    load = LoadRequest(bytes(16), anna.account, SERIAL, anna.now, 500)
    permitted = await anna.permit(load)
    assert permitted is not None
    receipt = Receipt(bytes(32), SERIAL, 1, 500, False, bytes(16), anna.now, anna.account).signed(
        world.signing_key("payment-1")
    )
    act = Act(bytes(32), bytes(16), None)
    meter_order = (await world.ask("steel-1", OrderMeter(anna.account, EUR, act.request_digest))).order
    wish = OrderKey(Deed.STOP, SERIAL, 1, None)
    stopped = TransactionRecord(
        bytes(16), SERIAL, Deed.STOP, 2, 0, 0, 0, 0, 0, (), None, anna.now, before=None, after=bytes(32)
    )
    order = (await world.ask("steel-1", wish, Kind.OPERATOR)).order
    owned = world.open["meter-1"].vault
    due = codes.sign(owned, Due(SERIAL, anna.account, 1, 1, 0, 0, 0, anna.now), Label.DUE, Purpose.CHANGE, SERIAL)
    change = codes.sign(owned, stopped, Label.CHANGE, Purpose.CHANGE, SERIAL)
    return {
        "order a meter": Job(Kind.STEEL, OrderMeter(anna.account, EUR, bytes(32))),
        "order a user": Job(Kind.STEEL, OrderUser(None, anna.sealing.public, bytes(32))),
        "order an operator's wish": Job(Kind.STEEL, wish, Kind.OPERATOR),
        "record a user": Job(Kind.AUTHENTICATION, RecordUser(ordered_up.order, up.signed(anna.signing))),
        "sign on": Job(Kind.AUTHENTICATION, SignOn(anna.record, ordered_on.order, on.signed(anna.signing))),
        "permit": Job(Kind.AUTHENTICATION, Permit(anna.record, authenticated(anna.key, load))),
        "permit a refill": Job(Kind.AUTHENTICATION, PermitRefill(anna.record, SERIAL, 1)),
        "order a charge": Job(Kind.TRANSACTION, OrderCharge(due, permitted, None, None)),
        "sign what was done": Job(Kind.TRANSACTION, Attest(change, order)),
        "fund what is paid": Job(Kind.TRANSACTION, FundPaid(receipt)),
        "fund what is owed": Job(Kind.TRANSACTION, FundOwed(due, permitted, None)),
        "begin a meter": Job(Kind.METER, Begin(meter_order, act)),
    }


@pytest.mark.clause("M4")
async def test_each_job_needs_the_keys_of_its_own_box(tmp_path: Path) -> None:
    """The program of each box, with the vault of each kind in the place of its own."""
    names = {kind: f"{kind.word}-1" for kind in (*HELD, Kind.FUNCTION)}
    async with key_boxes(tmp_path, *names.values(), "payment-1") as world:
        ready = await jobs(world)
        assert set(ready) == set(NEEDS)
        for kind in HELD:
            await world.stop(names[kind])
        view = View(1, (Slot(names[Kind.METER], None),) * SLOTS).signed(world.signing_key("manufacturing"))
        able: dict[str, set[Kind]] = {name: set() for name in ready}
        for vaults in names:
            for program in HELD:
                async with AsyncExitStack() as stack:
                    box = replace(world.boxes.open(names[program]), vault=world.open[names[vaults]].vault)
                    factory: Factory = CHEAP_FACTORIES.get(program, FACTORIES[program])
                    table: Table = await stack.enter_async_context(factory(box))
                    if program is Kind.METER:
                        await table[TakeView].handler(peer(Kind.OPERATOR), TakeView(view))
                    for name, job in ready.items():
                        if job.kind is program and await does(table, job):
                            able[name].add(vaults)
        assert able == {name: {kind for kind in HELD if needed <= HELD[kind]} for name, needed in NEEDS.items()}
        assert {name for name, kinds in able.items() if len(kinds) == 1} == ALONE
        assert all(ready[name].kind in kinds for name, kinds in able.items())


async def does(table: Table, job: Job) -> bool:
    """False: a key is missing."""
    try:
        await table[type(job.command)].handler(peer(job.asker), job.command)
    except NotHeldError:
        return False
    return True


@pytest.mark.clause("M4")
@pytest.mark.parametrize("kind", [Kind.STEEL, Kind.AUTHENTICATION, Kind.FUNCTION, Kind.DATABASE])
def test_only_transaction_boxes_sign_transactions_and_checkpoints(tmp_path: Path, kind: Kind) -> None:
    boxes = Boxes(tmp_path)
    boxes.make(kind, kind.word)
    with pytest.raises(ValueError, match="signs nothing"):
        signing_key(boxes.open(kind.word).identity)


async def test_a_checkpoint_is_for_the_database_server_alone(servers: dict[Kind, Server]) -> None:
    asked = SignCheckpoint(0, 0, EMPTY_ROOT, ())
    assert await refusal(servers[Kind.TRANSACTION], asked, Kind.FUNCTION) == "not-yours"
    assert await refusal(servers[Kind.TRANSACTION], asked, Kind.DATABASE) == ""
