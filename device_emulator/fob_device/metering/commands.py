"""+FOBMETER and its kin (docs/protocol.md, section 4.4)."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from fob_device.approval.questions import Question
from fob_device.approval.wanted import wanted
from fob_device.metering.arguments import (
    amount,
    check_names,
    order_id,
    origins,
    payment,
    refill,
    unused,
    wanted_pieces,
    weighed,
)
from fob_device.metering.clock import ahead, named_by_clock
from fob_device.metering.joining import Typed, Wish
from fob_device.metering.meter import Meter, Result
from fob_device.metering.wanted import Plan, Wanted, WantedFrank, WantedLoad, WantedRefund
from fob_device.pad.password import PASSWORD_TIME, SIZE_WORDS, PasswordEntry, is_fit
from fob_device.security.context import Context
from fob_device.security.pad_logins import user_master_key
from fob_device.security.uses import BY, unanswered_written_down, write_down
from fob_device.security.values import optional_octets, optional_whole, text, whole
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer
from fob_protocol.at.values import Value, Values
from fob_protocol.caller import Caller
from fob_protocol.history.entry import Entry, Kind, Outcome
from fob_protocol.metering.mailer import Mailer
from fob_protocol.metering.values import Registers
from fob_protocol.metering.witness import log_head
from fob_protocol.names import plain_name
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

if TYPE_CHECKING:
    from fob_device.office.back_office import BackOffice


async def tell_meter(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBMETER: what is kept here; nobody is asked."""
    with named_by_clock(office.meter.joiner.talker):
        store = office.meter.joiner.store
        meter, kept, joining = store.meter(), store.order(), store.joining()
    stage = "joining" if joining else "ready" if meter else "none"
    order: tuple[Value, Value] = (None, None)
    off = ahead(office.meter.joiner.talker) or None
    if kept is not None:
        order = kept.order, "asking" if kept.transaction is None else "done"
    if meter is None:
        return Answer(
            ((stage, joining.name if joining else "", None, "", "", 0, 0, 0, 0, 0, 0, 0, 0, *order, "", 0, off),)
        )
    mailer = meter.mailer
    return Answer(
        (
            (
                stage, mailer.name, mailer.account, mailer.serial, mailer.value_kind or "",
                *_registers(mailer.registers), int(mailer.state or 0), int(mailer.payment or 0),
                *order, mailer.fault, mailer.fee_due, off,
            ),
        )
    )  # fmt: skip


