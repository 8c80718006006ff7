"""What a tap does. Each ends with another address to look at, so that nothing is sent twice by looking again."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from fob_device.overview.objects import keys
from fob_device.screen.errors import PhoneLockedError, SheetGoneError
from fob_device.screen.typed import Outcome, judged
from fob_device.screen.web.addresses import COMPUTER, HANDLE, PAGE, PROGRAM, SERVER, SHEET
from fob_device.screen.web.forms import FormError, one_of
from fob_device.screen.web.meter_taps import METER_TAPS
from fob_device.screen.web.pages import WRONG, Moved, NoPageError, find_computer
from fob_device.screen.web.shown import Running
from fob_device.screen.web.unlocked import require_person
from fob_device.screen.web.views.keys import SETTINGS
from fob_device.screen.web.views.settings import auto_lock_seconds
from fob_device.screen.web.views.sheets import REMEMBER
from fob_device.security.back_office import PersonsDesk
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError

Fields = Mapping[str, str]
Tap = Callable[..., Awaitable[Moved]]

YES: Final = "yes"
NO: Final = "no"
# Before the name of a field that a server asks for.
FIELD: Final = "field-"


async def tap_at(running: Running, path: str, fields: Fields) -> Moved:
    """What the person does at a path below the token.

    Raises NoPageError, FormError; CkrError when the phone's memory fails. A tap on a locked phone leads to its PIN pad.
    """
    for pattern, tap in _TAPS.items():
        if match := re.fullmatch(pattern, path):
            try:
                return await tap(running, fields, *match.groups())
            except SheetGoneError:
                return Moved("over")
            except PhoneLockedError:
                return Moved("unlock")
    raise NoPageError


def page_below(fields: Fields) -> Moved:
    """Back to the page that a sheet or the workbench was beside. Raises FormError."""
    path = fields.get("page", "")
    if not re.fullmatch(PAGE, path):
        raise FormError("page is an address of this phone")
    return Moved(path)


async def _lock(running: Running, fields: Fields) -> Moved:
    running.person.lock.lock()
    return Moved()


async def _unlock(running: Running, fields: Fields) -> Moved:
    typed = await running.person.unlock(_pin(fields, "pin"))
    return Moved() if typed.outcome is Outcome.DONE else Moved("unlock", WRONG)


async def _answer(running: Running, fields: Fields, sheet_id: str) -> Moved:
    back = page_below(fields)
    if "remember" in fields:
        seconds = one_of(fields, "remember", tuple(str(choice.seconds) for choice in REMEMBER))
        running.person.answer(sheet_id, True, int(seconds))
    else:
        running.person.answer(sheet_id, one_of(fields, "answer", (YES, NO)) == YES)
    return back


async def _compare(running: Running, fields: Fields, sheet_id: str) -> Moved:
    back = page_below(fields)
    running.person.compare_answer(sheet_id, one_of(fields, "equal", (YES, NO)) == YES)
    return back


async def _type_pin(running: Running, fields: Fields, sheet_id: str) -> Moved:
    back = page_below(fields)
    await running.person.type_pin(sheet_id, _pin(fields, "pin"))
    return back


async def _type_password(running: Running, fields: Fields, sheet_id: str) -> Moved:
    back = page_below(fields)
    running.person.type_password_on(sheet_id, fields.get("password", ""), fields.get("again", ""))
    return back


async def _give_up_password(running: Running, fields: Fields, sheet_id: str) -> Moved:
    back = page_below(fields)
    running.person.cancel_password(sheet_id)
    return back


async def _give_up(running: Running, fields: Fields, sheet_id: str) -> Moved:
    back = page_below(fields)
    running.person.cancel(sheet_id)
    return back


async def _set_key(running: Running, fields: Fields, handle: str) -> Moved:
    require_person(running.person)
    setting = SETTINGS[one_of(fields, "setting", tuple(SETTINGS))]
    if all(key.handle != int(handle) for key in keys(running.phone)):
        raise NoPageError
    running.phone.set_key_setting(int(handle), setting)
    return Moved(f"keys/{handle}", "saved")


async def _unpair(running: Running, fields: Fields, key: str) -> Moved:
    require_person(running.person)
    running.phone.unpair_computer(find_computer(running, key).key)
    return Moved("computers", "unpaired")


async def _revoke(running: Running, fields: Fields, key: str, number: str) -> Moved:
    require_person(running.person)
    back = page_below(fields)
    running.phone.revoke(find_computer(running, key).key, int(number))
    return Moved(back.path, "revoked")


async def _pairing(running: Running, fields: Fields) -> Moved:
    require_person(running.person)
    if one_of(fields, "open", (YES, NO)) == YES:
        running.person.open_pairing()
    else:
        running.person.close_pairing()
    return Moved("computers")


async def _set_auto_lock(running: Running, fields: Fields) -> Moved:
    try:
        seconds = auto_lock_seconds(fields.get("seconds", ""))
    except ValueError as error:
        raise FormError(str(error)) from None
    running.person.set_auto_lock(seconds)
    return Moved("settings", "saved")


async def _change_pin(running: Running, fields: Fields) -> Moved:
    phone, person = running.phone, running.person
    require_person(person)
    old, new = _pin(fields, "old"), _pin(fields, "new")
    if new != _pin(fields, "again"):
        return Moved("settings/pin", "unequal")
    session = phone.token.open_session()
    try:
        await phone.memory.slowly(lambda: session.set_pin(Cku.USER, old, new))
    except CkrError as error:
        outcome = judged(error, Cku.USER, person.lock.tries_left).outcome
        if outcome is Outcome.FAILED:
            raise
        return Moved("settings/pin", "unfit" if outcome is Outcome.UNFIT else WRONG)
    finally:
        session.close()
        phone.announce_pins()
    return Moved("settings", "pin")


async def _configure(running: Running, fields: Fields) -> Moved:
    _desk(running).configure()
    return Moved("office")


async def _look(running: Running, fields: Fields) -> Moved:
    _desk(running).look()
    return Moved("office")


async def _open_form(running: Running, fields: Fields, server: str) -> Moved:
    _desk(running).open_form(server)
    return Moved(f"office/servers/{server}")


async def _register(running: Running, fields: Fields, server: str) -> Moved:
    """What is not there is not asked for; the form's own fields begin with FIELD."""
    desk, master_key = _desk(running), running.person.lock.master_key
    filled = {name.removeprefix(FIELD): text for name, text in fields.items() if name.startswith(FIELD)}
    if master_key is not None:
        desk.register(server, filled, master_key)
    return Moved(f"office/servers/{server}")


