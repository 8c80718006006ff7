"""What meters say, in a person's words."""

from typing import Any, Final

from fob_daemon.metering.clock_words import span_words
from fob_daemon.metering.limits import UNITS
from fob_protocol.metering.amounts import amount_words
from fob_protocol.metering.kinds import MeterState, Payment

Report = dict[str, Any]

# Which command shows what was done.
HISTORY: Final = "fob meter history"


def kind_of(meter: Report) -> str:
    """What it counts; `units` where the device has not heard of it."""
    return str(meter["value_kind"]) or UNITS


def money(meter: Report, amount: int) -> str:
    """`EUR 2.85`."""
    return amount_words(kind_of(meter), amount)


def left(meter: Report) -> str:
    """`EUR 2.85 left`; of a meter that pays per use nothing is, and nothing is wrong with that."""
    is_empty = is_per_use(meter) and not meter["descending"]
    return "paid per use" if is_empty else f"{money(meter, meter['descending'])} left"


def is_per_use(meter: Report) -> bool:
    """Whether what it franks is paid as it franks (M29): it needs nothing before."""
    return bool(meter["payment"] == Payment.PER_USE)


def state_of(meter: Report) -> str:
    """`active`, `stopped` or `withdrawn`."""
    known = {int(state): state.name.lower() for state in MeterState}
    return known.get(meter["state"], "not known yet")


def payment_of(meter: Report) -> str:
    """`prepaid`, `postpaid` or `per use`."""
    known = {int(payment): payment.name.lower().replace("_", " ") for payment in Payment}
    return known.get(meter["payment"], "not known yet")


def ended_words(ended: Report) -> str:
    """`EUR 6.00 loaded (counter 12)`; empty where nobody knows."""
    amount = money(ended, ended["amount"])
    words = {
        "load": f"{amount} loaded",
        "settle": f"{amount} settled",
        "refund": f"{amount} paid back",
        "credit": f"{amount} credited",
        "frank": f"{letters(ended['pieces'])} for {amount}",
    }.get(ended["deed"], "")
    return f"{words} (counter {ended['counter']})" if words else ""


def batch_state(job: Report) -> str:
    """`done`, `given up`, or `waits`: of a letter that nobody allowed nothing waits, and the next one drops it."""
    if job["done"] == job["total"]:
        return "done"
    return "waits" if not job["is_closed"] and (job["done"] or job["total"] > 1) else "given up"


def letters(count: int) -> str:
    """`1 piece`, `3 pieces`."""
    return "1 piece" if count == 1 else f"{count:,} pieces"


def some(count: int, one: str, many: str) -> str:
    """`1 piece is`, `3 pieces are`."""
    return f"{letters(count)} {one if count == 1 else many}"


def fields_of(meter: Report) -> dict[str, object]:
    """A name and a value for each that there is."""
    found: dict[str, object] = {
        "meter": meter["serial"],
        "mailer": meter["name"],
        "state": state_of(meter),
        "payment": payment_of(meter),
        "left": money(meter, meter["descending"]),
        "used": f"{money(meter, meter['ascending'])} for {letters(meter['pieces'])}",
        "loaded": money(meter, meter["loads"]),
        "counter": meter["counter"],
    }
    if meter["owed"]:
        found["owed"] = money(meter, meter["owed"])
    if meter["fee"]:
        found["due"] = f"{money(meter, meter['fee'])} for signing up, with the next payment"
    if meter["ahead"]:
        found["clock"] = f"the device's is {span_words(meter['ahead'])} ahead of its office's"
    if meter["order"]:
        found["order"] = f"{meter['order']}, {meter['word']}"
    if meter["fault"]:
        found["fault"] = meter["fault"]
    return found
