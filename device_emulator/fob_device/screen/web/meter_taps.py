"""What a tap on the page about the meter does."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from fob_device.pad.password import SIZE_WORDS, is_fit
from fob_device.screen.web.forms import FormError, one_of
from fob_device.screen.web.pages import Moved, NoPageError
from fob_device.screen.web.shown import Running
from fob_device.screen.web.unlocked import require_person
from fob_device.security.back_office import PersonsMeterDesk
from fob_protocol.metering.indicium import is_place
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.limits import AMOUNT_LIMIT, LOGIN_NAME_LIMIT
from fob_protocol.office.patterns import NAME

Fields = Mapping[str, str]

# In the least unit.
AMOUNT: Final = r"[0-9]{1,13}"


async def _open_meter_form(running: Running, fields: Fields) -> Moved:
    _meter_desk(running).open_form()
    return Moved("meter")


async def _sign_up(running: Running, fields: Fields) -> Moved:
    desk, master_key = _meter_desk(running), running.person.lock.master_key
    name, password = _login(fields)
    if password != fields.get("again", ""):
        return Moved("meter", "unequal-passwords")
    payment = one_of(fields, "payment", tuple(str(int(payment)) for payment in Payment))
    if master_key is not None:
        desk.sign_up(name, _kind(fields), int(payment), (_origin(fields),), password, master_key)
    return Moved("meter")


async def _sign_on(running: Running, fields: Fields) -> Moved:
    desk, master_key = _meter_desk(running), running.person.lock.master_key
    name, password = _login(fields)
    if master_key is not None:
        desk.sign_on(name, password, master_key)
    return Moved("meter")


async def _look_at_meter(running: Running, fields: Fields) -> Moved:
    desk, master_key = _meter_desk(running), running.person.lock.master_key
    if master_key is not None:
        desk.look(master_key)
    return Moved("meter")


async def _set_allowance(running: Running, fields: Fields) -> Moved:
    daily = fields.get("daily", "")
    if not re.fullmatch(AMOUNT, daily) or int(daily) > AMOUNT_LIMIT:
        raise FormError(f"daily is 0 to {AMOUNT_LIMIT}")
    _meter_desk(running).set_allowance(int(daily))
    return Moved("meter", "saved")


async def _give_up_meter(running: Running, fields: Fields) -> Moved:
    _meter_desk(running).give_up()
    return Moved("meter")


def _login(fields: Fields) -> tuple[str, str]:
    """Name and password. Raises FormError, which says nothing of them."""
    name, password = fields.get("name", ""), fields.get("password", "")
    if not 1 <= len(name) <= LOGIN_NAME_LIMIT:
        raise FormError(f"name has 1 to {LOGIN_NAME_LIMIT} characters")
    if not is_fit(password):
        raise FormError(SIZE_WORDS)
    return name, password


def _kind(fields: Fields) -> str:
    kind = fields.get("kind", "")
    if not re.fullmatch(NAME, kind):
        raise FormError("kind is a value kind")
    return kind


def _origin(fields: Fields) -> str:
    origin = fields.get("origin", "").strip()
    if not is_place(origin):
        raise FormError("origin is a postal code: letters and digits, with blanks, dots and dashes between")
    return origin


def _meter_desk(running: Running) -> PersonsMeterDesk:
    """Of the unlocked phone. Raises PhoneLockedError, NoPageError."""
    require_person(running.person)
    office = running.phone.office
    if office is None or office.meter_desk is None:
        raise NoPageError
    return office.meter_desk


METER_TAPS: Final[Mapping[str, Callable[..., Awaitable[Moved]]]] = {
    r"meter/form": _open_meter_form,
    r"meter/sign-up": _sign_up,
    r"meter/sign-on": _sign_on,
    r"meter/look": _look_at_meter,
    r"meter/allowance": _set_allowance,
    r"meter/give-up": _give_up_meter,
}