async def tell_terms(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBMETERTERMS."""
    with named_by_clock(office.meter.joiner.talker):
        terms = await office.meter.terms()
    return Answer(((terms.deposit, terms.fee), *((kind,) for kind in terms.value_kinds)))


async def sign_up(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBMETERSIGNUP: the password is typed on the device."""
    name, kind = text(values[0]), text(values[1])
    wish = Wish(kind, payment(values[2]), refill(values[3], values[4]), origins(values[5:]))
    check_names(name, kind)
    return await _join(office, context, name, wish)


async def sign_on(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBMETERSIGNON."""
    name = text(values[0])
    check_names(name)
    return await _join(office, context, name, None)


async def tell_about(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBMETERABOUT: by the data centre, now."""
    with named_by_clock(office.meter.joiner.talker):
        about = await office.meter.about(_unlock(context, "ask about the meter"))
    limits, rule = about.limits, about.refill
    return Answer(
        (
            (
                int(about.state), int(about.payment), limits.piece, limits.daily, limits.credit, limits.spent,
                limits.day, rule.below if rule else None, rule.amount if rule else None,
                log_head(about.checkpoint).size, about.checkpoint,
            ),
            *((origin,) for origin in about.origins),
        )
    )  # fmt: skip


async def frank(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBMETERFRANK."""
    serial = None if values[2] is None else text(values[2])
    order = WantedFrank(order_id(values[0]), text(values[1]), wanted_pieces(values[5:]), serial)
    await office.started.wait()
    return await _order(office, context, order, values[3], values[4])


async def rate(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBMETERRATE: nothing is franked."""
    await office.started.wait()
    with named_by_clock(office.meter.joiner.talker):
        return Answer((tuple(await office.meter.rates(text(values[0]), weighed(values[1:]))),))


async def load(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBMETERLOAD."""
    return await _order(office, context, WantedLoad(order_id(values[0]), amount(values[1])), values[2], values[3])


async def refund(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBMETERREFUND."""
    money = None if values[1] is None else amount(values[1])
    order = WantedRefund(order_id(values[0]), money, unused(values[2], values[3], money))
    return await _order(office, context, order, values[4], values[5])


async def tell_result(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBMETERRESULT."""
    with named_by_clock(office.meter.joiner.talker):
        result = await office.meter.result(order_id(values[0]), _unlock(context, "finish an order of the meter"))
    if result is None:
        raise CkrError(Ckr.ARGUMENTS_BAD, "no such order is kept")
    return _answer(result)


async def taken(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBMETERTAKEN."""
    with named_by_clock(office.meter.joiner.talker):
        office.meter.taken(order_id(values[0]))
    return Answer()


async def tell_history(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBMETERHISTORY."""
    with named_by_clock(office.meter.joiner.talker):
        records = await office.meter.history(whole(values[0]), _unlock(context, "read the meter's history"))
    return Answer(tuple((record,) for record in records))


HANDLERS: Final[dict[str, "Callable[[BackOffice, Context, Values], Awaitable[Answer]]"]] = {
    catalogue.METER.name: tell_meter,
    catalogue.METER_TERMS.name: tell_terms,
    catalogue.METER_SIGN_UP.name: sign_up,
    catalogue.METER_SIGN_ON.name: sign_on,
    catalogue.METER_ABOUT.name: tell_about,
    catalogue.METER_FRANK.name: frank,
    catalogue.METER_LOAD.name: load,
    catalogue.METER_REFUND.name: refund,
    catalogue.METER_RESULT.name: tell_result,
    catalogue.METER_TAKEN.name: taken,
    catalogue.METER_HISTORY.name: tell_history,
    catalogue.METER_RATE.name: rate,
}


async def _join(office: "BackOffice", context: Context, name: str, wish: Wish | None) -> Answer:
    await office.started.wait()
    meter: Meter = office.meter
    master_key = await user_master_key(context, f"sign {'up for a meter' if wish else 'on to the meter'}")
    with named_by_clock(office.meter.joiner.talker):
        joined = await meter.join(name, wish, _typed(context, name, is_new=wish is not None), master_key)
    return Answer(((joined.mailer.account, joined.mailer.serial),))


def _typed(context: Context, name: str, *, is_new: bool) -> Typed:
    async def typed(cost: str) -> str:
        entry = PasswordEntry(name, is_new, context.pc_name, context.pc_key, cost)
        async with context.asking(entry.words(), PASSWORD_TIME) as asking:
            await context.decider.unlocked(asking)
            password = await context.decider.type_password(entry, asking)
            await wanted(context.decider, asking)
        if password is None:
            raise CkrError(Ckr.FUNCTION_CANCELED, "no password was typed on the device")
        if not is_fit(password):
            raise CkrError(Ckr.ARGUMENTS_BAD, SIZE_WORDS)
        return password

    return typed


def _unlock(context: Context, deed: str) -> Callable[[], Awaitable[bytes]]:
    return partial(user_master_key, context, deed)


async def _order(office: "BackOffice", context: Context, order: Wanted, number: Value, block: Value) -> Answer:
    caller = context.desk.callers.resolve(optional_whole(number), optional_octets(block))
    with named_by_clock(office.meter.joiner.talker):
        return _answer(
            await office.meter.order(order, _unlock(context, "use the meter"), partial(_approve, context, caller))
        )


async def _approve(context: Context, caller: Caller, plan: Plan, mailer: Mailer, is_allowed: bool) -> bool:
    """Whether the day's allowance is used, and nobody was asked. Raises CkrError for a no, and for silence."""
    if is_allowed and not caller.is_forwarded:
        return True
    words = plain_name(plan.words, limit=len(plan.words))
    question = Question(plan.operation, mailer.serial, context.pc_name, caller, 0, context.pc_key, words)
    entry = Entry(Kind.COMPONENT_RUN, caller=caller, words=words, integrity_value=plan.integrity_value)
    async with unanswered_written_down(context, entry):
        decision = await context.decide(question)
    if not decision.is_yes:
        refused = Entry(Kind.COMPONENT_RUN, Outcome.REFUSED, BY[decision.by], caller=caller, words=words)
        await write_down(context, refused)
        raise CkrError(Ckr.FUNCTION_REJECTED, f"refused on the device: {question.words()}")
    return False


def _registers(registers: Registers) -> tuple[int, ...]:
    return (
        registers.counter, registers.ascending, registers.descending, registers.pieces, registers.loads, registers.owed,
    )  # fmt: skip


def _answer(result: Result) -> Answer:
    return Answer(((*_registers(result.registers), result.transaction),))