async def _validate(running: Running, fields: Fields) -> Moved:
    _desk(running).validate()
    return Moved("office")


async def _enter_letter(running: Running, fields: Fields, program: str) -> Moved:
    _desk(running).enter_letter(program, fields.get("letter", ""))
    return Moved("office")


async def _give_up_office(running: Running, fields: Fields) -> Moved:
    back = page_below(fields)
    _desk(running).give_up()
    return back


def _desk(running: Running) -> PersonsDesk:
    """Of the unlocked phone. Raises PhoneLockedError, NoPageError."""
    require_person(running.person)
    office = running.phone.office
    if office is None or office.desk is None:
        raise NoPageError
    return office.desk


_TAPS: Final[Mapping[str, Tap]] = {
    r"lock": _lock,
    r"unlock": _unlock,
    rf"sheets/{SHEET}": _answer,
    rf"sheets/{SHEET}/compare": _compare,
    rf"sheets/{SHEET}/pin": _type_pin,
    rf"sheets/{SHEET}/give-up": _give_up,
    rf"sheets/{SHEET}/password": _type_password,
    rf"sheets/{SHEET}/password/give-up": _give_up_password,
    rf"keys/{HANDLE}/setting": _set_key,
    rf"computers/{COMPUTER}/unpair": _unpair,
    rf"computers/{COMPUTER}/grants/{HANDLE}/revoke": _revoke,
    r"pairing": _pairing,
    r"settings/auto-lock": _set_auto_lock,
    r"settings/pin": _change_pin,
    r"office/configure": _configure,
    r"office/look": _look,
    r"office/validate": _validate,
    rf"office/copies/{PROGRAM}/letter": _enter_letter,
    r"office/give-up": _give_up_office,
    **METER_TAPS,
    rf"office/servers/{SERVER}/form": _open_form,
    rf"office/servers/{SERVER}/register": _register,
}


def _pin(fields: Fields, name: str) -> bytes:
    return fields.get(name, "").encode()
